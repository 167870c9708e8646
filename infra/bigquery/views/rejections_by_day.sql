-- Question: How often did each reason refuse a price, day by day?
-- Grain: one row per UTC day, profile and reason code, over every assessment.
-- Units: assessments are counted, however often the same market was weighed; market_sides counts each side once.
SELECT
  DATE(o.observed_at) AS day,
  o.profile,
  SPLIT(reason, ':')[SAFE_OFFSET(0)] AS reason_code,
  COUNT(*) AS assessments,
  COUNT(DISTINCT CONCAT(o.ticker, '/', o.side)) AS market_sides
FROM `${dataset}.stg_opportunities` AS o
CROSS JOIN UNNEST(o.reasons) AS reason
WHERE NOT o.accepted
GROUP BY day, profile, reason_code
