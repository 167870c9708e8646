-- Question: How much can each game still lose?
-- Grain: one row per mode, league and exchange event with something open.
-- Units: cost, at_risk and best_case in micro-dollars, fees included. at_risk is every market at its own worst,
--   which is more than markets that exclude each other can lose together.
SELECT
  mode,
  league,
  event_ticker,
  COUNT(*) AS markets,
  SUM(ABS(quantity)) AS quantity,
  SUM(cost) AS cost,
  SUM(-LEAST(pnl_if_yes, pnl_if_no, 0)) AS at_risk,
  SUM(GREATEST(pnl_if_yes, pnl_if_no)) AS best_case,
  SUM(unrealized) AS unrealized
FROM `${dataset}.open_positions`
GROUP BY mode, league, event_ticker
