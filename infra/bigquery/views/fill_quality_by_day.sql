-- Question: How well were orders filled, day by day and sport by sport?
-- Grain: one row per UTC day of sending, mode and league.
-- Units: improvement and slippage in micro-dollars per contract, weighted by contracts; saved and fees in
--   micro-dollars; quantities in hundredths of a contract; shares 0 to 1.
SELECT
  DATE(created_at) AS day,
  mode,
  league,
  COUNT(*) AS orders,
  COUNTIF(filled_quantity = quantity) AS filled_orders,
  COUNTIF(filled_quantity > 0 AND filled_quantity < quantity) AS partly_filled_orders,
  COUNTIF(filled_quantity = 0) AS unfilled_orders,
  SUM(quantity) AS quantity,
  SUM(filled_quantity) AS filled_quantity,
  SAFE_DIVIDE(SUM(filled_quantity), SUM(quantity)) AS fill_ratio,
  SAFE_DIVIDE(SUM(improvement * filled_quantity), SUM(IF(improvement IS NULL, 0, filled_quantity))) AS improvement,
  SAFE_DIVIDE(SUM(slippage * filled_quantity), SUM(IF(slippage IS NULL, 0, filled_quantity))) AS slippage,
  SUM(COALESCE(saved, 0)) AS saved,
  SUM(COALESCE(fees, 0)) AS fees
FROM `${dataset}.fill_quality`
GROUP BY day, mode, league
