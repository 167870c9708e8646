-- Question: Do signals with more expected edge earn more, after fees?
-- Grain: one row per mode and edge_bucket; settled fills only.
-- Units: staked, fees, revenue and pnl in micro-dollars; quantity in hundredths of a contract; pnl_usd and
--   expected_usd in dollars; roi is pnl over staked.
SELECT
  mode,
  edge_bucket,
  SUM(fills) AS fills,
  SUM(quantity) AS quantity,
  SUM(staked) AS staked,
  SUM(fees) AS fees,
  SUM(revenue) AS revenue,
  SUM(pnl) AS pnl,
  SUM(pnl) / 1000000 AS pnl_usd,
  SUM(expected_usd) AS expected_usd,
  SAFE_DIVIDE(SUM(pnl), SUM(staked)) AS roi
FROM `${dataset}.pnl_cube`
GROUP BY mode, edge_bucket
