-- Question: How well was each order filled: against its limit, and against the offer the signal was raised on?
-- Grain: one row per order that was sent.
-- Units: limit, signal_ask, average_price, improvement and slippage in micro-dollars per contract (improvement:
--   below the limit; slippage: above the offer, negative is better); saved and fees in micro-dollars; quantities in
--   hundredths of a contract; fill_ratio 0 to 1; times in milliseconds.
WITH filled AS (
  SELECT
    order_id,
    COUNT(*) AS fills,
    SUM(quantity) AS filled_quantity,
    SUM(cost) AS cost,
    SUM(fee) AS fees,
    SUM(IF(is_taker, quantity, 0)) AS taken_quantity,
    MIN(filled_at) AS first_fill_at,
    MAX(filled_at) AS last_fill_at
  FROM `${dataset}.fills_once`
  GROUP BY order_id
),
signalled AS (
  SELECT signal_id, MIN(opportunity_id) AS opportunity_id, MIN(observed_at) AS signalled_at
  FROM `${dataset}.stg_signals`
  GROUP BY signal_id
),
asked AS (
  SELECT opportunity_id, MIN(ask) AS ask
  FROM `${dataset}.stg_opportunities`
  WHERE accepted
  GROUP BY opportunity_id
)
SELECT
  o.order_id,
  o.signal_id,
  o.ticker,
  o.league,
  o.kind,
  o.mode,
  o.profile,
  o.side,
  o.status,
  o.limit,
  a.ask AS signal_ask,
  o.quantity,
  COALESCE(f.filled_quantity, 0) AS filled_quantity,
  SAFE_DIVIDE(COALESCE(f.filled_quantity, 0), o.quantity) AS fill_ratio,
  COALESCE(f.fills, 0) AS fills,
  SAFE_DIVIDE(f.cost * 100, f.filled_quantity) AS average_price,
  o.limit - SAFE_DIVIDE(f.cost * 100, f.filled_quantity) AS improvement,
  SAFE_DIVIDE(f.cost * 100, f.filled_quantity) - a.ask AS slippage,
  DIV(o.limit * f.filled_quantity, 100) - f.cost AS saved,
  f.fees,
  SAFE_DIVIDE(f.taken_quantity, f.filled_quantity) AS taker_share,
  TIMESTAMP_DIFF(o.created_at, s.signalled_at, MICROSECOND) / 1000 AS signal_to_order_ms,
  TIMESTAMP_DIFF(f.first_fill_at, o.created_at, MICROSECOND) / 1000 AS order_to_fill_ms,
  o.created_at
FROM `${dataset}.orders_current` AS o
LEFT JOIN filled AS f ON f.order_id = o.order_id
LEFT JOIN signalled AS s ON s.signal_id = o.signal_id
LEFT JOIN asked AS a ON a.opportunity_id = s.opportunity_id
WHERE o.was_sent
