-- Question: What was last decided about each market, and why?
-- Grain: one row per market: its newest mapping decision; reason_code is the part of the reason before a colon.
-- Units: confidence 0 to 1.
SELECT
  ticker,
  event_ticker,
  league,
  kind,
  sport_key,
  odds_event_id,
  starts_at,
  confidence,
  selection,
  certificate,
  certificate.verdict AS verdict,
  odds_event_id <> '' AS is_mapped,
  odds_event_id <> '' AND certificate.verdict <> 'refused' AS is_certified,
  reason,
  SPLIT(reason, ':')[SAFE_OFFSET(0)] AS reason_code,
  observed_at AS decided_at
FROM `${dataset}.stg_mappings`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
