-- Question: How many prices were weighed, accepted, signalled, ordered and filled?
-- Grain: one row per UTC day and league.
-- Units: counts; a market side is one side of one market under one profile, however often it was weighed.
WITH steps AS (
  SELECT
    DATE(observed_at) AS day, league, 'assessed' AS step, CONCAT(ticker, '/', side, '/', profile) AS what
  FROM `${dataset}.stg_opportunities`
  UNION ALL
  SELECT DATE(observed_at), league, 'accepted', CONCAT(ticker, '/', side, '/', profile)
  FROM `${dataset}.stg_opportunities`
  WHERE accepted
  UNION ALL
  SELECT DATE(observed_at), league, 'signal', signal_id
  FROM `${dataset}.stg_signals`
  UNION ALL
  SELECT DATE(created_at), league, IF(was_sent, 'sent', 'refused'), order_id
  FROM `${dataset}.orders_current`
  UNION ALL
  SELECT DATE(filled_at), league, 'filled', order_id
  FROM `${dataset}.fills_once`
)
SELECT
  day,
  league,
  COUNT(DISTINCT IF(step = 'assessed', what, NULL)) AS market_sides_assessed,
  COUNTIF(step = 'assessed') AS assessments,
  COUNT(DISTINCT IF(step = 'accepted', what, NULL)) AS market_sides_accepted,
  COUNT(DISTINCT IF(step = 'signal', what, NULL)) AS signals,
  COUNT(DISTINCT IF(step = 'refused', what, NULL)) AS orders_refused,
  COUNT(DISTINCT IF(step = 'sent', what, NULL)) AS orders_sent,
  COUNT(DISTINCT IF(step = 'filled', what, NULL)) AS orders_filled
FROM steps
GROUP BY day, league
