-- Question: How did each bookmaker's main line on a player move, change by change?
-- Grain: one row per change of a bookmaker's main line: odds event, bookmaker, prop, player.
-- Units: line in the statistic's own unit, line_moved against the change before; over_fair as a probability with the
--   margin removed, NULL where one side is quoted alone; prices in decimal odds.
SELECT
  game_date,
  odds_event_id,
  league,
  bookmaker,
  prop_type,
  player_name,
  player_lookup,
  line,
  line - LAG(line) OVER changes AS line_moved,
  over_price,
  under_price,
  over_fair,
  over_fair - LAG(over_fair) OVER changes AS fair_moved,
  TIMESTAMP_DIFF(starts_at, observed_at, MICROSECOND) / 3600000000 AS hours_to_start,
  last_update,
  observed_at
FROM `${dataset}.stg_sportsbook_player_props`
WHERE NOT is_alternate
WINDOW changes AS (
  PARTITION BY odds_event_id, bookmaker, prop_type, player_lookup ORDER BY observed_at, event_id
)
