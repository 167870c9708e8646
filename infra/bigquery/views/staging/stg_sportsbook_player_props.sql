-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in sportsbook_player_props, each event once? One bookmaker's line on one player as it stood after a change. Prices are decimal odds.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `game_date`,
  `odds_event_id`,
  `sport_key`,
  `league`,
  `home`,
  `away`,
  `starts_at`,
  `bookmaker`,
  `market`,
  `is_alternate`,
  `prop_type`,
  `player_name`,
  `player_lookup`,
  `line`,
  `over_price`,
  `under_price`,
  `over_fair`,
  `last_update`,
  `content_hash`,
  `run_id`,
  `processed_at`
FROM `${dataset}.sportsbook_player_props`
WHERE `game_date` >= DATE '2025-01-01'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at`, `game_date` ORDER BY `trace_id`) = 1
