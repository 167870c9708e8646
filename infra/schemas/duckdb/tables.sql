-- Generated from shared/messages.py, schema version 1.

CREATE TABLE IF NOT EXISTS kalshi_markets (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "series_ticker" VARCHAR,
  "venue" VARCHAR,
  "exchange_index" BIGINT,
  "shape" VARCHAR,
  "status" VARCHAR,
  "is_combo" BOOLEAN,
  "title" VARCHAR,
  "event_title" VARCHAR,
  "event_sub_title" VARCHAR,
  "yes_sub_title" VARCHAR,
  "no_sub_title" VARCHAR,
  "rules_primary" VARCHAR,
  "rules_secondary" VARCHAR,
  "strike_type" VARCHAR,
  "floor_strike" DOUBLE,
  "cap_strike" DOUBLE,
  "custom_strike" STRUCT("key" VARCHAR, "value" VARCHAR)[],
  "mutually_exclusive" BOOLEAN,
  "opens_at" TIMESTAMP WITH TIME ZONE,
  "closes_at" TIMESTAMP WITH TIME ZONE,
  "expected_expiration_at" TIMESTAMP WITH TIME ZONE,
  "occurs_at" TIMESTAMP WITH TIME ZONE,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "yes_bid" BIGINT,
  "yes_bid_size" BIGINT,
  "yes_ask" BIGINT,
  "yes_ask_size" BIGINT,
  "last_price" BIGINT,
  "volume" BIGINT,
  "open_interest" BIGINT,
  "price_ranges" STRUCT("start" BIGINT, "end" BIGINT, "step" BIGINT)[],
  "fee_type" VARCHAR,
  "fee_multiplier_micro" BIGINT,
  "fee_waived_until" TIMESTAMP WITH TIME ZONE,
  "result" VARCHAR,
  "settlement_value" BIGINT,
  "settled_at" TIMESTAMP WITH TIME ZONE
);
CREATE OR REPLACE VIEW kalshi_markets_latest AS
  SELECT * FROM kalshi_markets
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS kalshi_ticks (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "yes_bid" BIGINT,
  "yes_bid_size" BIGINT,
  "yes_ask" BIGINT,
  "yes_ask_size" BIGINT,
  "last_price" BIGINT,
  "volume" BIGINT,
  "open_interest" BIGINT
);
CREATE OR REPLACE VIEW kalshi_ticks_latest AS
  SELECT * FROM kalshi_ticks
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS kalshi_orderbook (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "seq" BIGINT,
  "yes_bids" STRUCT("price" BIGINT, "size" BIGINT)[],
  "no_bids" STRUCT("price" BIGINT, "size" BIGINT)[]
);
CREATE OR REPLACE VIEW kalshi_orderbook_latest AS
  SELECT * FROM kalshi_orderbook
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS kalshi_trades (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "trade_id" VARCHAR,
  "yes_price" BIGINT,
  "size" BIGINT,
  "taker_side" VARCHAR,
  "is_block" BOOLEAN
);
CREATE OR REPLACE VIEW kalshi_trades_latest AS
  SELECT * FROM kalshi_trades
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS sportsbook_odds (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "odds_event_id" VARCHAR,
  "sport_key" VARCHAR,
  "home" VARCHAR,
  "away" VARCHAR,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "sport_title" VARCHAR,
  "quotes" STRUCT("bookmaker" VARCHAR, "market" VARCHAR, "last_update" TIMESTAMP WITH TIME ZONE, "outcomes" STRUCT("name" VARCHAR, "price" DOUBLE, "point" DOUBLE, "description" VARCHAR)[])[],
  "credits_used" BIGINT,
  "credits_remaining" BIGINT
);
CREATE OR REPLACE VIEW sportsbook_odds_latest AS
  SELECT * FROM sportsbook_odds
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS mappings (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "league" VARCHAR,
  "kind" VARCHAR,
  "sport_key" VARCHAR,
  "odds_event_id" VARCHAR,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "confidence" DOUBLE,
  "selection" STRUCT("market" VARCHAR, "outcome" VARCHAR, "point" DOUBLE, "description" VARCHAR),
  "certificate" STRUCT("verdict" VARCHAR, "odds_event_id" VARCHAR, "league" VARCHAR, "kind" VARCHAR, "period" VARCHAR, "subject" VARCHAR, "line" DOUBLE, "overtime" VARCHAR, "sides" VARCHAR[], "day" VARCHAR, "differences" STRUCT("state" VARCHAR, "exchange_pays" BIGINT, "book_pays" VARCHAR, "probability" DOUBLE, "note" VARCHAR)[], "evidence" VARCHAR[], "rules_digest" VARCHAR),
  "reason" VARCHAR
);
CREATE OR REPLACE VIEW mappings_latest AS
  SELECT * FROM mappings
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS mapping_coverage (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "league" VARCHAR,
  "game_day" VARCHAR,
  "kind" VARCHAR,
  "markets" BIGINT,
  "mapped" BIGINT,
  "certified" BIGINT,
  "refused" STRUCT("key" VARCHAR, "value" BIGINT)[],
  "abstention" DOUBLE,
  "hit_rate" DOUBLE
);
CREATE OR REPLACE VIEW mapping_coverage_latest AS
  SELECT * FROM mapping_coverage
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS opportunities (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "opportunity_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "side" VARCHAR,
  "profile" VARCHAR,
  "accepted" BOOLEAN,
  "reasons" VARCHAR[],
  "league" VARCHAR,
  "kind" VARCHAR,
  "odds_event_id" VARCHAR,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "ask" BIGINT,
  "fee" BIGINT,
  "all_in" DOUBLE,
  "quantity" BIGINT,
  "fair" STRUCT("probability" DOUBLE, "multiplicative" DOUBLE, "power" DOUBLE, "odds_ratio" DOUBLE, "shin" DOUBLE, "standard_error" DOUBLE, "books" BIGINT, "effective_books" DOUBLE, "age_s" DOUBLE, "names" VARCHAR[]),
  "gross_edge" DOUBLE,
  "net_edge" DOUBLE,
  "expected_value" BIGINT,
  "confidence" STRUCT("total" DOUBLE, "edge" DOUBLE, "consensus" DOUBLE, "liquidity" DOUBLE, "timing" DOUBLE),
  "quote_age_s" DOUBLE
);
CREATE OR REPLACE VIEW opportunities_latest AS
  SELECT * FROM opportunities
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS signals (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "signal_id" VARCHAR,
  "opportunity_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "side" VARCHAR,
  "profile" VARCHAR,
  "limit" BIGINT,
  "quantity" BIGINT,
  "fair_probability" DOUBLE,
  "required_edge" DOUBLE,
  "net_edge" DOUBLE,
  "confidence" DOUBLE,
  "league" VARCHAR,
  "kind" VARCHAR,
  "odds_event_id" VARCHAR,
  "certificate" STRUCT("verdict" VARCHAR, "odds_event_id" VARCHAR, "league" VARCHAR, "kind" VARCHAR, "period" VARCHAR, "subject" VARCHAR, "line" DOUBLE, "overtime" VARCHAR, "sides" VARCHAR[], "day" VARCHAR, "differences" STRUCT("state" VARCHAR, "exchange_pays" BIGINT, "book_pays" VARCHAR, "probability" DOUBLE, "note" VARCHAR)[], "evidence" VARCHAR[], "rules_digest" VARCHAR),
  "exchange_index" BIGINT,
  "price_ranges" STRUCT("start" BIGINT, "end" BIGINT, "step" BIGINT)[],
  "fee_type" VARCHAR,
  "fee_multiplier_micro" BIGINT,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "expires_at" TIMESTAMP WITH TIME ZONE
);
CREATE OR REPLACE VIEW signals_latest AS
  SELECT * FROM signals
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS orders (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "order_id" VARCHAR,
  "venue_order_id" VARCHAR,
  "signal_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "side" VARCHAR,
  "status" VARCHAR,
  "limit" BIGINT,
  "quantity" BIGINT,
  "filled" BIGINT,
  "mode" VARCHAR,
  "profile" VARCHAR,
  "league" VARCHAR,
  "kind" VARCHAR,
  "controls" VARCHAR[],
  "reasons" VARCHAR[],
  "fair_probability" DOUBLE,
  "expected_edge" DOUBLE,
  "latency_ns" STRUCT("key" VARCHAR, "value" BIGINT)[]
);
CREATE OR REPLACE VIEW orders_latest AS
  SELECT * FROM orders
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS fills (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "fill_id" VARCHAR,
  "order_id" VARCHAR,
  "signal_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "side" VARCHAR,
  "price" BIGINT,
  "quantity" BIGINT,
  "fee" BIGINT,
  "is_taker" BOOLEAN,
  "mode" VARCHAR,
  "profile" VARCHAR,
  "league" VARCHAR
);
CREATE OR REPLACE VIEW fills_latest AS
  SELECT * FROM fills
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS positions (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "quantity" BIGINT,
  "cost" BIGINT,
  "fees" BIGINT,
  "realized" BIGINT
);
CREATE OR REPLACE VIEW positions_latest AS
  SELECT * FROM positions
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS settlements (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "result" VARCHAR,
  "payout_yes" BIGINT,
  "yes_quantity" BIGINT,
  "no_quantity" BIGINT,
  "revenue" BIGINT,
  "cost" BIGINT,
  "fees" BIGINT,
  "pnl" BIGINT
);
CREATE OR REPLACE VIEW settlements_latest AS
  SELECT * FROM settlements
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS results (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "series_ticker" VARCHAR,
  "result" VARCHAR,
  "payout_yes" BIGINT,
  "settled_at" TIMESTAMP WITH TIME ZONE
);
CREATE OR REPLACE VIEW results_latest AS
  SELECT * FROM results
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS account_snapshots (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "mode" VARCHAR,
  "cash" BIGINT,
  "reserved" BIGINT,
  "portfolio_value" BIGINT,
  "realized" BIGINT,
  "fees" BIGINT,
  "shard_cash" STRUCT("key" VARCHAR, "value" BIGINT)[]
);
CREATE OR REPLACE VIEW account_snapshots_latest AS
  SELECT * FROM account_snapshots
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS alerts (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "source" VARCHAR,
  "code" VARCHAR,
  "subject" VARCHAR,
  "text" VARCHAR,
  "example" VARCHAR,
  "count" BIGINT
);
CREATE OR REPLACE VIEW alerts_latest AS
  SELECT * FROM alerts
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS breaker_moves (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "breaker" VARCHAR,
  "before" VARCHAR,
  "after" VARCHAR,
  "cause" VARCHAR,
  "causes" VARCHAR[],
  "reason" VARCHAR,
  "actor" VARCHAR,
  "at" TIMESTAMP WITH TIME ZONE
);
CREATE OR REPLACE VIEW breaker_moves_latest AS
  SELECT * FROM breaker_moves
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS reconciliation (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "difference_id" VARCHAR,
  "what" VARCHAR,
  "subject" VARCHAR,
  "ticker" VARCHAR,
  "ours" VARCHAR,
  "theirs" VARCHAR,
  "gap" BIGINT,
  "resolved" BOOLEAN,
  "resolution" VARCHAR,
  "mode" VARCHAR,
  "actor" VARCHAR
);
CREATE OR REPLACE VIEW reconciliation_latest AS
  SELECT * FROM reconciliation
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS odds_credits (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "sport_key" VARCHAR,
  "call" VARCHAR,
  "odds_event_id" VARCHAR,
  "markets" VARCHAR[],
  "planned" BIGINT,
  "used" BIGINT,
  "remaining" BIGINT,
  "events" BIGINT,
  "published" BIGINT,
  "failure" VARCHAR
);
CREATE OR REPLACE VIEW odds_credits_latest AS
  SELECT * FROM odds_credits
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS quarantine (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "source" VARCHAR,
  "reason" VARCHAR,
  "sample" VARCHAR,
  "count" BIGINT
);
CREATE OR REPLACE VIEW quarantine_latest AS
  SELECT * FROM quarantine
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS player_props_runs (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "run_id" VARCHAR,
  "game_date" DATE,
  "prefix" VARCHAR,
  "series" BIGINT,
  "markets" BIGINT,
  "books" BIGINT,
  "games" BIGINT,
  "calls" BIGINT,
  "credits_used" BIGINT,
  "kalshi_available" BOOLEAN,
  "failed" STRUCT("key" VARCHAR, "value" VARCHAR)[]
);
CREATE OR REPLACE VIEW player_props_runs_latest AS
  SELECT * FROM player_props_runs
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS kalshi_player_props (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "game_date" DATE,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "series_ticker" VARCHAR,
  "league" VARCHAR,
  "prop_type" VARCHAR,
  "player_name" VARCHAR,
  "player_lookup" VARCHAR,
  "player_team" VARCHAR,
  "player_id" VARCHAR,
  "home" VARCHAR,
  "away" VARCHAR,
  "odds_event_id" VARCHAR,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "threshold" BIGINT,
  "line" DOUBLE,
  "yes_bid" BIGINT,
  "yes_bid_size" BIGINT,
  "yes_ask" BIGINT,
  "yes_ask_size" BIGINT,
  "no_bid" BIGINT,
  "no_bid_size" BIGINT,
  "no_ask" BIGINT,
  "no_ask_size" BIGINT,
  "last_price" BIGINT,
  "volume" BIGINT,
  "open_interest" BIGINT,
  "implied_low" DOUBLE,
  "implied_high" DOUBLE,
  "over_american" BIGINT,
  "under_american" BIGINT,
  "depth" BIGINT,
  "liquidity" VARCHAR,
  "yes_executable" BIGINT,
  "no_executable" BIGINT,
  "round_trip_cost" DOUBLE,
  "status" VARCHAR,
  "opens_at" TIMESTAMP WITH TIME ZONE,
  "closes_at" TIMESTAMP WITH TIME ZONE,
  "expected_expiration_at" TIMESTAMP WITH TIME ZONE,
  "result" VARCHAR,
  "settlement_value" BIGINT,
  "validated_team" VARCHAR,
  "team_confidence" DOUBLE,
  "team_method" VARCHAR,
  "has_team_issues" BOOLEAN,
  "findings" VARCHAR[],
  "content_hash" VARCHAR,
  "run_id" VARCHAR,
  "processed_at" TIMESTAMP WITH TIME ZONE
);
CREATE OR REPLACE VIEW kalshi_player_props_latest AS
  SELECT * FROM kalshi_player_props
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS sportsbook_player_props (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "game_date" DATE,
  "odds_event_id" VARCHAR,
  "sport_key" VARCHAR,
  "league" VARCHAR,
  "home" VARCHAR,
  "away" VARCHAR,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "bookmaker" VARCHAR,
  "market" VARCHAR,
  "is_alternate" BOOLEAN,
  "prop_type" VARCHAR,
  "player_name" VARCHAR,
  "player_lookup" VARCHAR,
  "line" DOUBLE,
  "over_price" DOUBLE,
  "under_price" DOUBLE,
  "over_fair" DOUBLE,
  "last_update" TIMESTAMP WITH TIME ZONE,
  "content_hash" VARCHAR,
  "run_id" VARCHAR,
  "processed_at" TIMESTAMP WITH TIME ZONE
);
CREATE OR REPLACE VIEW sportsbook_player_props_latest AS
  SELECT * FROM sportsbook_player_props
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS prop_comparisons (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "game_date" DATE,
  "ticker" VARCHAR,
  "event_ticker" VARCHAR,
  "league" VARCHAR,
  "prop_type" VARCHAR,
  "player_name" VARCHAR,
  "player_lookup" VARCHAR,
  "odds_event_id" VARCHAR,
  "starts_at" TIMESTAMP WITH TIME ZONE,
  "line" DOUBLE,
  "method" VARCHAR,
  "model" VARCHAR,
  "tradable" BOOLEAN,
  "reasons" VARCHAR[],
  "fair" DOUBLE,
  "yes_fair" DOUBLE,
  "no_fair" DOUBLE,
  "model_error" DOUBLE,
  "standard_error" DOUBLE,
  "books" BIGINT,
  "quote_age_s" DOUBLE,
  "book_lines" DOUBLE[],
  "yes_ask" BIGINT,
  "no_ask" BIGINT,
  "yes_net_edge" DOUBLE,
  "no_net_edge" DOUBLE,
  "yes_quantity" BIGINT,
  "no_quantity" BIGINT,
  "differences" STRUCT("state" VARCHAR, "exchange_pays" BIGINT, "book_pays" VARCHAR, "probability" DOUBLE, "note" VARCHAR)[],
  "evidence" VARCHAR[],
  "run_id" VARCHAR
);
CREATE OR REPLACE VIEW prop_comparisons_latest AS
  SELECT * FROM prop_comparisons
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;

CREATE TABLE IF NOT EXISTS player_prop_predictions (
  "observed_at" TIMESTAMP WITH TIME ZONE,
  "source_at" TIMESTAMP WITH TIME ZONE,
  "schema_version" BIGINT,
  "event_id" VARCHAR,
  "trace_id" VARCHAR,
  "game_date" DATE,
  "league" VARCHAR,
  "player_name" VARCHAR,
  "player_lookup" VARCHAR,
  "prop_type" VARCHAR,
  "line" DOUBLE,
  "line_source" VARCHAR,
  "line_age_s" DOUBLE,
  "is_stale" BOOLEAN,
  "over_probability" DOUBLE,
  "model" VARCHAR,
  "model_version" VARCHAR,
  "kalshi_available" BOOLEAN,
  "kalshi_line" DOUBLE,
  "kalshi_yes_price" BIGINT,
  "kalshi_no_price" BIGINT,
  "kalshi_liquidity" VARCHAR,
  "kalshi_market_ticker" VARCHAR,
  "line_discrepancy" DOUBLE,
  "run_id" VARCHAR
);
CREATE OR REPLACE VIEW player_prop_predictions_latest AS
  SELECT * FROM player_prop_predictions
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1;
