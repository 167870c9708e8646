"""Reading recorded pages: every envelope, every old shape, and files that are damaged."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from shared.clock import Instant, parse_instant
from shared.terms import FeeType
from shared.venues.kalshi.recorded import read_markets
from tests.venues.kalshi.rows import MARKET

EVENT = {"event_ticker": MARKET["event_ticker"], "series_ticker": "KXNFLGAME", "title": "PHI vs CHI"}


def _file(tmp_path: Path, value: Any, name: str = "page.json") -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@pytest.mark.parametrize(
    "page",
    [
        {"cursor": "", "markets": [MARKET]},
        {"events": [EVENT | {"markets": [MARKET]}]},
        {"event": EVENT, "markets": [MARKET]},
        {"market": MARKET},
        [MARKET],
        MARKET,
        {"note": "mine", "by_series": {"KXNFLGAME": [EVENT | {"markets": [MARKET]}]}},
        {"ticker": MARKET["ticker"], "event_ticker": MARKET["event_ticker"], "single": {"market": MARKET}},
    ],
    ids=["page", "nested", "event and markets", "one", "bare list", "bare", "own envelope", "named envelope"],
)
def test_a_market_is_found_in_every_envelope(tmp_path: Path, page: Any) -> None:
    result = read_markets(_file(tmp_path, page))
    assert [m.ticker for m in result.markets] == [MARKET["ticker"]]
    assert result.quarantined == []


def test_event_and_series_in_the_file_are_joined_wherever_they_stand(tmp_path: Path) -> None:
    page = {
        "markets": [MARKET],
        "events": [EVENT],
        "series_meta": {"KXNFLGAME": {"fee_multiplier": 0.5, "fee_type": "quadratic"}},
    }
    market = read_markets(_file(tmp_path, page)).markets[0]
    assert market.event_title == "PHI vs CHI"
    assert (market.fee_type, market.fee_multiplier_micro) == (FeeType.QUADRATIC, 500_000)


def test_a_row_with_only_known_fields_is_kept(tmp_path: Path) -> None:
    row = {"ticker": "KXMLBGAME-26AUG111840PITMIA-PIT", "event_ticker": "KXMLBGAME-26AUG111840PITMIA",
           "recorded": False, "event_title": "Pittsburgh vs Miami"}  # fmt: skip
    market = read_markets(_file(tmp_path, row)).markets[0]
    assert (market.series_ticker, market.event_title, market.yes_ask) == (
        "KXMLBGAME",
        "Pittsburgh vs Miami",
        None,
    )
    assert read_markets(_file(tmp_path, {"ticker": "KXA-1"})).markets[0].event_ticker == ""


def test_an_index_in_csv_is_read(tmp_path: Path) -> None:
    text = "ticker,event_ticker,status\nKXA-1,KXA,active\nKXA-2,,\n"
    markets = read_markets(_file(tmp_path, text, "index.csv")).markets
    assert [(m.ticker, m.event_ticker, m.status) for m in markets] == [
        ("KXA-1", "KXA", "active"),
        ("KXA-2", "", "unknown"),
    ]


def test_quotes_with_a_decimal_point_are_dollars_and_without_are_cents(tmp_path: Path) -> None:
    rows = [
        {"ticker": "KXA-1", "yes_bid": 0.07, "yes_ask": 0.93},
        {"ticker": "KXA-2", "yes_bid": 7, "yes_ask": 93},
    ]
    markets = read_markets(_file(tmp_path, rows)).markets
    assert {(m.yes_bid, m.yes_ask) for m in markets} == {(70_000, 930_000)}


@pytest.mark.parametrize(
    "row",
    [
        {"ticker": "KXA-1", "trade_id": "t", "yes_price_dollars": "0.5", "title": "x"},
        {"ticker": "KXA-1", "order_id": "o", "status": "resting"},
        {"ticker": "KXA", "title": "A series", "frequency": "custom", "fee_type": "quadratic"},
        {"ticker": "KXA-1", "candlesticks": []},
        {"ticker": 5, "event_ticker": "KXA"},
    ],
)
def test_what_only_carries_a_ticker_is_not_a_market(tmp_path: Path, row: Any) -> None:
    result = read_markets(_file(tmp_path, {"rows": [row]}))
    assert result.markets == []
    assert "no markets" in result.quarantined[0].reason


def test_a_bad_row_is_quarantined_with_the_files_name_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = [MARKET, MARKET | {"yes_bid_dollars": "1e400"}, MARKET | {"status": 5}, MARKET]
    result = read_markets(_file(tmp_path, rows))
    assert len(result.markets) == 2
    assert len(result.quarantined) == 2
    assert all(q.reason.startswith("page.json: ") for q in result.quarantined)


def test_a_cut_off_page_keeps_the_rows_before_the_cut(tmp_path: Path) -> None:
    text = json.dumps({"markets": [MARKET | {"ticker": f"KXA-{n}"} for n in range(10)]})
    path = tmp_path / "cut.json.gz"
    path.write_bytes(gzip.compress(text[:-1000].encode())[:-4])
    result = read_markets(path)
    assert 7 <= len(result.markets) < 10
    assert any("cut.json.gz" in q.reason for q in result.quarantined)


def test_the_capture_time_of_the_nearest_envelope_is_taken(tmp_path: Path) -> None:
    page = {
        "captured_at": "2026-08-07T00:00:00Z",
        "rows": [{"captured_ms": 1_786_100_000_000, "market": MARKET}],
    }
    path = _file(tmp_path, page)
    assert read_markets(path).markets[0].observed_at == 1_786_100_000_000_000
    assert read_markets(path, Instant(7)).markets[0].observed_at == 7
    alone = read_markets(_file(tmp_path, MARKET)).markets[0]
    assert alone.observed_at == parse_instant(MARKET["updated_time"])


def test_a_document_nested_too_deep_is_quarantined_not_a_crash(tmp_path: Path) -> None:
    text = '{"a":' * 60 + json.dumps(MARKET) + "}" * 60
    result = read_markets(_file(tmp_path, text))
    assert "nested too deep" in result.quarantined[0].reason
