-- Question: How do orders end, and what stopped those that did not fill?
-- Grain: one row per UTC day, mode, status and reason code; an order with several reasons is in each of them.
-- Units: orders are counted; quantity in hundredths of a contract.
-- The reason code is the part before the colon: a control's name, or the venue's word; empty without a reason.
WITH ended AS (
  SELECT
    DATE(created_at) AS day, mode, status, was_sent, order_id, quantity,
    IF(ARRAY_LENGTH(reasons) = 0 OR reasons IS NULL, [''], reasons) AS reasons
  FROM `${dataset}.orders_current`
)
SELECT
  day,
  mode,
  status,
  was_sent,
  SPLIT(reason, ':')[SAFE_OFFSET(0)] AS reason_code,
  COUNT(DISTINCT order_id) AS orders,
  SUM(quantity) AS quantity
FROM ended
CROSS JOIN UNNEST(ended.reasons) AS reason
GROUP BY day, mode, status, was_sent, reason_code
