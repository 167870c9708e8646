-- Question: Do refusals to map grow or shrink, reason by reason?
-- Grain: one row per UTC day, league, kind and reason: the day's last counts, summed over game days.
-- Units: counts of markets.
WITH last_counts AS (
  SELECT DATE(observed_at) AS day, league, game_day, kind, refused
  FROM `${dataset}.stg_mapping_coverage`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY DATE(observed_at), league, game_day, kind ORDER BY observed_at DESC, event_id
  ) = 1
)
SELECT c.day, c.league, c.kind, reason.key AS reason, SUM(reason.value) AS markets
FROM last_counts AS c
CROSS JOIN UNNEST(c.refused) AS reason
GROUP BY day, league, kind, reason
