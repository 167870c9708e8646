-- Question: How did the exchange's price of each rung move, change by change?
-- Grain: one row per change of a player-prop market.
-- Units: prices in micro-dollars; middle as a probability, moved by how much it differs from the change before;
--   hours_to_start until the game begins, negative once it has; since_opening against the first two-sided state.
WITH states AS (
  SELECT
    game_date,
    ticker,
    league,
    player_name,
    player_lookup,
    prop_type,
    threshold,
    line,
    yes_bid,
    yes_ask,
    (yes_bid + yes_ask) / 2000000 AS middle,
    status,
    starts_at,
    observed_at,
    event_id
  FROM `${dataset}.stg_kalshi_player_props`
)
SELECT
  game_date,
  ticker,
  league,
  player_name,
  player_lookup,
  prop_type,
  threshold,
  line,
  yes_bid,
  yes_ask,
  middle,
  middle - LAG(middle) OVER (PARTITION BY ticker ORDER BY observed_at, event_id) AS moved,
  middle - FIRST_VALUE(middle) OVER (
    PARTITION BY ticker, middle IS NULL ORDER BY observed_at, event_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ) AS since_opening,
  ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at, event_id) AS nth_change,
  TIMESTAMP_DIFF(starts_at, observed_at, MICROSECOND) / 3600000000 AS hours_to_start,
  status,
  observed_at
FROM states
