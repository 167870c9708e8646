-- Question: At which hours can a series of player props be traded, and at what cost?
-- Grain: one row per series and hour of the day, Eastern.
-- Units: depth and resting sizes in hundredths of a contract, averaged over the states seen; spread as a probability;
--   round_trip_cost in dollars per contract, averaged where the book held an order of 100; shares of 1.
SELECT
  series_ticker,
  league,
  EXTRACT(HOUR FROM observed_at AT TIME ZONE 'America/New_York') AS eastern_hour,
  COUNT(*) AS states,
  COUNT(DISTINCT ticker) AS markets,
  AVG(IF(yes_bid IS NOT NULL AND yes_ask IS NOT NULL, 1, 0)) AS share_two_sided,
  AVG((yes_ask - yes_bid) / 1000000) AS spread,
  AVG(depth) AS mean_depth,
  AVG(IF(liquidity = 'HIGH', 1, 0)) AS share_high,
  AVG(IF(round_trip_cost IS NULL, 0, 1)) AS share_round_trip,
  AVG(round_trip_cost) AS round_trip_cost
FROM `${dataset}.stg_kalshi_player_props`
WHERE status = 'active'
GROUP BY series_ticker, league, eastern_hour
