-- Question: What became of each order?
-- Grain: one row per order_id: its newest state.
-- Units: limit in micro-dollars per contract; quantity and filled in hundredths of a contract; expected_edge
--   in dollars per contract; was_sent is true when an intent was made durable, false when the gate refused.
SELECT
  order_id,
  venue_order_id,
  signal_id,
  ticker,
  event_ticker,
  league,
  kind,
  mode,
  profile,
  side,
  status,
  `limit`,
  quantity,
  filled,
  fair_probability,
  expected_edge,
  controls,
  reasons,
  latency_ns,
  MIN(observed_at) OVER (PARTITION BY order_id) AS created_at,
  observed_at AS changed_at,
  LOGICAL_OR(status NOT IN ('rejected')) OVER (PARTITION BY order_id) AS was_sent,
  status IN ('pending', 'submitted', 'resting', 'partial', 'unknown') AS is_open
FROM `${dataset}.stg_orders`
WHERE TRUE
-- An intent and its outcome may share a microsecond.
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY order_id
  ORDER BY observed_at DESC, IF(status = 'pending', 1, 0), filled DESC, event_id
) = 1
