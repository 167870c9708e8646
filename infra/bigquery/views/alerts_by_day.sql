-- Question: What should a person have looked at, and what input could not be used?
-- Grain: one row per UTC day, kind (alert or quarantine), source and code.
-- Units: times is the sum of the counts the messages carry.
SELECT
  DATE(observed_at) AS day,
  'alert' AS kind,
  source,
  code,
  COUNT(*) AS messages,
  SUM(count) AS times,
  COUNT(DISTINCT subject) AS subjects,
  MIN(text) AS example
FROM `${dataset}.stg_alerts`
GROUP BY day, source, code
UNION ALL
SELECT
  DATE(observed_at),
  'quarantine',
  source,
  SPLIT(reason, ':')[SAFE_OFFSET(0)],
  COUNT(*),
  SUM(count),
  COUNT(DISTINCT reason),
  MIN(reason)
FROM `${dataset}.stg_quarantine`
GROUP BY 1, 3, 4
