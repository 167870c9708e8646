-- Question: How long does each stage of an order take?
-- Grain: one row per UTC day, mode and stage.
-- Units: milliseconds; percentiles by nearest rank, so each is a time that was really taken.
-- decided, durable, answered: since the look at the live book, as the executor measured them; signal_to_order:
-- from the signal to the durable intent; order_to_outcome: from the intent to the last change, both by our clock.
WITH samples AS (
  SELECT DATE(o.created_at) AS day, o.mode, stage.key AS stage, stage.value / 1000000 AS ms
  FROM `${dataset}.orders_current` AS o
  CROSS JOIN UNNEST(o.latency_ns) AS stage
  UNION ALL
  SELECT DATE(created_at), mode, 'signal_to_order', signal_to_order_ms
  FROM `${dataset}.fill_quality`
  WHERE signal_to_order_ms IS NOT NULL
  UNION ALL
  SELECT DATE(created_at), mode, 'order_to_outcome', TIMESTAMP_DIFF(changed_at, created_at, MICROSECOND) / 1000
  FROM `${dataset}.orders_current`
  WHERE was_sent AND NOT is_open
),
ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY day, mode, stage ORDER BY ms) AS nth,
    COUNT(*) OVER (PARTITION BY day, mode, stage) AS n
  FROM samples
)
SELECT
  day,
  mode,
  stage,
  COUNT(*) AS samples,
  MIN(IF(nth >= 0.50 * n, ms, NULL)) AS p50_ms,
  MIN(IF(nth >= 0.95 * n, ms, NULL)) AS p95_ms,
  MIN(IF(nth >= 0.99 * n, ms, NULL)) AS p99_ms,
  MAX(ms) AS max_ms
FROM ranked
GROUP BY day, mode, stage
