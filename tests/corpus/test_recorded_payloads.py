"""Every recorded payload goes through the readers without a loss: as many rows out as were recorded."""

from __future__ import annotations

import pytest

from shared.venues.kalshi.recorded import read_markets
from shared.venues.odds_api.recorded import read_odds
from tests.support.corpus import corpus_path

pytestmark = pytest.mark.corpus

KALSHI_MARKETS = {
    "kalshi_markets/kalshi_combo_priced_markets_20260809.json": 41,
    "kalshi_markets/kalshi_event_nba_finals_settled_20260613.json": 2,
    "kalshi_markets/kalshi_events_mlb_props_nested_20260815.json.gz": 259,
    "kalshi_markets/kalshi_events_nfl_preseason_20260809.json.gz": 64,
    "kalshi_markets/kalshi_events_sports_nested_20260807.json.gz": 245,
    "kalshi_markets/kalshi_expiring_soon_20260328.json.gz": 100,
    "kalshi_markets/kalshi_market_sample_nba_combo_20251121.json": 1,
    "kalshi_markets/kalshi_market_single_20260806.json": 2,
    "kalshi_markets/kalshi_markets_index_all_20260803.csv.gz": 72_482,
    "kalshi_markets/kalshi_markets_integer_cents_202407.jsonl.gz": 291,
    "kalshi_markets/kalshi_markets_open_page_combos_20260213.json.gz": 60,
    "kalshi_markets/kalshi_markets_page_20260621.json": 5,
    "kalshi_markets/kalshi_markets_settled_20260808.json": 44,
    "kalshi_markets/kalshi_markets_status_open_page_202606.json.gz": 200,
    "kalshi_markets/kalshi_mlb_closing_prices_results_202504_202608.csv.gz": 3797,
    "kalshi_markets/kalshi_ncaamb_tournament_games_20260316.json.gz": 200,
    "kalshi_markets/kalshi_nfl_ncaaf_markets_202608_09.json": 12,
    "kalshi_markets/kalshi_nfl_single_game_combos_settled_202511.csv.gz": 100,
    "kalshi_markets/kalshi_occurrence_datetime_probe_20260808.json": 10,
    "kalshi_markets/kalshi_soccer_3way_markets_202603.json": 3,
    "kalshi_markets/kalshi_sports_bbo_20260710.jsonl.gz": 5047,
    "kalshi_markets/kalshi_sports_bbo_20260719.jsonl.gz": 4373,
    "kalshi_markets/kalshi_sports_bbo_20260720.jsonl.gz": 4893,
    "kalshi_markets/kalshi_sports_bbo_20260721.jsonl.gz": 6326,
    "kalshi_markets/kalshi_sports_bbo_20260723.jsonl.gz": 4778,
    "kalshi_markets/kalshi_sports_bbo_20260724.jsonl.gz": 2453,
    "kalshi_markets/kalshi_sports_game_markets_20260710T051032Z.jsonl.gz": 1048,
    "kalshi_markets/kalshi_sports_game_markets_20260710T122301Z.jsonl.gz": 1014,
    "kalshi_markets/kalshi_sports_game_markets_20260710T192302Z.jsonl.gz": 992,
    "kalshi_markets/kalshi_sports_history_settled_20260703.jsonl.gz": 155,
    "kalshi_markets/kalshi_sports_history_settled_20260704.jsonl.gz": 261,
    "kalshi_markets/kalshi_ufc_combo_market_sample_202603.json": 1,
    "buckets/kalshi_btc_range_event_one_hour_20260710.jsonl.gz": 188,
    "buckets/kalshi_econ_ladders_202607.jsonl.gz": 9897,
    "buckets/kalshi_event_KXNBAMENTION-26MAY09OKCLAL.json.gz": 25,
    "buckets/kalshi_governor_primary_markets_202604.json": 8,
    "buckets/kalshi_march_madness_outrights_20260316.json.gz": 754,
    "buckets/kalshi_weather_books_20260724.jsonl.gz": 874,
    "mapping/markets.jsonl.gz": 2576,
    "crossvenue/kalshi_and_polymarket_cbb_20260328.json": 4,
    "crossvenue/kalshi_and_polymarket_ipl_20260328.json": 2,
    "crossvenue/kalshi_and_polymarket_nba_20260328.json": 12,
    "crossvenue/kalshi_and_polymarket_r6_20260328.json": 14,
    "crossvenue/kalshi_and_polymarket_sports_20260328.json": 18,
    "crossvenue/kalshi_and_polymarket_t20_20260328.json": 6,
    "crossvenue/kalshi_iran_events_20260301.json.gz": 763,
    "paired/kalshi_clv_signal_rows_20260807_20260816.csv.gz": 1744,
    "paired/kalshi_vs_consensus_decisions_20260807_20260816.csv.gz": 4272,
    "paired/mlb_spread_total_kalshi_and_odds_api_20260820T2126Z.json": 203,
    "account/kalshi_settlement_ledger_20260717.jsonl.gz": 475,
}

# Recordings of something else: read without a market, and saying so.
NO_MARKETS = [
    "kalshi_markets/kalshi_open_events_all_categories_20250219.json.gz",
    "kalshi_markets/kalshi_price_grids.json",
    "kalshi_markets/kalshi_series_fee_fields.json",
    "orderbook/kalshi_soccer_trades_202603.json",
    "account/kalshi_portfolio_fills_redacted.json",
    "account/kalshi_portfolio_orders_resting_20260306.json",
    "account/kalshi_portfolio_positions_20260306.json",
    "account/kalshi_portfolio_settlements_redacted.json",
    "paired/mw_placed_orders_202507_08.json",
]

