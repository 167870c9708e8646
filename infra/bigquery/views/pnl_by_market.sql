-- Question: What did each market we traded earn, after fees?
-- Grain: one row per mode and market with a fill; pnl is NULL until the market is settled.
-- Units: cost, fees, revenue and pnl in micro-dollars; quantities in hundredths of a contract.
-- As the ledger books it: a YES and a NO of one market net to $1, the rest is paid at the result, rounded
-- down to the micro-dollar. No order of the fills and no late message changes the sum.
WITH held AS (
  SELECT
    mode,
    ticker,
    MIN(event_ticker) AS event_ticker,
    MIN(league) AS league,
    COUNT(*) AS fills,
    COUNT(DISTINCT order_id) AS orders,
    SUM(IF(side = 'yes', quantity, 0)) AS yes_quantity,
    SUM(IF(side = 'no', quantity, 0)) AS no_quantity,
    SUM(cost) AS cost,
    SUM(fee) AS fees,
    MIN(filled_at) AS first_fill_at,
    MAX(filled_at) AS last_fill_at
  FROM `${dataset}.fills_once`
  GROUP BY mode, ticker
),
paid AS (
  SELECT ticker, result, payout_yes, observed_at AS settled_at
  FROM `${dataset}.stg_settlements`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
),
revenues AS (
  SELECT
    held.*,
    paid.result,
    paid.payout_yes,
    paid.settled_at,
    LEAST(held.yes_quantity, held.no_quantity) AS netted_quantity,
    LEAST(held.yes_quantity, held.no_quantity) * 10000 + DIV(
      paid.payout_yes * GREATEST(held.yes_quantity - held.no_quantity, 0)
      + (1000000 - paid.payout_yes) * GREATEST(held.no_quantity - held.yes_quantity, 0),
      100
    ) AS revenue
  FROM held
  LEFT JOIN paid ON paid.ticker = held.ticker
)
SELECT
  mode,
  ticker,
  event_ticker,
  league,
  fills,
  orders,
  yes_quantity,
  no_quantity,
  netted_quantity,
  cost,
  fees,
  result,
  payout_yes,
  revenue,
  revenue - cost - fees AS pnl,
  (revenue - cost - fees) / 1000000 AS pnl_usd,
  first_fill_at,
  last_fill_at,
  settled_at
FROM revenues
