-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in mapping_coverage, each event once? What the exchange lists of one league, Eastern day and kind, and how much of it is mapped.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `league`,
  `game_day`,
  `kind`,
  `markets`,
  `mapped`,
  `certified`,
  `refused`,
  `abstention`,
  `hit_rate`
FROM `${dataset}.mapping_coverage`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
