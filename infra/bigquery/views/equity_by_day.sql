-- Question: How did the account stand at the end of each day, and how far below its best?
-- Grain: one row per UTC day and mode: the day's last snapshot.
-- Units: micro-dollars; equity is cash plus what open positions cost; drawdown is below the best day end so far.
WITH ends AS (
  SELECT
    DATE(observed_at) AS day, mode, cash, reserved, portfolio_value, cash + portfolio_value AS equity,
    realized, fees, observed_at
  FROM `${dataset}.stg_account_snapshots`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(observed_at), mode ORDER BY observed_at DESC, event_id) = 1
)
SELECT
  day,
  mode,
  cash,
  reserved,
  portfolio_value,
  equity,
  equity - LAG(equity) OVER (PARTITION BY mode ORDER BY day) AS change,
  MAX(equity) OVER (PARTITION BY mode ORDER BY day ROWS UNBOUNDED PRECEDING) - equity AS drawdown,
  realized,
  fees,
  observed_at
FROM ends
