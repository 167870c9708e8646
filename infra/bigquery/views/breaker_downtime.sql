-- Question: How often and how long did each breaker stop trading, and for what?
-- Grain: one row per breaker and cause of the opening.
-- Units: openings are counted; seconds until the next move, openings that still last left out of the sums.
SELECT
  breaker,
  cause,
  COUNT(*) AS openings,
  COUNTIF(before = 'half_open') AS failed_probes,
  SUM(stayed_s) AS open_s,
  MAX(stayed_s) AS longest_s,
  LOGICAL_OR(is_current) AS is_open_now,
  MAX(moved_at) AS last_opened_at,
  ARRAY_AGG(reason ORDER BY moved_at DESC LIMIT 1)[SAFE_OFFSET(0)] AS last_reason
FROM `${dataset}.breaker_history`
WHERE `after` = 'open'
GROUP BY breaker, cause
