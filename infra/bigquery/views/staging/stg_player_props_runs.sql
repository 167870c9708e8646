-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in player_props_runs, each event once? One scrape of one day's player props: where its raw pages are, and what could not be read.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `run_id`,
  `game_date`,
  `prefix`,
  `series`,
  `markets`,
  `books`,
  `games`,
  `calls`,
  `credits_used`,
  `kalshi_available`,
  `failed`
FROM `${dataset}.player_props_runs`
WHERE `game_date` >= DATE '2025-01-01'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at`, `game_date` ORDER BY `trace_id`) = 1
