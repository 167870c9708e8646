-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in results, in dollars and contracts, for people to read?
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
  `series_ticker`,
  `result`,
  `payout_yes` / 1000000 AS `payout_yes_usd`,
  `settled_at`
FROM `${dataset}.stg_results`
