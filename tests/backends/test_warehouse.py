"""The embedded warehouse: batches, duplicates, crashes, readers in other processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pytest

from shared.backends.local.history import open_history
from shared.backends.local.warehouse import DATABASE, PARQUET, DuckWarehouse
from shared.clock import Instant, ManualClock
from shared.errors import MalformedError, StorageError
from shared.messages import (
    BookmakerMarket,
    MarketListed,
    OddsOutcome,
    OddsSeen,
    PriceRange,
    seal,
)
from shared.money import parse_price
from tests.support.backends import tick
from tests.support.processes import finish, lines_until_killed, start

NOW = Instant(1_790_000_000_000_000)  # 2026-09-21T14:13:20Z


@pytest.fixture
def clock() -> ManualClock:
    """Virtual time."""
    return ManualClock(NOW)


@pytest.fixture
async def warehouse(tmp_path: Path, clock: ManualClock) -> AsyncIterator[DuckWarehouse]:
    """An empty warehouse in ``tmp_path``."""
    opened = DuckWarehouse(tmp_path, clock)
    yield opened
    await opened.close()


async def _count(warehouse: DuckWarehouse, table: str = "kalshi_ticks") -> int:
    (row,) = await warehouse.query(f"SELECT count(*) AS n FROM {table}")  # noqa: S608 - a table's name
    return int(row["n"])


async def test_rows_are_visible_after_a_flush(warehouse: DuckWarehouse) -> None:
    await warehouse.append([tick(1), tick(2)])
    assert await _count(warehouse) == 0
    await warehouse.flush()
    assert await _count(warehouse) == 2


async def test_a_full_batch_is_written_at_once(tmp_path: Path, clock: ManualClock) -> None:
    warehouse = DuckWarehouse(tmp_path, clock, batch_rows=10)
    await warehouse.append([tick(n) for n in range(10)])
    assert await _count(warehouse) == 10
    await warehouse.close()


async def test_a_repeated_event_is_kept_once_by_the_latest_view(warehouse: DuckWarehouse) -> None:
    await warehouse.append([tick(1), tick(1), tick(2)])
    await warehouse.flush()
    await warehouse.append([tick(1)])
    await warehouse.flush()
    assert await _count(warehouse, "kalshi_ticks_latest") == 2


async def test_every_value_is_kept_exactly(warehouse: DuckWarehouse) -> None:
    market = MarketListed(
        observed_at=NOW,
        ticker="T",
        event_ticker="E",
        series_ticker="S",
        title="Löwen 🏒 'x' \"y\"",
        custom_strike={"team": "abc", "other": ""},
        yes_bid=parse_price("0.4801"),
        floor_strike=0.1,
        price_ranges=(PriceRange(start=parse_price("0"), end=parse_price("1"), step=parse_price("0.001")),),
    )
    await warehouse.append([seal(market)])
    await warehouse.flush()
    (row,) = await warehouse.query("SELECT * FROM kalshi_markets")
    assert row["observed_at"] == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert (row["title"], row["yes_bid"], row["yes_ask"]) == (market.title, 480_100, None)
    assert row["custom_strike"] == [{"key": "team", "value": "abc"}, {"key": "other", "value": ""}]
    assert row["price_ranges"] == [{"start": 0, "end": 1_000_000, "step": 1_000}]
    assert row["floor_strike"] == 0.1


async def test_nested_times_are_times(warehouse: DuckWarehouse) -> None:
    quotes = (
        BookmakerMarket(
            bookmaker="a", market="h2h", last_update=NOW, outcomes=(OddsOutcome(name="x", price=1.9),)
        ),
        BookmakerMarket(bookmaker="b", market="h2h"),
    )
    odds = OddsSeen(observed_at=NOW, odds_event_id="e", sport_key="s", home="h", away="a", quotes=quotes)
    await warehouse.append([seal(odds)])
    await warehouse.flush()
    rows = await warehouse.query(
        "SELECT q.bookmaker, q.last_update, len(q.outcomes) AS n FROM sportsbook_odds, unnest(quotes) AS t(q)"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("a", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC), 1),
        ("b", None, 0),
    ]


@pytest.mark.parametrize(
    "change",
    [{"yes_bid": 10**30}, {"ticker": "broken \ud800"}, {"observed_at": 10**30}],
    ids=["integer beyond 64 bits", "broken text", "no date"],
)
async def test_a_row_no_table_takes_is_quarantined_and_the_rest_is_kept(
    warehouse: DuckWarehouse, change: dict[str, object]
) -> None:
    bad = msgspec.structs.replace(tick(2), **change)
    await warehouse.append([tick(1), bad, tick(3)])
    await warehouse.flush()
    assert await _count(warehouse) == 2
    (record,) = await warehouse.query("SELECT * FROM quarantine")
    assert record["source"] == "warehouse/kalshi_ticks"
    assert bad.event_id in record["sample"]


async def test_a_wrong_statement_is_malformed(warehouse: DuckWarehouse) -> None:
    with pytest.raises(MalformedError, match="nonsense"):
        await warehouse.query("SELECT nonsense")


async def test_parameters_are_bound_not_pasted(warehouse: DuckWarehouse) -> None:
    (row,) = await warehouse.query("SELECT ? AS x", ["'; DROP TABLE fills; --"])
    assert row["x"] == "'; DROP TABLE fills; --"


async def test_close_writes_what_is_queued_and_a_parquet_file_for_each_day(
    tmp_path: Path, clock: ManualClock
) -> None:
    warehouse = DuckWarehouse(tmp_path, clock)
    await warehouse.append([tick(0), tick(1), tick(86_400)])
    await warehouse.close()
    files = sorted((tmp_path / PARQUET / "kalshi_ticks").iterdir())
    assert [file.name for file in files] == ["2026-09-21.parquet", "2026-09-22.parquet"]
    counts = [
        duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(file)]).fetchone() for file in files
    ]
    assert counts == [(2,), (1,)]


async def test_an_export_writes_only_days_that_changed(warehouse: DuckWarehouse) -> None:
    await warehouse.append([tick(0), tick(86_400)])
    await warehouse.flush()
    assert await warehouse.export() == 2
    await warehouse.append([tick(1)])
    await warehouse.flush()
    assert await warehouse.export() == 1
    assert await warehouse.export() == 0


async def test_days_a_crash_left_uncopied_are_copied_after_reopening(
    tmp_path: Path, clock: ManualClock
) -> None:
    warehouse = DuckWarehouse(tmp_path, clock)
    await warehouse.append([tick(0), tick(86_400)])
    await warehouse.close()
    (tmp_path / PARQUET / "kalshi_ticks" / "2026-09-21.parquet").write_bytes(b"torn")
    warehouse = DuckWarehouse(tmp_path, clock)
    assert await warehouse.export() == 1
    await warehouse.close()


async def test_an_older_file_gets_the_columns_of_today(tmp_path: Path, clock: ManualClock) -> None:
    old = duckdb.connect(str(tmp_path / DATABASE))
    old.execute("CREATE TABLE kalshi_ticks (ticker VARCHAR, event_id VARCHAR, observed_at TIMESTAMPTZ)")
    old.execute("INSERT INTO kalshi_ticks VALUES ('OLD', 'e', '2026-01-01 00:00:00+00')")
    old.execute("CREATE TABLE kalshi_orderbook (yes_bids STRUCT(price BIGINT)[])")
    old.close()
    warehouse = DuckWarehouse(tmp_path, clock)
    await warehouse.append([tick(1)])
    await warehouse.flush()
    rows = await warehouse.query("SELECT ticker, yes_bid FROM kalshi_ticks_latest ORDER BY observed_at")
    assert [row["ticker"] for row in rows] == ["OLD", "KXTEST-1"]
    await warehouse.close()


async def test_a_history_of_a_version_without_a_table_is_read_as_if_it_were_empty(
    tmp_path: Path, clock: ManualClock
) -> None:
    warehouse = DuckWarehouse(tmp_path, clock)
    await warehouse.append([tick(1)])
    await warehouse.close()
    with duckdb.connect(str(tmp_path / DATABASE)) as older:
        older.execute("DROP VIEW odds_credits_latest; DROP TABLE odds_credits")
    kept = open_history(tmp_path, clock)
    assert kept.query("SELECT * FROM odds_credits_latest") == []
    assert len(kept.query("SELECT * FROM kalshi_ticks_latest")) == 1
    kept.close()


async def test_while_the_disk_refuses_rows_are_kept_and_new_ones_refused(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = DuckWarehouse(tmp_path, clock, batch_rows=1)
    with monkeypatch.context() as patch:
        patch.setattr(warehouse, "_load", _no_space)
        await warehouse.append([tick(1)])
        with pytest.raises(StorageError, match="disk is full"):
            await warehouse.append([tick(2)])
    await warehouse.append([tick(3)])
    rows = await warehouse.query("SELECT event_id FROM kalshi_ticks ORDER BY observed_at")
    assert [row["event_id"] for row in rows] == [tick(1).event_id, tick(3).event_id]
    await warehouse.close()


def _no_space(_: object) -> None:
    raise duckdb.IOException("IO Error: Could not write file: No space left on device")


async def test_the_flusher_writes_every_second_and_copies_every_half_minute(
    tmp_path: Path, clock: ManualClock
) -> None:
    warehouse = DuckWarehouse(tmp_path, clock, flush_s=1, snapshot_s=30)
    await warehouse.append([tick(1)])
    await _until(clock, lambda: not warehouse._queued)
    assert await _count(warehouse) == 1
    await _until(clock, (tmp_path / PARQUET / "snapshot").exists)
    await warehouse.close()


async def _until(clock: ManualClock, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await clock.advance(1)
            await asyncio.sleep(0.001)


# --- readers, and other processes ------------------------------------------------------------------------


async def test_history_reads_the_file_when_it_is_free(tmp_path: Path, clock: ManualClock) -> None:
    warehouse = DuckWarehouse(tmp_path, clock)
    await warehouse.append([tick(1), tick(1)])
    await warehouse.close()
    history = open_history(tmp_path, clock)
    assert history.notice == ""
    assert history.query("SELECT count(*) AS n FROM kalshi_ticks_latest") == [{"n": 1}]
    assert history.query("SELECT count(*) AS n FROM fills") == [{"n": 0}]
    history.close()


def test_no_history_says_where_it_was_looked_for(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(StorageError, match=r"no history in .*: run arb first"):
        open_history(tmp_path, clock)


_READ = """
import sys
from pathlib import Path
from shared.backends.local.history import open_history
from shared.clock import Instant, ManualClock

