-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in settlements, in dollars and contracts, for people to read?
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
  `result`,
  `payout_yes` / 1000000 AS `payout_yes_usd`,
  `yes_quantity` / 100 AS `yes_quantity_contracts`,
  `no_quantity` / 100 AS `no_quantity_contracts`,
  `revenue` / 1000000 AS `revenue_usd`,
  `cost` / 1000000 AS `cost_usd`,
  `fees` / 1000000 AS `fees_usd`,
  `pnl` / 1000000 AS `pnl_usd`
FROM `${dataset}.stg_settlements`
