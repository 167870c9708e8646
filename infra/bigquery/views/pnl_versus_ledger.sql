-- Question: Where does P&L from the fills differ from what the ledger booked at settlement?
-- Grain: one row per settled market whose two figures differ; none when all is well.
-- Units: pnl_fills, pnl_ledger and difference in micro-dollars.
-- A fill heard of after the settlement shows here until the ledger has been told.
WITH booked AS (
  SELECT ticker, pnl, observed_at
  FROM `${dataset}.stg_settlements`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
),
counted AS (
  SELECT ticker, SUM(pnl) AS pnl, COUNT(DISTINCT mode) AS modes
  FROM `${dataset}.pnl_by_market`
  GROUP BY ticker
)
SELECT
  booked.ticker,
  counted.modes,
  COALESCE(counted.pnl, 0) AS pnl_fills,
  booked.pnl AS pnl_ledger,
  COALESCE(counted.pnl, 0) - booked.pnl AS difference,
  booked.observed_at AS settled_at
FROM booked
LEFT JOIN counted ON counted.ticker = booked.ticker
WHERE COALESCE(counted.pnl, 0) <> booked.pnl
