-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in player_prop_predictions, each event once? A model's probability that one player goes over one line, and the lines it was made beside.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `game_date`,
  `league`,
  `player_name`,
  `player_lookup`,
  `prop_type`,
  `line`,
  `line_source`,
  `line_age_s`,
  `is_stale`,
  `over_probability`,
  `model`,
  `model_version`,
  `kalshi_available`,
  `kalshi_line`,
  `kalshi_yes_price`,
  `kalshi_no_price`,
  `kalshi_liquidity`,
  `kalshi_market_ticker`,
  `line_discrepancy`,
  `run_id`
FROM `${dataset}.player_prop_predictions`
WHERE `game_date` >= DATE '2025-01-01'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at`, `game_date` ORDER BY `trace_id`) = 1
