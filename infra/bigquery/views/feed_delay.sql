-- Question: How old is what the feeds tell us when we hear it?
-- Grain: one row per UTC day and feed, within the last 30 days.
-- Units: milliseconds between the source's own time and ours; percentiles by nearest rank. Two clocks are
--   compared: a negative delay says that they differ.
WITH samples AS (
  SELECT DATE(observed_at) AS day, 'kalshi_ticks' AS feed, TIMESTAMP_DIFF(observed_at, source_at, MICROSECOND) AS us
  FROM `${dataset}.stg_kalshi_ticks`
  WHERE source_at IS NOT NULL AND observed_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY)
  UNION ALL
  SELECT DATE(observed_at), 'kalshi_trades', TIMESTAMP_DIFF(observed_at, source_at, MICROSECOND)
  FROM `${dataset}.stg_kalshi_trades`
  WHERE source_at IS NOT NULL AND observed_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY)
  UNION ALL
  SELECT DATE(o.observed_at), 'sportsbook_odds', TIMESTAMP_DIFF(o.observed_at, quote.last_update, MICROSECOND)
  FROM `${dataset}.stg_sportsbook_odds` AS o
  CROSS JOIN UNNEST(o.quotes) AS quote
  WHERE quote.last_update IS NOT NULL AND o.observed_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY)
),
ranked AS (
  SELECT
    day,
    feed,
    us / 1000 AS ms,
    ROW_NUMBER() OVER (PARTITION BY day, feed ORDER BY us) AS nth,
    COUNT(*) OVER (PARTITION BY day, feed) AS n
  FROM samples
)
SELECT
  day,
  feed,
  COUNT(*) AS samples,
  MIN(IF(nth >= 0.50 * n, ms, NULL)) AS p50_ms,
  MIN(IF(nth >= 0.95 * n, ms, NULL)) AS p95_ms,
  MIN(IF(nth >= 0.99 * n, ms, NULL)) AS p99_ms,
  MAX(ms) AS max_ms
FROM ranked
GROUP BY day, feed
