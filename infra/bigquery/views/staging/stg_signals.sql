-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in signals, each event once? An accepted opportunity: permission to look at the live book, not yet to trade.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `signal_id`,
  `opportunity_id`,
  `ticker`,
  `event_ticker`,
  `side`,
  `profile`,
  `limit`,
  `quantity`,
  `fair_probability`,
  `required_edge`,
  `net_edge`,
  `confidence`,
  `league`,
  `kind`,
  `odds_event_id`,
  `certificate`,
  `exchange_index`,
  `price_ranges`,
  `fee_type`,
  `fee_multiplier_micro`,
  `starts_at`,
  `expires_at`
FROM `${dataset}.signals`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
