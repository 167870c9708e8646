-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in kalshi_orderbook, each event once? Full depth of one market: bids for YES and bids for NO, best first.
-- Grain: one row per event_id; copies delivered more than once are dropped.
-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `ticker`,
  `seq`,
  `yes_bids`,
  `no_bids`
FROM `${dataset}.kalshi_orderbook`
WHERE `observed_at` >= TIMESTAMP '2025-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (PARTITION BY `event_id`, `observed_at` ORDER BY `trace_id`) = 1
