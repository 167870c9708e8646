"""Eight processes on one file: a small run of ``benchmarks.reservations``, which asserts at every state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.reservations import LIMITS, Watch, run
from shared.clock import SECOND, Instant
from shared.money import Usd
from shared.risk.book import Book
from tests.risk.orders import new_book, proposal

PROCESSES, ATTEMPTS = 8, 25


@pytest.mark.e2e
async def test_eight_processes_never_pass_a_limit_and_all_get_on(tmp_path: Path) -> None:
    result = await run(tmp_path, PROCESSES, ATTEMPTS, timeout_s=60)
    assert len(result.took_us) == PROCESSES * ATTEMPTS
    assert result.granted
    assert result.refused["daily_loss"]
    assert result.watch.states > result.granted
    assert 0 <= result.watch.closest < LIMITS.max_daily_loss // 4


def after(book: Book, risk: int) -> Book:
    asked = proposal(risk=Usd(risk), at=Instant(book.confirmed_at + SECOND))
    return replace(book.reserve(asked, "t", "bench/0", 0), seq=book.seq + 1)


def test_the_watch_accepts_a_limit_and_not_a_micro_dollar_more() -> None:
    book = new_book()
    watch = Watch()
    watch.see(book)
    watch.see(after(book, LIMITS.max_daily_loss))
    assert watch.closest == 0
    strict = Watch()
    strict.see(book)
    with pytest.raises(AssertionError, match=r"over a limit by 0\.000001"):
        strict.see(after(book, LIMITS.max_daily_loss + 1))


def test_the_watch_notices_a_lost_write() -> None:
    watch = Watch()
    watch.see(new_book())
    with pytest.raises(AssertionError, match="write 2 follows"):
        watch.see(after(after(new_book(), 5_200_000), 5_200_000))
