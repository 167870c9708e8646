"""Bad input at the command line: what is good in a file is used, what is bad is named, and nothing is lost.

:data:`COVERED` names, for every kind of bad input, the tests that stand for it at every level.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.arb import Terminal
from tests.venues.kalshi.rows import MARKET

ROOT = Path(__file__).parent

COVERED: dict[str, tuple[str, ...]] = {
    "unparseable page": (
        "test_bad_input.py::test_the_good_rows_of_a_bad_page_are_mapped_and_the_bad_ones_named",
        "runtime/test_refusals.py::test_a_page_that_is_no_page_is_an_alert",
        "runtime/test_local.py::test_a_torn_page_costs_a_poll_and_no_more",
        "venues/test_files.py::test_no_bytes_make_the_reader_raise",
        "functions/test_functions.py::test_poison_is_acknowledged_and_quarantined",
    ),
    "missing fields": (
        "test_bad_input.py::test_the_good_rows_of_a_bad_page_are_mapped_and_the_bad_ones_named",
        "venues/kalshi/test_normalise.py::test_missing_numbers_stay_missing",
        "test_messages.py::test_any_json_without_the_required_fields_is_input_to_quarantine",
    ),
    "wrong types": (
        "test_bad_input.py::test_the_good_rows_of_a_bad_page_are_mapped_and_the_bad_ones_named",
        "venues/kalshi/test_normalise.py::test_a_bad_row_costs_only_itself",
        "test_money.py::test_a_price_of_another_type_is_refused",
    ),
    "NaN": (
        "test_bad_input.py::test_the_good_rows_of_a_bad_page_are_mapped_and_the_bad_ones_named",
        "test_messages.py::test_a_float_that_is_no_number_never_reaches_the_wire_as_one",
        "edges/test_confidence.py::test_what_is_not_a_number_is_refused",
    ),
    "negative sizes": (
        "test_bad_input.py::test_a_quote_that_makes_no_sense_is_never_bought",
        "pipeline/test_kalshi_scrape.py::test_a_bad_row_is_quarantined_and_the_rest_is_listed",
        "books/test_book.py::test_a_level_below_zero_is_a_desync_until_the_next_snapshot",
        "execution/test_books.py::test_a_snapshot_that_makes_no_sense_is_a_broken_book",
    ),
    "crossed books": (
        "test_bad_input.py::test_a_quote_that_makes_no_sense_is_never_bought",
        "books/test_book.py::test_a_locked_or_crossed_book_shows_no_quotes",
        "books/test_firewall.py::test_a_locked_book_is_refused_as_crossed",
        "replay/test_engine.py::test_a_crossed_listing_is_no_price",
    ),
    "duplicate tickers": (
        "test_bad_input.py::test_a_ticker_given_twice_is_one_row",
        "pipeline/test_kalshi_scrape.py::test_a_ticker_listed_twice_in_one_page_is_said_once",
        "functions/test_functions.py::test_the_same_push_twice_is_decided_once",
    ),
    "clock jumps": (
        "runtime/test_refusals.py::test_a_clock_that_jumps_stops_no_loop_and_spoils_no_books",
        "risk/test_book.py::test_a_clock_set_back_forgets_no_loss",
        "pipeline/test_odds_scrape.py::test_a_new_day_has_new_credits_and_a_clock_set_back_has_none",
    ),
    "truncated gz": (
        "test_bad_input.py::test_a_cut_off_gzip_gives_what_was_whole_and_says_where_it_ends",
        "venues/test_files.py::test_a_cut_off_gzip_keeps_the_lines_before_the_cut",
    ),
    "empty files": (
        "test_bad_input.py::test_an_empty_file_is_named",
        "test_bad_input.py::test_a_replay_of_nothing_usable_says_so",
    ),
    "unknown series": (
        "test_bad_input.py::test_an_unknown_series_is_refused_by_name",
        "mapping/test_coverage.py::test_unknown_series_codes_and_templates_are_named_once_each",
    ),
    "401 with each error_code": (
        "runtime/test_refusals.py::test_a_401_of_the_exchange_ends_the_run_with_its_fix",
        "runtime/test_refusals.py::test_a_401_of_the_feed_ends_the_run_with_its_fix",
        "cli/test_two_processes.py::test_a_key_the_exchange_does_not_know_ends_the_run_with_the_fix",
        "venues/kalshi/test_answers.py::test_a_recorded_401_names_the_venues_code_and_the_fix",
    ),
    "exhausted credits": (
        "runtime/test_local.py::test_used_up_credits_are_an_alert_and_the_rest_goes_on",
        "pipeline/test_odds_scrape.py::test_what_the_feed_says_is_left_is_never_exceeded",
        "pipeline/test_odds_scrape.py::test_a_restart_does_not_spend_the_day_again",
    ),
    "disk full": (
        "runtime/test_local.py::test_a_full_disk_ends_the_run_with_the_fix",
        "runtime/test_local.py::test_what_a_full_disk_refused_is_tried_once_more_at_the_end",
        "runtime/test_local.py::test_documents_that_cannot_be_written_end_the_run_before_anything_is_sent",
        "runtime/test_local.py::test_history_gets_the_fills_that_a_crash_kept_from_it",
        "backends/test_sqlite_documents.py::test_a_full_disk_is_a_storage_error_and_what_was_stored_stays",
        "backends/test_warehouse.py::test_while_the_disk_refuses_rows_are_kept_and_new_ones_refused",
    ),
    "second process on the same files": (
        "cli/test_two_processes.py::test_a_second_run_is_refused_and_the_first_goes_on",
        "backends/test_warehouse.py::test_a_second_writer_is_told_who_holds_the_file",
        "backends/test_sqlite_documents.py::test_four_processes_lose_no_increment",
    ),
}


@pytest.mark.parametrize("kind", COVERED)
def test_every_test_that_is_named_is_there(kind: str) -> None:
    for named in COVERED[kind]:
        path, _, test = named.partition("::")
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text(), re.MULTILINE), named


# --- files at the command line ------------------------------------------------------------------------------

GOOD: dict[str, Any] = MARKET | {
    "yes_bid_dollars": "0.4400",
    "yes_ask_dollars": "0.4600",
    "rules_primary": "If Philadelphia wins the Philadelphia vs Chicago Pro Football game originally "
    "scheduled for Sep 28, 2026, then the market resolves to Yes.",
}
OTHER = "KXNFLGAME-26SEP28PHICHI-CHI"


def game() -> dict[str, Any]:
    outcomes = [{"name": "Philadelphia Eagles", "price": 1.85}, {"name": "Chicago Bears", "price": 2.1}]
    names = ("pinnacle", "draftkings", "fanduel", "betmgm")
    return {
        "id": "ab" * 16,
        "sport_key": "americanfootball_nfl",
        "commence_time": "2026-09-29T00:15:00Z",
        "home_team": "Chicago Bears",
        "away_team": "Philadelphia Eagles",
        "bookmakers": [
            {
                "key": name,
                "last_update": "2026-09-28T12:00:00Z",
                "markets": [{"key": "h2h", "outcomes": outcomes}],
            }
            for name in names
        ],
    }


class Desk:
    """A terminal with one good odds file beside whatever markets a test writes."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal, self.folder = terminal, terminal.folder
        (self.folder / "odds.json").write_text(json.dumps([game()]))

    def markets(self, *rows: Any, name: str = "markets.json") -> Path:
        return self.written(json.dumps({"markets": list(rows), "cursor": ""}).encode(), name)

    def written(self, data: bytes, name: str = "markets.json") -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def mapped(self, markets: Path) -> tuple[list[dict[str, str]], str]:
        """Rows of ``arb map`` and what it said beside them."""
        result = self.terminal.arb("map", "--markets", markets, "--odds", "odds.json", "--out", "out.csv")
        assert result.code == 0, result.err
        with open("out.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file)), result.err


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(Terminal(tmp_path, monkeypatch, capsys))


def test_a_good_page_maps_without_a_word_of_damage(desk: Desk) -> None:
    rows, said = desk.mapped(desk.markets(GOOD))
    assert [row["odds_event_id"] for row in rows] == ["ab" * 16]
    assert "not usable" not in said


Bend = Callable[[dict[str, Any]], Any]
BAD_ROWS: dict[str, tuple[Bend, str]] = {
    "no ticker": (lambda row: {k: v for k, v in row.items() if k != "ticker"}, "ticker"),
    "a ticker that is a number": (lambda row: row | {"ticker": 7}, "ticker"),
    "a price that is a list": (lambda row: row | {"yes_ask_dollars": ["0.46"]}, "yes_ask_dollars"),
    "a price that is a word": (lambda row: row | {"yes_ask_dollars": "cheap"}, "cheap"),
    "a price that is not a number": (lambda row: row | {"yes_ask_dollars": "NaN"}, "NaN"),
    "a price beyond a dollar": (lambda row: row | {"yes_ask_dollars": "1.0100"}, "1.0100"),
    "a time that is no time": (lambda row: row | {"close_time": "tomorrow"}, "tomorrow"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_the_good_rows_of_a_bad_page_are_mapped_and_the_bad_ones_named(desk: Desk, name: str) -> None:
    bend, said = BAD_ROWS[name]
    rows, told = desk.mapped(desk.markets(GOOD, bend(GOOD | {"ticker": OTHER})))
    by_ticker = {row["kalshi_ticker"]: row for row in rows}
    assert by_ticker[GOOD["ticker"]]["odds_event_id"] == "ab" * 16
    assert OTHER not in by_ticker
    assert "not usable" in told
    assert "markets.json" in told
    assert said in told


def test_bare_nan_in_a_page_is_not_json_and_the_rest_of_it_is_kept(desk: Desk) -> None:
    page = b"".join(
        json.dumps(row).encode() + b"\n"
        for row in (GOOD, GOOD | {"ticker": OTHER, "floor_strike": float("nan")})
    )
    rows, told = desk.mapped(desk.written(page, "markets.jsonl"))
    assert [row["kalshi_ticker"] for row in rows] == [GOOD["ticker"]]
    assert "not usable" in told


def test_a_ticker_given_twice_is_one_row(desk: Desk) -> None:
    rows, _ = desk.mapped(desk.markets(GOOD, GOOD, GOOD | {"yes_ask_dollars": "0.4700"}))
    assert [row["kalshi_ticker"] for row in rows] == [GOOD["ticker"]]


def test_an_unknown_series_is_refused_by_name(desk: Desk) -> None:
    stranger = GOOD | {"ticker": "KXQUIDDITCH-26SEP28GRYSLY-GRY", "event_ticker": "KXQUIDDITCH-26SEP28GRYSLY"}
    rows, _ = desk.mapped(desk.markets(GOOD, stranger))
    refused = {row["kalshi_ticker"]: row for row in rows}[stranger["ticker"]]
    assert refused["odds_event_id"] == ""
    assert "KXQUIDDITCH" in refused["reason"]


def test_a_cut_off_gzip_gives_what_was_whole_and_says_where_it_ends(desk: Desk) -> None:
    lines = [
        GOOD | {"ticker": f"{GOOD['ticker']}{index:04d}", "title": str(index) * 40} for index in range(400)
    ]
    page = "\n".join(json.dumps(row) for row in [GOOD, *lines])
    whole = gzip.compress(page.encode())
    rows, told = desk.mapped(desk.written(whole[: len(whole) // 2], "markets.jsonl.gz"))
    assert rows[0]["kalshi_ticker"] == GOOD["ticker"]
    assert 1 < len(rows) < 401
    assert "not usable" in told
    assert "markets.jsonl.gz" in told


@pytest.mark.parametrize("name", ["markets.json", "markets.jsonl", "markets.csv", "markets.json.gz"])
def test_an_empty_file_is_named(desk: Desk, name: str) -> None:
    data = gzip.compress(b"", mtime=0) if name.endswith(".gz") else b""
    rows, told = desk.mapped(desk.written(data, name))
    assert rows == []
    assert f"{name}: empty file" in told
    assert "no markets were found" in told


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"\x00\xff\xfe" * 50,
        b"[" * 100_000,
        b'{"markets": [',
        b"{}",
        b"[]",
        b"null",
        gzip.compress(b'{"markets": []}', mtime=0)[:-6],
        b"\x1f\x8b",
    ],
)
def test_a_replay_of_nothing_usable_says_so(desk: Desk, data: bytes) -> None:
    result = desk.terminal.arb("replay", desk.written(data, "tape.json"))
    assert result.code == 2
    assert "nothing to replay in 1 files" in result.err


def test_a_replay_names_what_it_could_not_use_and_plays_the_rest(desk: Desk) -> None:
    desk.markets(GOOD, GOOD | {"ticker": OTHER, "yes_ask_dollars": "NaN"})
    result = desk.terminal.arb("replay", "markets.json", "odds.json", "--json")
    played = json.loads(result.out)
    assert (result.code, played["listings"], played["odds"]) == (0, 1, 1)
    assert any("NaN" in reason for reason in played["quarantined"])


@pytest.mark.parametrize(
    "quote",
    [
        {"yes_bid_dollars": "0.4700"},
        {"yes_ask_size_fp": "-5.00"},
        {"yes_ask_size_fp": "0.00"},
        {"yes_ask_dollars": "0.0000"},
        {"yes_bid_dollars": None, "yes_bid_size_fp": None},
    ],
    ids=["crossed", "negative size", "no size", "no ask", "no bid"],
)
def test_a_quote_that_makes_no_sense_is_never_bought(desk: Desk, quote: dict[str, Any]) -> None:
    desk.markets(GOOD | quote)
    played = json.loads(desk.terminal.arb("replay", "markets.json", "odds.json", "--json").out)
    assert played["signals"] == played["fills"] == []


def test_a_link_to_nowhere_in_a_folder_is_passed_over(desk: Desk) -> None:
    desk.markets(GOOD)
    (desk.folder / "gone.json").symlink_to(desk.folder / "nowhere.json")
    assert desk.terminal.arb("replay", ".", "--json").code == 0
