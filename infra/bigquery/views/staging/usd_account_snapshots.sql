-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in account_snapshots, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `mode`,
  `cash` / 1000000 AS `cash_usd`,
  `reserved` / 1000000 AS `reserved_usd`,
  `portfolio_value` / 1000000 AS `portfolio_value_usd`,
  `realized` / 1000000 AS `realized_usd`,
  `fees` / 1000000 AS `fees_usd`,
  `shard_cash`
FROM `${dataset}.stg_account_snapshots`
