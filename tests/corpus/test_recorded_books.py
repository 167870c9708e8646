"""Recorded order-book streams apply to a book without a contradiction."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import Any

import pytest

from shared.books.book import BookState, OrderBook
from shared.clock import Instant
from shared.fees.protocol import Level
from shared.money import parse_price, parse_quantity, parse_signed_quantity
from shared.terms import Side
from tests.support.corpus import corpus_path

pytestmark = pytest.mark.corpus

GAMES = (
    "KXNBAGAME-26MAR07GSWOKC-GSW",
    "KXNBAGAME-26MAR07GSWOKC-OKC",
    "KXNBAGAME-26MAR10MEMPHI-MEM",
    "KXNBAGAME-26MAR10MEMPHI-PHI",
)


def levels(message: dict[str, Any], side: Side) -> list[Level]:
    pairs = message.get(f"{side.value}_dollars_fp") or []
    return [(parse_price(price), parse_quantity(size)) for price, size in pairs]


def apply(book: OrderBook, frame: dict[str, Any], at: int) -> None:
    message = frame["msg"]
    if frame["type"] == "orderbook_snapshot":
        book.apply_snapshot(levels(message, Side.YES), levels(message, Side.NO), Instant(at), frame["seq"])
    elif frame["type"] == "orderbook_delta":
        book.apply_delta(
            Side(message["side"]),
            parse_price(message["price_dollars"]),
            parse_signed_quantity(message["delta_fp"]),
            Instant(at),
            frame["seq"],
        )


@pytest.mark.parametrize("game", GAMES)
def test_a_recorded_game_applies_without_a_desync(game: str) -> None:
    book, states = OrderBook(game), Counter[BookState]()
    with gzip.open(corpus_path("orderbook", f"kalshi_ws_{game}.ndjson.gz")) as lines:
        for at, line in enumerate(lines):
            frame = json.loads(line)
            apply(book, frame, at)
            if frame["type"] != "trade":
                states[book.state] += 1
    assert states.keys() <= {BookState.LIVE, BookState.CROSSED}
    assert states[BookState.CROSSED] < 10


def test_a_recorded_minute_of_twelve_markets_applies_without_a_desync() -> None:
    path = corpus_path("orderbook", "kalshi_ws_orderbook_stream_mlb_20260807.json.gz")
    books: dict[str, OrderBook] = {}
    for entry in json.loads(gzip.decompress(path.read_bytes()))["frames"]:
        ticker = entry["frame"].get("msg", {}).get("market_ticker")
        if ticker:
            book = books.setdefault(ticker, OrderBook(ticker))
            apply(book, entry["frame"], entry["received_ms"] * 1000)
    assert len(books) == 12
    assert {book.state for book in books.values()} == {BookState.LIVE}
