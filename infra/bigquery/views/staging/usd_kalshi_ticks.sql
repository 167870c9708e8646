-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in kalshi_ticks, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `ticker`,
  `yes_bid` / 1000000 AS `yes_bid_usd`,
  `yes_bid_size` / 100 AS `yes_bid_size_contracts`,
  `yes_ask` / 1000000 AS `yes_ask_usd`,
  `yes_ask_size` / 100 AS `yes_ask_size_contracts`,
  `last_price` / 1000000 AS `last_price_usd`,
  `volume` / 100 AS `volume_contracts`,
  `open_interest` / 100 AS `open_interest_contracts`
FROM `${dataset}.stg_kalshi_ticks`
