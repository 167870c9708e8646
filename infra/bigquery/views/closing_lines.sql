-- Question: What did each bookmaker last say about each mapped market before the game began?
-- Grain: one row per market and operator that quoted exactly its line before the start; an operator's regional
--   sites (book_uk, book_eu) are one voice.
-- Units: fair_yes is the probability of YES, margin removed multiplicatively; age_s is seconds from the quote to
--   the start. A price from during the game is never a close; the states in which exchange and book pay differently
--   are not priced in.
WITH selected AS (
  SELECT
    ticker, event_ticker, league, kind, odds_event_id, starts_at,
    selection.market AS market,
    selection.outcome AS outcome,
    selection.description AS description,
    selection.point AS point,
    IF(selection.market = 'spreads', -selection.point, selection.point) AS other_point
  FROM `${dataset}.mappings_current`
  WHERE is_certified AND selection.market IS NOT NULL AND starts_at IS NOT NULL
),
starts AS (
  SELECT odds_event_id, MIN(starts_at) AS starts_at
  FROM selected
  GROUP BY odds_event_id
),
last_quotes AS (
  SELECT
    o.odds_event_id,
    starts.starts_at,
    quote.bookmaker AS bookmaker,
    REGEXP_REPLACE(quote.bookmaker, r'_(au|az|de|eu|fl|fr|it|nl|oh|se|uk)$', '') AS operator,
    REPLACE(quote.market, 'alternate_', '') AS market,
    quote.last_update AS last_update,
    quote.outcomes
  FROM `${dataset}.stg_sportsbook_odds` AS o
  JOIN starts ON starts.odds_event_id = o.odds_event_id
  CROSS JOIN UNNEST(o.quotes) AS quote
  WHERE
    quote.last_update < starts.starts_at
    AND o.observed_at < starts.starts_at
    -- Venues we trade on, and contests that are no bookmakers.
    AND quote.bookmaker NOT IN ('betr_us_dfs', 'kalshi', 'pick6', 'polymarket', 'prizepicks', 'underdog')
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY o.odds_event_id, quote.bookmaker, quote.market
    ORDER BY quote.last_update DESC, o.observed_at DESC, o.event_id
  ) = 1
),
priced AS (
  SELECT
    s.*,
    q.bookmaker,
    q.operator,
    q.last_update,
    TIMESTAMP_DIFF(q.starts_at, q.last_update, SECOND) AS age_s,
    (
      SELECT SUM(SAFE_DIVIDE(1, x.price)) FROM UNNEST(q.outcomes) AS x
      WHERE x.description = s.description AND x.name = s.outcome AND x.point IS NOT DISTINCT FROM s.point
    ) AS chosen,
    (
      SELECT COUNT(*) FROM UNNEST(q.outcomes) AS x
      WHERE x.description = s.description AND x.name = s.outcome AND x.point IS NOT DISTINCT FROM s.point
    ) AS chosen_count,
    (
      SELECT SUM(SAFE_DIVIDE(1, x.price)) FROM UNNEST(q.outcomes) AS x
      WHERE x.description = s.description AND x.name <> s.outcome AND x.point IS NOT DISTINCT FROM s.other_point
    ) AS others,
    (
      SELECT COUNT(*) FROM UNNEST(q.outcomes) AS x
      WHERE x.description = s.description AND x.name <> s.outcome AND x.point IS NOT DISTINCT FROM s.other_point
    ) AS others_count
  FROM selected AS s
  JOIN last_quotes AS q ON q.odds_event_id = s.odds_event_id AND q.market = s.market
)
SELECT
  ticker,
  event_ticker,
  league,
  kind,
  odds_event_id,
  bookmaker,
  operator,
  starts_at,
  last_update,
  age_s,
  SAFE_DIVIDE(chosen, chosen + others) AS fair_yes,
  chosen + others - 1 AS margin
FROM priced
WHERE
  chosen_count = 1
  AND others_count = IF(kind = 'three_way', 2, 1)
  -- Below 1 an outcome is missing or stale; above 1.25 a book says nothing about the fair price.
  AND chosen + others BETWEEN 0.999999999 AND 1.250000001
QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker, operator ORDER BY last_update DESC, bookmaker, fair_yes) = 1
