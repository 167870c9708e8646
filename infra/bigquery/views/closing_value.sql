-- Question: Did each fill beat the closing line?
-- Grain: one row per fill of a mapped market.
-- Units: all_in_usd, close_*, clv_* in dollars per contract of the side bought; roi is clv over all_in; log_odds is
--   the move in log-odds. close_independent is the mean of bookmakers that were no input of the trade, close_all of
--   every bookmaker; quotes older than an hour at the start are no close; NULL when there is none.
WITH inputs AS (
  SELECT
    s.signal_id,
    ARRAY(
      SELECT REGEXP_REPLACE(name, r'_(au|az|de|eu|fl|fr|it|nl|oh|se|uk)$', '') FROM UNNEST(o.fair.names) AS name
    ) AS operators
  FROM `${dataset}.stg_signals` AS s
  JOIN `${dataset}.stg_opportunities` AS o ON o.opportunity_id = s.opportunity_id
  WHERE o.accepted
  QUALIFY ROW_NUMBER() OVER (PARTITION BY s.signal_id ORDER BY s.observed_at, s.event_id, o.event_id) = 1
),
closes AS (
  SELECT
    f.fill_id,
    COUNT(*) AS books,
    AVG(IF(f.side = 'yes', c.fair_yes, 1 - c.fair_yes)) AS close_all,
    -- Where the inputs of the trade are not known, nobody is known to be independent of it.
    COUNTIF(i.signal_id IS NOT NULL AND c.operator NOT IN UNNEST(i.operators)) AS independent_books,
    AVG(
      IF(
        i.signal_id IS NOT NULL AND c.operator NOT IN UNNEST(i.operators),
        IF(f.side = 'yes', c.fair_yes, 1 - c.fair_yes),
        NULL
      )
    ) AS close_independent
  FROM `${dataset}.fills_once` AS f
  JOIN `${dataset}.closing_lines` AS c ON c.ticker = f.ticker AND f.filled_at < c.starts_at
  LEFT JOIN inputs AS i ON i.signal_id = f.signal_id
  WHERE c.age_s <= 3600
  GROUP BY f.fill_id
)
SELECT
  f.fill_id,
  f.order_id,
  f.signal_id,
  f.ticker,
  f.event_ticker,
  f.league,
  f.mode,
  f.profile,
  f.side,
  f.quantity,
  f.all_in_usd,
  c.books,
  c.close_all,
  c.close_all - f.all_in_usd AS clv_all,
  c.independent_books,
  c.close_independent,
  c.close_independent - f.all_in_usd AS clv_independent,
  SAFE_DIVIDE(c.close_independent - f.all_in_usd, f.all_in_usd) AS roi_independent,
  IF(
    f.all_in_usd > 0 AND f.all_in_usd < 1 AND c.close_independent > 0 AND c.close_independent < 1,
    LN(SAFE_DIVIDE(c.close_independent, 1 - c.close_independent)) - LN(SAFE_DIVIDE(f.all_in_usd, 1 - f.all_in_usd)),
    NULL
  ) AS log_odds_independent,
  f.filled_at
FROM `${dataset}.fills_once` AS f
LEFT JOIN closes AS c ON c.fill_id = f.fill_id
