-- Question: Where did the venue say otherwise than we, and is it resolved?
-- Grain: one row per difference: its newest word; unresolved ones are what needs a person.
-- Units: gap in hundredths of a contract, for cash in micro-dollars; lasted_s in seconds until it was resolved.
WITH words AS (
  SELECT
    *,
    MIN(observed_at) OVER (PARTITION BY difference_id) AS found_at
  FROM `${dataset}.stg_reconciliation`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY difference_id ORDER BY observed_at DESC, IF(resolved, 0, 1), event_id) = 1
)
SELECT
  difference_id,
  what,
  subject,
  ticker,
  mode,
  ours,
  theirs,
  gap,
  resolved,
  resolution,
  actor,
  found_at,
  IF(resolved, observed_at, NULL) AS resolved_at,
  IF(resolved, TIMESTAMP_DIFF(observed_at, found_at, MICROSECOND) / 1000000, NULL) AS lasted_s
FROM words
