-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in reconciliation, each event once? Something the venue says otherwise than we do; told again, with the same id, once it is resolved.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `difference_id`,
  `what`,
  `subject`,
  `ticker`,
  `ours`,
  `theirs`,
  `gap`,
  `resolved`,
  `resolution`,
  `mode`,
  `actor`
FROM `${dataset}.reconciliation`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
