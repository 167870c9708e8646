-- Question: Whose lines does the exchange see differently from the bookmakers, and by how much?
-- Grain: one row per league, player and prop with a line beside a ladder.
-- Units: discrepancies in the statistic's own unit, the exchange's line less the line used; share_apart of 1.
WITH beside AS (
  SELECT *
  FROM `${dataset}.stg_player_prop_predictions`
  WHERE line_discrepancy IS NOT NULL AND line_source <> 'kalshi'
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, player_lookup, prop_type ORDER BY observed_at DESC, event_id
  ) = 1
)
SELECT
  league,
  player_lookup,
  MAX(player_name) AS player_name,
  prop_type,
  COUNT(*) AS days,
  AVG(line_discrepancy) AS mean_discrepancy,
  AVG(ABS(line_discrepancy)) AS mean_distance,
  MAX(ABS(line_discrepancy)) AS widest,
  AVG(IF(line_discrepancy = 0, 0, 1)) AS share_apart,
  MAX(game_date) AS last_day
FROM beside
GROUP BY league, player_lookup, prop_type
