-- Question: Where do we beat the close: by sport and price?
-- Grain: one row per mode, league and ten-cent band of the all-in price.
-- Units: clv_* in dollars per contract, mean over fills, weighted where it says so; shares 0 to 1; error is the
--   standard error of clv_independent with fills taken as independent.
SELECT
  mode,
  league,
  LEAST(DIV(CAST(FLOOR(all_in_usd * 100) AS INT64), 10), 9) * 10 AS price_band_cents,
  COUNT(*) AS fills,
  COUNT(DISTINCT event_ticker) AS events,
  COUNTIF(clv_all IS NOT NULL) AS closed_fills,
  AVG(clv_all) AS clv_all,
  COUNTIF(clv_independent IS NOT NULL) AS independent_fills,
  AVG(clv_independent) AS clv_independent,
  SAFE_DIVIDE(
    SUM(clv_independent * quantity), SUM(IF(clv_independent IS NULL, 0, quantity))
  ) AS clv_independent_weighted,
  SAFE_DIVIDE(COUNTIF(clv_independent > 0), COUNTIF(clv_independent IS NOT NULL)) AS share_positive,
  SAFE_DIVIDE(STDDEV_SAMP(clv_independent), SQRT(COUNTIF(clv_independent IS NOT NULL))) AS error
FROM `${dataset}.closing_value`
GROUP BY mode, league, price_band_cents
