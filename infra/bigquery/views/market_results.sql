-- Question: How did each market end?
-- Grain: one row per market that has ended, held or not: the newest word about it.
-- Units: payout_yes in micro-dollars per YES contract; NO gets the rest of $1.
WITH told AS (
  SELECT ticker, event_ticker, result, payout_yes, settled_at, observed_at, event_id
  FROM `${dataset}.stg_results`
  UNION ALL
  SELECT ticker, event_ticker, result, payout_yes, observed_at AS settled_at, observed_at, event_id
  FROM `${dataset}.stg_settlements`
)
SELECT ticker, event_ticker, result, payout_yes, COALESCE(settled_at, observed_at) AS settled_at
FROM told
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
