-- Question: When was a higher threshold bid for above the price at which a lower one was offered?
-- Grain: one row per pair of rungs of one ladder and stretch of time in which their states held together.
-- Units: prices and gap in micro-dollars per pair of contracts, which pays a dollar at least; size in hundredths of a
--   contract; pair_charge is both taker fees in dollars at the full rate, net_gap what is left; seconds it lasted as far
--   as the states we saw tell, NULL while it does.
-- Bought: YES of the lower rung at its ask and NO of the higher one at a dollar less its bid.
WITH states AS (
  SELECT
    game_date,
    event_ticker,
    player_lookup,
    player_team,
    player_name,
    prop_type,
    ticker,
    threshold,
    yes_bid,
    yes_bid_size,
    yes_ask,
    yes_ask_size,
    status,
    observed_at AS holds_from,
    LEAD(observed_at) OVER (PARTITION BY ticker ORDER BY observed_at, event_id) AS holds_to
  FROM `${dataset}.stg_kalshi_player_props`
),
pairs AS (
  SELECT
    low.game_date,
    low.event_ticker,
    low.player_name,
    low.player_lookup,
    low.prop_type,
    low.ticker AS low_ticker,
    high.ticker AS high_ticker,
    low.threshold AS low_threshold,
    high.threshold AS high_threshold,
    low.yes_ask AS low_ask,
    high.yes_bid AS high_bid,
    high.yes_bid - low.yes_ask AS gap,
    LEAST(low.yes_ask_size, high.yes_bid_size) AS size,
    GREATEST(low.holds_from, high.holds_from) AS began_at,
    CASE
      WHEN low.holds_to IS NULL THEN high.holds_to
      WHEN high.holds_to IS NULL THEN low.holds_to
      ELSE LEAST(low.holds_to, high.holds_to)
    END AS ended_at
  FROM states AS low
  INNER JOIN states AS high
    ON
      high.event_ticker = low.event_ticker
      AND high.player_lookup = low.player_lookup
      AND high.player_team = low.player_team
      AND high.threshold > low.threshold
      AND high.yes_bid > low.yes_ask
      AND (low.holds_to IS NULL OR high.holds_from < low.holds_to)
      AND (high.holds_to IS NULL OR low.holds_from < high.holds_to)
  WHERE low.status = 'active' AND high.status = 'active'
),
charged AS (
  SELECT
    *,
    0.07 * (
      low_ask / 1000000 * (1 - low_ask / 1000000) + high_bid / 1000000 * (1 - high_bid / 1000000)
    ) AS pair_charge
  FROM pairs
)
SELECT
  game_date,
  event_ticker,
  player_name,
  player_lookup,
  prop_type,
  low_ticker,
  high_ticker,
  low_threshold,
  high_threshold,
  low_ask,
  high_bid,
  gap,
  size,
  pair_charge,
  gap / 1000000 - pair_charge AS net_gap,
  began_at,
  ended_at,
  TIMESTAMP_DIFF(ended_at, began_at, MICROSECOND) / 1000000 AS seconds
FROM charged
