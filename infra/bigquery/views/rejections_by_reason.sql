-- Question: What does each check cost or save: what would that which it refused have made?
-- Grain: one row per profile and reason code; an opportunity refused for several reasons is in each of them.
-- Units: counts; per-contract figures in dollars per contract; would_have in micro-dollars. alone counts those that
--   nothing else refused: only they would have traded without the check.
WITH reasons AS (
  SELECT
    r.*,
    SPLIT(reason, ':')[SAFE_OFFSET(0)] AS reason_code
  FROM `${dataset}.rejected_opportunities` AS r
  CROSS JOIN UNNEST(r.reasons) AS reason
)
SELECT
  profile,
  reason_code,
  COUNT(*) AS refused,
  COUNTIF(reason_count = 1) AS alone,
  COUNTIF(settled_at IS NOT NULL) AS ended,
  AVG(net_edge) AS net_edge,
  AVG(would_have_per_contract) AS would_have_per_contract,
  AVG(IF(reason_count = 1, would_have_per_contract, NULL)) AS would_have_per_contract_alone,
  SAFE_DIVIDE(COUNTIF(would_have_per_contract > 0), COUNTIF(settled_at IS NOT NULL)) AS won_share,
  SUM(would_have) AS would_have,
  SUM(IF(reason_count = 1, would_have, NULL)) AS would_have_alone,
  COUNTIF(signalled_later) AS signalled_later
FROM reasons
GROUP BY profile, reason_code
