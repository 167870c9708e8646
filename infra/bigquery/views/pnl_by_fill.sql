-- Question: What did each fill earn, after fees, and what was expected of it?
-- Grain: one row per fill_id; revenue and pnl are NULL until the market is settled.
-- Units: cost, fee, revenue and pnl in micro-dollars; quantity in hundredths of a contract; expected_edge in
--   dollars per contract when the order was sent; edge_bucket is its range.
-- The fills of a market add up to pnl_by_market exactly: what rounding leaves over is on the first of them.
WITH shares AS (
  SELECT
    f.fill_id,
    f.order_id,
    f.signal_id,
    f.ticker,
    f.event_ticker,
    f.league,
    f.mode,
    f.profile,
    f.side,
    f.price,
    f.quantity,
    f.cost,
    f.fee,
    f.all_in_usd,
    f.filled_at,
    m.settled_at,
    m.result,
    m.revenue AS market_revenue,
    DIV(IF(f.side = 'yes', m.payout_yes, 1000000 - m.payout_yes) * f.quantity, 100) AS share,
    ROW_NUMBER() OVER (PARTITION BY f.mode, f.ticker ORDER BY f.filled_at, f.fill_id) AS nth
  FROM `${dataset}.fills_once` AS f
  JOIN `${dataset}.pnl_by_market` AS m ON m.mode = f.mode AND m.ticker = f.ticker
),
paid AS (
  SELECT
    *,
    share + IF(nth = 1, market_revenue - SUM(share) OVER (PARTITION BY mode, ticker), 0) AS revenue
  FROM shares
)
SELECT
  paid.fill_id,
  paid.order_id,
  paid.signal_id,
  paid.ticker,
  paid.event_ticker,
  paid.league,
  o.kind,
  paid.mode,
  paid.profile,
  paid.side,
  paid.price,
  paid.quantity,
  paid.cost,
  paid.fee,
  paid.all_in_usd,
  o.fair_probability,
  o.expected_edge,
  CASE
    WHEN o.expected_edge IS NULL THEN 'unknown'
    WHEN o.expected_edge < 0.01 THEN '0c-1c'
    WHEN o.expected_edge < 0.02 THEN '1c-2c'
    WHEN o.expected_edge < 0.03 THEN '2c-3c'
    WHEN o.expected_edge < 0.05 THEN '3c-5c'
    WHEN o.expected_edge < 0.08 THEN '5c-8c'
    ELSE '8c+'
  END AS edge_bucket,
  paid.filled_at,
  paid.settled_at,
  paid.result,
  paid.revenue,
  paid.revenue - paid.cost - paid.fee AS pnl
FROM paid
LEFT JOIN `${dataset}.orders_current` AS o ON o.order_id = paid.order_id
