-- Question: How does each rung of a player's ladder stand now, and with which findings?
-- Grain: one row per player-prop market of the exchange, its newest state.
-- Units: prices in micro-dollars, sizes and depth in hundredths of a contract; middle and spread of the bracket of
--   bid and ask as probabilities, NULL unless both sides are quoted; round_trip_cost in dollars per contract.
SELECT
  game_date,
  ticker,
  event_ticker,
  series_ticker,
  league,
  player_name,
  player_lookup,
  player_team,
  prop_type,
  threshold,
  line,
  yes_bid,
  yes_bid_size,
  yes_ask,
  yes_ask_size,
  (yes_bid + yes_ask) / 2000000 AS middle,
  (yes_ask - yes_bid) / 1000000 AS spread,
  depth,
  liquidity,
  yes_executable,
  no_executable,
  round_trip_cost,
  volume,
  open_interest,
  status,
  result,
  odds_event_id,
  starts_at,
  has_team_issues,
  ARRAY_TO_STRING(findings, '; ') AS findings,
  observed_at
FROM `${dataset}.stg_kalshi_player_props`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
