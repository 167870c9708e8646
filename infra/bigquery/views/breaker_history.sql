-- Question: When did each breaker move, who moved it and why, and how long did it stay?
-- Grain: one row per move of a breaker.
-- Units: seconds it stayed as it was moved to; NULL for the newest move. A move told twice counts once.
WITH moves AS (
  SELECT *
  FROM `${dataset}.stg_breaker_moves`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY breaker, `at`, before, `after` ORDER BY observed_at, event_id) = 1
)
SELECT
  breaker,
  `at` AS moved_at,
  before,
  `after`,
  cause,
  causes,
  reason,
  actor,
  LEAD(`at`) OVER moving AS until,
  TIMESTAMP_DIFF(LEAD(`at`) OVER moving, `at`, MICROSECOND) / 1000000 AS stayed_s,
  LEAD(actor) OVER moving AS moved_on_by,
  LEAD(`at`) OVER moving IS NULL AS is_current
FROM moves
WINDOW moving AS (PARTITION BY breaker ORDER BY `at`, observed_at, event_id)
