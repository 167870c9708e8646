-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in opportunities, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `opportunity_id`,
  `ticker`,
  `event_ticker`,
  `side`,
  `profile`,
  `accepted`,
  `reasons`,
  `league`,
  `kind`,
  `odds_event_id`,
  `starts_at`,
  `ask` / 1000000 AS `ask_usd`,
  `fee` / 1000000 AS `fee_usd`,
  `all_in`,
  `quantity` / 100 AS `quantity_contracts`,
  `fair`,
  `gross_edge`,
  `net_edge`,
  `expected_value` / 1000000 AS `expected_value_usd`,
  `confidence`,
  `quote_age_s`
FROM `${dataset}.stg_opportunities`
