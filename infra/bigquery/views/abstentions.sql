-- Question: Which markets are not mapped, and why not?
-- Grain: one row per league, kind and reason code, over the newest decision of each market that was refused.
-- Units: counts of markets; share_of_kind 0 to 1 of all markets of the league and kind.
WITH decided AS (
  SELECT
    league,
    kind,
    ticker,
    reason,
    reason_code,
    decided_at,
    is_certified,
    COUNT(*) OVER (PARTITION BY league, kind) AS of_kind
  FROM `${dataset}.mappings_current`
)
SELECT
  league,
  kind,
  reason_code,
  COUNT(*) AS markets,
  SAFE_DIVIDE(COUNT(*), MAX(of_kind)) AS share_of_kind,
  MIN(ticker) AS example_ticker,
  MIN(reason) AS example_reason,
  MIN(decided_at) AS first_decided_at,
  MAX(decided_at) AS last_decided_at
FROM decided
WHERE NOT is_certified
GROUP BY league, kind, reason_code
