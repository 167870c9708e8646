-- Question: How much of what the exchange lists is mapped to a sportsbook event, day by day?
-- Grain: one row per UTC day of observation, league, Eastern game day and kind: the day's last count.
-- Units: counts of markets; shares 0 to 1.
SELECT
  DATE(observed_at) AS day,
  league,
  game_day,
  kind,
  markets,
  mapped,
  certified,
  SAFE_DIVIDE(mapped, markets) AS mapped_share,
  SAFE_DIVIDE(certified, markets) AS certified_share,
  abstention,
  hit_rate,
  observed_at
FROM `${dataset}.stg_mapping_coverage`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY DATE(observed_at), league, game_day, kind ORDER BY observed_at DESC, event_id
) = 1
