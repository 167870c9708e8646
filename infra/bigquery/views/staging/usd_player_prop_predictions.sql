-- Generated from shared/messages.py by arb schema; do not edit.
-- Question: What is in player_prop_predictions, in dollars and contracts, for people to read?
-- Grain: one row per event_id.
-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.
SELECT
  `observed_at`,
  `source_at`,
  `schema_version`,
  `event_id`,
  `trace_id`,
  `game_date`,
  `league`,
  `player_name`,
  `player_lookup`,
  `prop_type`,
  `line`,
  `line_source`,
  `line_age_s`,
  `is_stale`,
  `over_probability`,
  `model`,
  `model_version`,
  `kalshi_available`,
  `kalshi_line`,
  `kalshi_yes_price` / 1000000 AS `kalshi_yes_price_usd`,
  `kalshi_no_price` / 1000000 AS `kalshi_no_price_usd`,
  `kalshi_liquidity`,
  `kalshi_market_ticker`,
  `line_discrepancy`,
  `run_id`
FROM `${dataset}.stg_player_prop_predictions`
