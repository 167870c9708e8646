-- Question: Do things forecast at 60 % happen 60 times in 100?
-- Grain: one row per source, mode and tenth of probability with a forecast in it.
-- Units: probabilities 0 to 1; low and high are the Wilson 95 % interval of the hit rate.
WITH bins AS (
  SELECT
    source,
    mode,
    LEAST(CAST(FLOOR(probability * 10) AS INT64), 9) AS tenth,
    COUNT(*) AS n,
    SAFE_DIVIDE(1, COUNT(*)) AS share,
    AVG(probability) AS forecast,
    AVG(won) AS hit_rate
  FROM `${dataset}.forecasts`
  GROUP BY source, mode, tenth
)
SELECT
  source,
  mode,
  tenth,
  n,
  forecast,
  hit_rate,
  SAFE_DIVIDE(
    hit_rate + 1.920729410 * share
    - 1.959963985 * SQRT(hit_rate * (1 - hit_rate) * share + 0.960364705 * share * share),
    1 + 3.841458821 * share
  ) AS low,
  SAFE_DIVIDE(
    hit_rate + 1.920729410 * share
    + 1.959963985 * SQRT(hit_rate * (1 - hit_rate) * share + 0.960364705 * share * share),
    1 + 3.841458821 * share
  ) AS high
FROM bins