# File: (event states, different events, outcomes). Outcomes at a placeholder price are not counted.
ODDS_EVENTS = {
    "odds_api/cfb_cbb_cached_odds_202511_202601.jsonl.gz": (275, 223, 5532),
    "odds_api/historical_endpoint_samples_nba.json": (21, 18, 42),
    "odds_api/mlb_event_player_props_20260814.json": (1, 1, 136),
    "odds_api/mlb_event_props_and_nfl_week1_20260730.json": (7, 6, 62),
    "odds_api/mlb_h2h_spreads_totals_20260807.json.gz": (15, 15, 2096),
    "odds_api/mlb_h2h_spreads_totals_history_202606_07.jsonl.gz": (985, 451, 40_848),
    "odds_api/mlb_h2h_totals_history_202608.jsonl.gz": (183, 168, 6200),
    "odds_api/mlb_odds_20260330.jsonl.gz": (28, 28, 1122),
    "odds_api/mlb_player_prop_rungs_odds_api_20260815.csv.gz": (20, 20, 45_767),
    "odds_api/mlb_repeat_poll_20260811T1800Z_p1.json.gz": (15, 15, 2308),
    "odds_api/mlb_repeat_poll_20260811T1800Z_p4.json.gz": (15, 15, 2308),
    "odds_api/multisport_main_markets_20260416.csv.gz": (425, 425, 61_752),
    "odds_api/nba_h2h_spreads_totals_20251124.jsonl.gz": (10, 10, 534),
    "odds_api/nba_h2h_spreads_totals_20251124b.jsonl.gz": (10, 10, 520),
    "odds_api/nba_h2h_spreads_totals_20260310_11.jsonl.gz": (29, 18, 1460),
    "odds_api/nba_h2h_spreads_totals_20260401.jsonl.gz": (8, 8, 388),
    "odds_api/nba_odds_20260330.jsonl.gz": (13, 13, 610),
    "odds_api/nba_player_props_20260310_11.csv.gz": (26, 17, 12_266),
    "odds_api/nba_player_props_snapshots_202603.csv.gz": (70, 59, 107_176),
    "odds_api/nfl_ncaaf_nba_20250918.jsonl.gz": (12, 12, 186),
    "odds_api/nhl_odds_history_202310_202608.csv.gz": (12_302, 4693, 129_592),
    "odds_api/soccer_nba_h2h_totals_202608.jsonl.gz": (200, 101, 25_215),
    "odds_api/soccer_tennis_h2h_history_202607_08.jsonl.gz": (1501, 643, 67_669),
    "odds_api/wncaab_h2h_202602_03.jsonl.gz": (914, 277, 4188),
    "mapping/odds_events.jsonl.gz": (3816, 3816, 82_249),
    "paired/mlb_spread_total_kalshi_and_odds_api_20260820T2126Z.json": (14, 14, 714),
    "paired/*_odds_api_snapshots_20260205_20260306.jsonl.gz": (4993, 1257, 26_982),
}


@pytest.mark.parametrize(("name", "rows"), KALSHI_MARKETS.items())
def test_every_recorded_market_is_read(name: str, rows: int) -> None:
    result = read_markets(corpus_path(name))
    assert result.quarantined == []
    assert len(result.markets) == rows


@pytest.mark.parametrize("name", NO_MARKETS)
def test_a_recording_without_markets_says_so(name: str) -> None:
    result = read_markets(corpus_path(name))
    assert result.markets == []
    assert "no markets" in result.quarantined[0].reason


@pytest.mark.parametrize(("name", "expected"), ODDS_EVENTS.items())
def test_every_recorded_odds_event_is_read(name: str, expected: tuple[int, int, int]) -> None:
    result = read_odds(corpus_path(name))
    outcomes = sum(len(quote.outcomes) for event in result.events for quote in event.quotes)
    assert result.quarantined == []
    assert (len(result.events), len({e.odds_event_id for e in result.events}), outcomes) == expected


@pytest.mark.parametrize(
    "name",
    [
        "kalshi_markets/kalshi_markets_integer_cents_202407.jsonl.gz",
        "kalshi_markets/kalshi_markets_settled_20260808.json",
        "kalshi_markets/kalshi_ncaamb_tournament_games_20260316.json.gz",
        "kalshi_markets/kalshi_sports_game_markets_20260710T051032Z.jsonl.gz",
        "account/kalshi_demo_api_recorded_responses_202606.json",
    ],
)
def test_no_recorded_quote_is_a_sentinel(name: str) -> None:
    for market in read_markets(corpus_path(name)).markets:
        for price, size in ((market.yes_bid, market.yes_bid_size), (market.yes_ask, market.yes_ask_size)):
            assert price is None or 0 < price < 1_000_000, market.ticker
            assert size is None or size > 0, market.ticker


def test_the_same_instant_file_joins_events_and_fees() -> None:
    path = corpus_path("paired", "mlb_spread_total_kalshi_and_odds_api_20260820T2126Z.json")
    markets = read_markets(path).markets
    assert {market.fee_multiplier_micro for market in markets} == {500_000}
    assert all(market.event_title and market.mutually_exclusive is False for market in markets)
    assert len({market.observed_at for market in markets}) == 1
