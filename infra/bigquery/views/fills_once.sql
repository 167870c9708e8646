-- Question: Which fills were confirmed, each once, and what did each cost?
-- Grain: one row per fill_id; of a fill told in several messages the first telling counts.
-- Units: price in micro-dollars per contract; cost and fee in micro-dollars; quantity in hundredths of a
--   contract; all_in_usd in dollars per contract, fee included.
SELECT
  fill_id,
  order_id,
  signal_id,
  ticker,
  event_ticker,
  league,
  mode,
  profile,
  side,
  price,
  quantity,
  DIV(price * quantity, 100) AS cost,
  fee,
  SAFE_DIVIDE(DIV(price * quantity, 100) + fee, quantity * 10000) AS all_in_usd,
  is_taker,
  observed_at AS filled_at
FROM `${dataset}.stg_fills`
WHERE quantity > 0
QUALIFY ROW_NUMBER() OVER (PARTITION BY fill_id ORDER BY observed_at, event_id) = 1
