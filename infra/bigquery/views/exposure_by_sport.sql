-- Question: How is the open risk spread over sports?
-- Grain: one row per mode and league with something open.
-- Units: cost and at_risk in micro-dollars, fees included; share_of_risk 0 to 1 of the mode's.
SELECT
  mode,
  league,
  COUNT(*) AS events,
  SUM(markets) AS markets,
  SUM(cost) AS cost,
  SUM(at_risk) AS at_risk,
  MAX(at_risk) AS largest_event,
  SAFE_DIVIDE(SUM(at_risk), SUM(SUM(at_risk)) OVER (PARTITION BY mode)) AS share_of_risk
FROM `${dataset}.exposure_by_event`
GROUP BY mode, league
