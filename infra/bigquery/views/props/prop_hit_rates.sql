-- Question: How often is each line reached, and was it priced so?
-- Grain: one row per league, prop and threshold with a decided rung.
-- Units: hit_rate and priced (mean of the last bracket before the start, where there was one) as probabilities; fair
--   prices are counted apart and are no hits.
SELECT
  league,
  prop_type,
  threshold,
  MAX(line) AS line,
  COUNT(hit) AS decided,
  COUNT(*) - COUNT(hit) AS fair_prices,
  SUM(hit) AS hits,
  AVG(hit) AS hit_rate,
  AVG(IF(hit IS NULL, NULL, before_start)) AS priced,
  COUNT(DISTINCT player_lookup) AS players
FROM `${dataset}.prop_results`
GROUP BY league, prop_type, threshold
