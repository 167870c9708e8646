-- Question: Whose forecasts were better: the bookmakers', the exchange's, or those we traded on?
-- Grain: one row per source and mode.
-- Units: brier 0 (perfect) to 1; log_loss in nats, probabilities clipped at 0.000001; bias is the mean forecast less
--   the hit rate; z is Spiegelhalter's test of calibration. Sources are scored on the markets each of them has.
WITH clipped AS (
  SELECT *, LEAST(GREATEST(probability, 0.000001), 0.999999) AS p
  FROM `${dataset}.forecasts`
)
SELECT
  source,
  mode,
  COUNT(*) AS n,
  COUNT(DISTINCT event_ticker) AS events,
  AVG(won) AS hit_rate,
  AVG(probability) - AVG(won) AS bias,
  AVG((probability - won) * (probability - won)) AS brier,
  AVG(-(won * LN(p) + (1 - won) * LN(1 - p))) AS log_loss,
  COUNTIF(p <> probability) AS clipped,
  SAFE_DIVIDE(
    SUM((won - p) * (1 - 2 * p)), SQRT(SUM((1 - 2 * p) * (1 - 2 * p) * p * (1 - p)))
  ) AS z
FROM clipped
GROUP BY source, mode
