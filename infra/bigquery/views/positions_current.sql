-- Question: What does the ledger say is held in each market?
-- Grain: one row per market: the ledger's newest word.
-- Units: quantity in hundredths of a contract, YES positive; cost, fees and realized in micro-dollars.
-- The fees of a market only grow, whatever a clock does: they say which of two words is the newer.
SELECT
  ticker,
  event_ticker,
  quantity,
  cost,
  fees,
  realized,
  realized - fees AS pnl,
  observed_at
FROM `${dataset}.stg_positions`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY fees DESC, observed_at DESC, event_id) = 1
