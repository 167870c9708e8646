-- Question: What over/under did each bookmaker quote for each player, and what does it imply?
-- Grain: one row per change of a quote: odds event, bookmaker, prop market, player, line and time of the quote.
-- Units: over_price and under_price in decimal odds; over_probability 0 to 1, margin removed multiplicatively, NULL
--   where only one side is quoted; margin as a share of 1.
WITH quoted AS (
  SELECT
    o.odds_event_id,
    o.sport_key,
    o.home,
    o.away,
    o.starts_at,
    quote.bookmaker AS bookmaker,
    REPLACE(quote.market, '_alternate', '') AS prop,
    quote.last_update AS last_update,
    x.description AS player,
    x.point AS line,
    MAX(IF(x.name IN ('Over', 'Yes'), x.price, NULL)) AS over_price,
    MAX(IF(x.name IN ('Under', 'No'), x.price, NULL)) AS under_price,
    MIN(o.observed_at) AS first_seen_at
  FROM `${dataset}.stg_sportsbook_odds` AS o
  CROSS JOIN UNNEST(o.quotes) AS quote
  CROSS JOIN UNNEST(quote.outcomes) AS x
  WHERE x.description <> '' AND x.name IN ('Over', 'Under', 'Yes', 'No') AND quote.market NOT LIKE '%team_totals%'
  GROUP BY
    odds_event_id, sport_key, home, away, starts_at, bookmaker, prop, last_update, player, line
)
SELECT
  odds_event_id,
  sport_key,
  home,
  away,
  starts_at,
  bookmaker,
  prop,
  player,
  line,
  over_price,
  under_price,
  SAFE_DIVIDE(SAFE_DIVIDE(1, over_price), SAFE_DIVIDE(1, over_price) + SAFE_DIVIDE(1, under_price)) AS over_probability,
  SAFE_DIVIDE(1, over_price) + SAFE_DIVIDE(1, under_price) - 1 AS margin,
  last_update,
  first_seen_at
FROM quoted
