-- Question: What did each day trade, and what did it earn, after fees?
-- Grain: one row per UTC day and mode; fills count on the day they were filled, profit on the day of settlement.
-- Units: staked, fees, pnl and cumulative_pnl in micro-dollars; quantity in hundredths of a contract; pnl_usd in
--   dollars. fees are those paid that day; pnl is after all fees of the markets settled that day.
WITH moves AS (
  SELECT
    DATE(filled_at) AS day, mode, order_id, quantity, cost AS staked, fee AS fees, 0 AS settled, 0 AS won, 0 AS pnl
  FROM `${dataset}.fills_once`
  UNION ALL
  SELECT
    DATE(settled_at) AS day, mode, CAST(NULL AS STRING), 0, 0, 0, 1, IF(pnl > 0, 1, 0), pnl
  FROM `${dataset}.pnl_by_market`
  WHERE settled_at IS NOT NULL
),
days AS (
  SELECT
    day,
    mode,
    COUNT(DISTINCT order_id) AS orders,
    SUM(quantity) AS quantity,
    SUM(staked) AS staked,
    SUM(fees) AS fees,
    SUM(settled) AS settled_markets,
    SUM(won) AS won_markets,
    SUM(pnl) AS pnl
  FROM moves
  GROUP BY day, mode
)
SELECT
  *,
  pnl / 1000000 AS pnl_usd,
  SUM(pnl) OVER (PARTITION BY mode ORDER BY day ROWS UNBOUNDED PRECEDING) AS cumulative_pnl
FROM days
