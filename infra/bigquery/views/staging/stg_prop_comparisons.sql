-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in prop_comparisons, each event once? One rung beside the bookmakers' opinion of the same count, and how that opinion was reached.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `game_date`,
  `ticker`,
  `event_ticker`,
  `league`,
  `prop_type`,
  `player_name`,
  `player_lookup`,
  `odds_event_id`,
  `starts_at`,
  `line`,
  `method`,
  `model`,
  `tradable`,
  `reasons`,
  `fair`,
  `yes_fair`,
  `no_fair`,
  `model_error`,
  `standard_error`,
  `books`,
  `quote_age_s`,
  `book_lines`,
  `yes_ask`,
  `no_ask`,
  `yes_net_edge`,
  `no_net_edge`,
  `yes_quantity`,
  `no_quantity`,
  `differences`,
  `evidence`,
  `run_id`
FROM `${dataset}.prop_comparisons`
WHERE `game_date` >= DATE '2025-01-01'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at`, `game_date` ORDER BY `trace_id`) = 1
