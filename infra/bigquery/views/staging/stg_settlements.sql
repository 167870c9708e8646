-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in settlements, each event once? A market's result and what it paid on what we held.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `ticker`,
  `event_ticker`,
  `result`,
  `payout_yes`,
  `yes_quantity`,
  `no_quantity`,
  `revenue`,
  `cost`,
  `fees`,
  `pnl`
FROM `${dataset}.settlements`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
