-- Question: Was the edge we expected really there, in money and against the close?
-- Grain: one row per mode and edge bucket; settled fills only.
-- Units: *_per_contract and clv in dollars per contract; expected_usd and realised_usd in dollars. z is how many
--   standard deviations the results lie from the forecast, fills of YES or NO markets taken as independent bets.
WITH settled AS (
  SELECT
    p.mode,
    p.edge_bucket,
    p.event_ticker,
    p.quantity / 100 AS contracts,
    p.pnl / 1000000 AS pnl_usd,
    p.expected_edge * p.quantity / 100 AS expected_usd,
    v.clv_independent,
    p.fair_probability AS forecast,
    CASE WHEN p.result NOT IN ('yes', 'no') THEN NULL WHEN p.result = p.side THEN 1 ELSE 0 END AS won
  FROM `${dataset}.pnl_by_fill` AS p
  LEFT JOIN `${dataset}.closing_value` AS v ON v.fill_id = p.fill_id
  WHERE p.settled_at IS NOT NULL
)
SELECT
  mode,
  edge_bucket,
  COUNT(*) AS fills,
  COUNT(DISTINCT event_ticker) AS events,
  SUM(contracts) AS contracts,
  SUM(expected_usd) AS expected_usd,
  SUM(pnl_usd) AS realised_usd,
  SAFE_DIVIDE(SUM(expected_usd), SUM(IF(expected_usd IS NULL, 0, contracts))) AS expected_per_contract,
  SAFE_DIVIDE(SUM(pnl_usd), SUM(contracts)) AS realised_per_contract,
  SAFE_DIVIDE(SUM(clv_independent * contracts), SUM(IF(clv_independent IS NULL, 0, contracts))) AS clv_per_contract,
  SAFE_DIVIDE(
    SUM((won - forecast) * contracts),
    SQRT(SUM(IF(won IS NULL, NULL, forecast * (1 - forecast) * contracts * contracts)))
  ) AS z
FROM settled
GROUP BY mode, edge_bucket
