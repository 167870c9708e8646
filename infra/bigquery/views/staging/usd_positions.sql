-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in positions, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `ticker`,
  `event_ticker`,
  `quantity` / 100 AS `quantity_contracts`,
  `cost` / 1000000 AS `cost_usd`,
  `fees` / 1000000 AS `fees_usd`,
  `realized` / 1000000 AS `realized_usd`
FROM `${dataset}.stg_positions`
