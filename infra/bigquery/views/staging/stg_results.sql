-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in results, each event once? How a market ended, whether or not we held it: what every refused price would have been worth.
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
  `series_ticker`,
  `result`,
  `payout_yes`,
  `settled_at`
FROM `${dataset}.results`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
