-- Question: How does the exchange list each market now?
-- Grain: one row per market listed within the last 7 days: its newest listing.
-- Units: prices in micro-dollars per contract; sizes, volume and open_interest in hundredths of a contract.
SELECT
  ticker,
  event_ticker,
  series_ticker,
  status,
  shape,
  title,
  yes_sub_title,
  floor_strike,
  cap_strike,
  starts_at,
  closes_at,
  yes_bid,
  yes_bid_size,
  yes_ask,
  yes_ask_size,
  last_price,
  volume,
  open_interest,
  result,
  observed_at
FROM `${dataset}.stg_kalshi_markets`
WHERE observed_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 7 DAY)
QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
