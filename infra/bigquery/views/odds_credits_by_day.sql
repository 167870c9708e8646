-- Question: What are the odds feed's credits spent on, and what do they bring?
-- Grain: one row per UTC day, sport and kind of call.
-- Units: credits; per_event is credits per event that was wanted; remaining is the least the feed said that day.
SELECT
  DATE(observed_at) AS day,
  sport_key,
  call,
  COUNT(*) AS calls,
  COUNTIF(failure <> '') AS failed_calls,
  SUM(planned) AS planned,
  SUM(COALESCE(used, planned)) AS spent,
  COUNTIF(used IS NULL) AS calls_without_word,
  SUM(events) AS events,
  SUM(published) AS published,
  SAFE_DIVIDE(SUM(COALESCE(used, planned)), SUM(published)) AS per_event,
  MIN(remaining) AS remaining
FROM `${dataset}.stg_odds_credits`
GROUP BY day, sport_key, call
