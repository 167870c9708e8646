-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in kalshi_trades, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `ticker`,
  `trade_id`,
  `yes_price` / 1000000 AS `yes_price_usd`,
  `size` / 100 AS `size_contracts`,
  `taker_side`,
  `is_block`
FROM `${dataset}.stg_kalshi_trades`
