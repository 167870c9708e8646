-- Question: What is open, what is it worth now, and what does each result do to it?
-- Grain: one row per mode and market that is held and not settled.
-- Units: cost, fees, value_at_bid, unrealized and pnl_if_* in micro-dollars, all fees included; quantity in
--   hundredths of a contract, YES positive; prices in micro-dollars per contract. value_at_bid is NULL when nobody
--   bids or no quote was seen within 7 days.
WITH quotes AS (
  SELECT ticker, yes_bid, yes_ask, observed_at
  FROM `${dataset}.stg_kalshi_ticks`
  WHERE observed_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 7 DAY)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
),
held AS (
  SELECT
    m.*,
    m.yes_quantity - m.no_quantity AS quantity,
    m.netted_quantity * 10000 AS netted,
    q.yes_bid,
    q.yes_ask,
    q.observed_at AS quoted_at
  FROM `${dataset}.pnl_by_market` AS m
  LEFT JOIN quotes AS q ON q.ticker = m.ticker
  WHERE m.settled_at IS NULL AND m.yes_quantity <> m.no_quantity
),
valued AS (
  SELECT
    *,
    IF(quantity > 0, DIV(yes_bid * quantity, 100), DIV((1000000 - yes_ask) * -quantity, 100)) AS value_at_bid
  FROM held
)
SELECT
  mode,
  ticker,
  event_ticker,
  league,
  IF(quantity > 0, 'yes', 'no') AS side,
  quantity,
  cost,
  fees,
  yes_bid,
  yes_ask,
  quoted_at,
  value_at_bid,
  value_at_bid + netted - cost - fees AS unrealized,
  netted + GREATEST(quantity, 0) * 10000 - cost - fees AS pnl_if_yes,
  netted + GREATEST(-quantity, 0) * 10000 - cost - fees AS pnl_if_no,
  first_fill_at
FROM valued
