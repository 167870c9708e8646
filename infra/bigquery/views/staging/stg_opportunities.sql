-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in opportunities, each event once? One side of one market, weighed: accepted or rejected, always with every reason.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `opportunity_id`,
  `ticker`,
  `event_ticker`,
  `side`,
  `profile`,
  `accepted`,
  `reasons`,
  `league`,
  `kind`,
  `odds_event_id`,
  `starts_at`,
  `ask`,
  `fee`,
  `all_in`,
  `quantity`,
  `fair`,
  `gross_edge`,
  `net_edge`,
  `expected_value`,
  `confidence`,
  `quote_age_s`
FROM `${dataset}.opportunities`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
