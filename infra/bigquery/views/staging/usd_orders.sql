-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in orders, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `order_id`,
  `venue_order_id`,
  `signal_id`,
  `ticker`,
  `event_ticker`,
  `side`,
  `status`,
  `limit` / 1000000 AS `limit_usd`,
  `quantity` / 100 AS `quantity_contracts`,
  `filled` / 100 AS `filled_contracts`,
  `mode`,
  `profile`,
  `league`,
  `kind`,
  `controls`,
  `reasons`,
  `fair_probability`,
  `expected_edge`,
  `latency_ns`
FROM `${dataset}.stg_orders`
