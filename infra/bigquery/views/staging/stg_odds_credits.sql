-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in odds_credits, each event once? One paid call to the odds feed: what it cost, what is left, and what it brought.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `sport_key`,
  `call`,
  `odds_event_id`,
  `markets`,
  `planned`,
  `used`,
  `remaining`,
  `events`,
  `published`,
  `failure`
FROM `${dataset}.odds_credits`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
