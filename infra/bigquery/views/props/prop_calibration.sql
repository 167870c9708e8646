-- Question: Do rungs priced at 60 % before the start happen 60 times in 100?
-- Grain: one row per league, prop and tenth of probability with a decided rung in it.
-- Units: probabilities 0 to 1; low and high are the Wilson 95 % interval of the hit rate; brier the mean squared miss.
-- Rungs of one ladder share a count: the interval is narrower than the evidence.
WITH bins AS (
  SELECT
    league,
    prop_type,
    LEAST(CAST(FLOOR(before_start * 10) AS INT64), 9) AS tenth,
    COUNT(*) AS n,
    SAFE_DIVIDE(1, COUNT(*)) AS share,
    AVG(before_start) AS priced,
    AVG(hit) AS hit_rate,
    AVG((hit - before_start) * (hit - before_start)) AS brier
  FROM `${dataset}.prop_results`
  WHERE hit IS NOT NULL AND before_start IS NOT NULL
  GROUP BY league, prop_type, tenth
)
SELECT
  league,
  prop_type,
  tenth,
  n,
  priced,
  hit_rate,
  brier,
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
