"""A recorded frame file becomes a tape whose books hold together."""

from __future__ import annotations

import json
from pathlib import Path

from shared.books.book import BookState
from shared.execution.books import BookKeeper
from shared.money import Price, Quantity
from shared.replay.tape import Tape, load
from shared.terms import Side
from shared.venues.kalshi.events import BookDelta, BookSnapshot

TICKER = "KXNBAGAME-26MAR10MEMPHI-PHI"


def snapshot(sid: int, seq: int, size: str) -> str:
    message = {"market_ticker": TICKER, "yes_dollars_fp": [["0.4000", size]]}
    return json.dumps({"type": "orderbook_snapshot", "sid": sid, "seq": seq, "msg": message}) + "\n"


def delta(sid: int, seq: int, change: str) -> str:
    message = {
        "market_ticker": TICKER,
        "price_dollars": "0.4000",
        "delta_fp": change,
        "side": "yes",
        "ts_ms": 1_773_171_028_000 + 1_000 * sid + seq,
    }
    return json.dumps({"type": "orderbook_delta", "sid": sid, "seq": seq, "msg": message}) + "\n"


def kept_books(tape: Tape) -> BookKeeper:
    keeper = BookKeeper()
    for _, event in tape.events:
        assert isinstance(event, BookSnapshot | BookDelta)
        keeper.apply(event)
    return keeper


def test_a_reconnect_in_the_recording_starts_its_numbers_again(tmp_path: Path) -> None:
    lines = (snapshot(1, 40, "5.00"), delta(1, 41, "-5.00"), snapshot(3, 7, "2.00"), delta(3, 8, "1.00"))
    path = tmp_path / "frames.ndjson"
    path.write_text("".join(lines))
    book = kept_books(load([path])).books[TICKER]
    assert book.state is BookState.LIVE
    assert book.best_bid(Side.YES) == (Price(400_000), Quantity(300))


def test_frames_written_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    path = tmp_path / "frames.ndjson"
    path.write_text(snapshot(1, 1, "5.00") + delta(1, 3, "-6.00") + delta(1, 2, "1.00"))
    book = kept_books(load([path])).books[TICKER]
    assert book.state is BookState.LIVE
    assert book.best_bid(Side.YES) is None
