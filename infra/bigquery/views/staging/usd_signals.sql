-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in signals, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `signal_id`,
  `opportunity_id`,
  `ticker`,
  `event_ticker`,
  `side`,
  `profile`,
  `limit` / 1000000 AS `limit_usd`,
  `quantity` / 100 AS `quantity_contracts`,
  `fair_probability`,
  `required_edge`,
  `net_edge`,
  `confidence`,
  `league`,
  `kind`,
  `odds_event_id`,
  `certificate`,
  `exchange_index`,
  `price_ranges`,
  `fee_type`,
  `fee_multiplier_micro`,
  `starts_at`,
  `expires_at`
FROM `${dataset}.stg_signals`
