-- Question: What would each refused opportunity have made?
-- Grain: one row per market side and profile that was ever refused at a positive net edge: the first time, because
--   that is when an order would have been sent.
-- Units: ask in micro-dollars per contract; all_in_usd, net_edge and would_have_per_contract in dollars per contract;
--   quantity in hundredths of a contract; would_have in micro-dollars on that quantity at the prices of the depth,
--   0 where nothing was executable at the required edge; NULL until the market has ended.
WITH refused AS (
  SELECT *
  FROM `${dataset}.stg_opportunities`
  WHERE NOT accepted AND net_edge > 0 AND all_in IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker, side, profile ORDER BY observed_at, event_id) = 1
),
signalled AS (
  SELECT ticker, side, profile, MIN(observed_at) AS first_signal_at
  FROM `${dataset}.stg_signals`
  GROUP BY ticker, side, profile
)
SELECT
  r.opportunity_id,
  r.ticker,
  r.event_ticker,
  r.league,
  r.kind,
  r.side,
  r.profile,
  r.reasons,
  ARRAY_LENGTH(r.reasons) AS reason_count,
  r.ask,
  r.all_in AS all_in_usd,
  r.net_edge,
  r.quantity,
  r.fair.probability AS fair_probability,
  m.result,
  IF(r.side = 'yes', m.payout_yes, 1000000 - m.payout_yes) / 1000000 - r.all_in AS would_have_per_contract,
  -- The whole depth cost (all_in + net_edge) * contracts - expected_value: the worth of it, less its net value.
  CAST(
    ROUND(
      (IF(r.side = 'yes', m.payout_yes, 1000000 - m.payout_yes) - (r.all_in + r.net_edge) * 1000000)
      * r.quantity / 100 + COALESCE(r.expected_value, 0)
    ) AS INT64
  ) AS would_have,
  s.first_signal_at > r.observed_at AS signalled_later,
  r.observed_at AS refused_at,
  m.settled_at
FROM refused AS r
LEFT JOIN `${dataset}.market_results` AS m ON m.ticker = r.ticker
LEFT JOIN signalled AS s ON s.ticker = r.ticker AND s.side = r.side AND s.profile = r.profile
