-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in sportsbook_odds, each event once? Every quote the feed returned for one event in one poll.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `odds_event_id`,
  `sport_key`,
  `home`,
  `away`,
  `starts_at`,
  `sport_title`,
  `quotes`,
  `credits_used`,
  `credits_remaining`
FROM `${dataset}.sportsbook_odds`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