history = open_history(Path(sys.argv[1]), ManualClock(Instant(int(sys.argv[2]))))
print(history.notice)
print(history.query("SELECT count(*) AS n FROM kalshi_ticks_latest"))
print(history.query("SELECT count(*) AS n FROM fills_latest"))
"""

_WRITE = """
import sys
from pathlib import Path
from shared.backends.local.warehouse import DuckWarehouse
from shared.clock import SystemClock
from shared.errors import StorageError

try:
    DuckWarehouse(Path(sys.argv[1]), SystemClock())
except StorageError as exc:
    print(exc)
"""

_FLUSH_FOR_EVER = """
import asyncio, itertools, sys
from pathlib import Path
from shared.backends.local.warehouse import DuckWarehouse
from shared.clock import SystemClock
from tests.support.backends import tick

async def main():
    warehouse = DuckWarehouse(Path(sys.argv[1]), SystemClock())
    for n in itertools.count():
        await warehouse.append([tick(n)])
        await warehouse.flush()
        print(tick(n).event_id, flush=True)

asyncio.run(main())
"""


@pytest.mark.e2e
async def test_another_process_reads_the_copy_while_the_owner_writes(
    warehouse: DuckWarehouse, tmp_path: Path
) -> None:
    await warehouse.append([tick(1), tick(1), tick(2)])
    await warehouse.flush()
    await warehouse.export()
    notice, ticks, fills = finish(start(_READ, tmp_path, NOW + 12_000_000)).splitlines()
    assert notice == "arb is running: this is its copy of 12 s ago"
    assert (ticks, fills) == ("[{'n': 2}]", "[{'n': 0}]")


@pytest.mark.e2e
async def test_the_copy_of_a_run_on_a_clock_of_its_own_has_the_age_of_its_file(
    warehouse: DuckWarehouse, tmp_path: Path
) -> None:
    await warehouse.export()
    earlier = NOW - 3_600_000_000
    modified_ns = (earlier - 9_000_000) * 1_000
    os.utime(tmp_path / "history" / "snapshot", ns=(modified_ns, modified_ns))
    notice, _, _ = finish(start(_READ, tmp_path, earlier)).splitlines()
    assert notice == "arb is running: this is its copy of 9 s ago"


@pytest.mark.e2e
async def test_a_reader_before_the_first_copy_is_told_so(warehouse: DuckWarehouse, tmp_path: Path) -> None:
    notice, ticks, _ = finish(start(_READ, tmp_path, NOW)).splitlines()
    assert "has not copied any history yet" in notice
    assert ticks == "[{'n': 0}]"


@pytest.mark.e2e
async def test_a_second_writer_is_told_who_holds_the_file(warehouse: DuckWarehouse, tmp_path: Path) -> None:
    said = finish(start(_WRITE, tmp_path))
    assert "stop the other arb that uses this DATA_DIR" in said
    assert "PID" in said


@pytest.mark.e2e
async def test_a_killed_owner_loses_no_flushed_row(tmp_path: Path, clock: ManualClock) -> None:
    flushed = lines_until_killed(start(_FLUSH_FOR_EVER, tmp_path), 30)
    warehouse = DuckWarehouse(tmp_path, clock)
    stored = {row["event_id"] for row in await warehouse.query("SELECT event_id FROM kalshi_ticks")}
    await warehouse.close()
    assert set(flushed) <= stored


def test_a_damaged_file_is_a_storage_error(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageError, match="is damaged"):
        DuckWarehouse(tmp_path, clock)
