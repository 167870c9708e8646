-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in fills, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `fill_id`,
  `order_id`,
  `signal_id`,
  `ticker`,
  `event_ticker`,
  `side`,
  `price` / 1000000 AS `price_usd`,
  `quantity` / 100 AS `quantity_contracts`,
  `fee` / 1000000 AS `fee_usd`,
  `is_taker`,
  `mode`,
  `profile`,
  `league`
FROM `${dataset}.stg_fills`
