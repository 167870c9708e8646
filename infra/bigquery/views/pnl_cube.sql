-- Question: What was earned, cut by day, mode, sport, kind, profile and signal bucket at once?
-- Grain: one row per UTC day of settlement, mode, league, kind, profile and edge_bucket; settled fills only.
-- Units: staked, fees, revenue and pnl in micro-dollars; quantity in hundredths of a contract; expected_usd and
--   pnl_usd in dollars.
SELECT
  DATE(settled_at) AS day,
  mode,
  league,
  COALESCE(kind, 'unknown') AS kind,
  profile,
  edge_bucket,
  COUNT(*) AS fills,
  COUNT(DISTINCT ticker) AS markets,
  SUM(quantity) AS quantity,
  SUM(cost) AS staked,
  SUM(fee) AS fees,
  SUM(revenue) AS revenue,
  SUM(pnl) AS pnl,
  SUM(pnl) / 1000000 AS pnl_usd,
  SUM(expected_edge * quantity / 100) AS expected_usd
FROM `${dataset}.pnl_by_fill`
WHERE settled_at IS NOT NULL
GROUP BY day, mode, league, kind, profile, edge_bucket
