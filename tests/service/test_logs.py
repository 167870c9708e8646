"""Log lines: one record is one line, with its ids and without secrets, in both forms."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.config import LogFormat
from shared.service.logs import logging_to, tell
from shared.service.redact import Redactor
from shared.terms import OrderStatus
from shared.trace import Ids, about
from tests.service.messages import fill, order

_log = logging.getLogger("shared.somewhere")
Read = Callable[[], list[str]]


@pytest.fixture
def json_lines(tmp_path: Path) -> Iterator[Read]:
    file = tmp_path / "arb.log"
    with logging_to(file, LogFormat.JSON, Redactor(["s3cr3t-value"]), stderr=False):
        yield lambda: file.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def text_lines(tmp_path: Path) -> Iterator[Read]:
    file = tmp_path / "arb.log"
    with logging_to(file, LogFormat.TEXT, Redactor(), stderr=False):
        yield lambda: file.read_text(encoding="utf-8").splitlines()


def test_a_json_line_has_time_level_logger_message_and_the_ids_at_hand(json_lines: Read) -> None:
    with about(Ids(trace_id="t1", order_id="o1", signal_id="s1", ticker="KX-1")):
        _log.warning("book %s is stale", "KX-1")
    [line] = json_lines()
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "severity": "WARNING",
        "level": "WARNING",
        "logger": "shared.somewhere",
        "message": "book KX-1 is stale",
        "trace_id": "t1",
        "order_id": "o1",
        "signal_id": "s1",
        "ticker": "KX-1",
    }


def test_the_time_is_the_records_own(json_lines: Read) -> None:
    record = _log.makeRecord(_log.name, logging.INFO, "", 0, "then", (), None)
    record.created = 1_790_000_000.25
    _log.handle(record)
    assert json.loads(json_lines()[0])["time"] == "2026-09-21T14:13:20.250000Z"


def test_an_id_given_with_the_call_wins(json_lines: Read) -> None:
    with about(Ids(order_id="outer")):
        _log.info("x", extra={"order_id": "inner"})
    assert json.loads(json_lines()[0])["order_id"] == "inner"


def test_no_secret_survives_in_message_arguments_exception_or_ids(json_lines: Read) -> None:
    try:
        raise ValueError("apiKey=hidden1 s3cr3t-value")
    except ValueError:
        _log.exception("GET /x?apiKey=%s", "hidden2", extra={"ticker": "s3cr3t-value"})
    text = "\n".join(json_lines())
    assert "ValueError" in text
    for hidden in ("hidden1", "hidden2", "s3cr3t-value"):
        assert hidden not in text


def test_a_wrong_log_call_is_logged_and_breaks_nothing(json_lines: Read) -> None:
    _log.warning("%d of %d", "one")
    assert "not formatted: TypeError" in json.loads(json_lines()[0])["message"]


def test_broken_text_and_huge_text_are_still_one_line_of_json(json_lines: Read) -> None:
    _log.warning("half a pair \ud800, a zero \x00, an end\nand another")
    _log.warning("x y " * 100_000)
    first, second = (json.loads(line)["message"] for line in json_lines())
    assert first == "half a pair ?, a zero \x00, an end\nand another"
    assert second.endswith("(shortened)")
    assert len(second) < 20_000


def test_a_text_line_cannot_be_forged_or_move_the_cursor(text_lines: Read) -> None:
    _log.warning("title: %s", "x\n2026-01-01T00:00:00Z ERROR shared: forged\x1b[2J\r\u2028y")
    [line] = text_lines()
    assert r"x\n2026-01-01" in line
    assert "\x1b" not in line


def test_a_text_line_ends_with_its_ids_and_an_exception_is_indented(text_lines: Read) -> None:
    try:
        raise ValueError("no")
    except ValueError:
        _log.exception("failed", extra={"order_id": "o1"})
    lines = text_lines()
    assert lines[0].endswith("ERROR shared.somewhere: failed order_id=o1")
    assert lines[-1] == "  ValueError: no"
    assert all(line.startswith("  ") for line in lines[1:])


def test_other_libraries_are_heard_from_warnings_up(text_lines: Read) -> None:
    logging.getLogger("elsewhere").info("chatter")
    logging.getLogger("elsewhere").warning("trouble")
    assert [line.split(": ", 1)[1] for line in text_lines()] == ["trouble"]


def test_a_file_that_cannot_be_written_is_done_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_to(tmp_path / "none" / "arb.log", LogFormat.JSON, Redactor(), stderr=True):
        _log.warning("still here")
    assert json.loads(capsys.readouterr().err)["message"] == "still here"


def test_afterwards_nothing_of_it_is_left(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    with logging_to(tmp_path / "arb.log", LogFormat.TEXT, Redactor(), stderr=True):
        assert len(logging.getLogger().handlers) == len(before) + 2
    assert logging.getLogger().handlers == before


async def test_what_happens_to_an_order_is_told_in_words(text_lines: Read) -> None:
    lost = order(OrderStatus.UNKNOWN, reasons=("VenueDownError while sending",))
    for message in (lost, fill()):
        with about(message):
            await tell(message)
    first, second = text_lines()
    assert "WARNING" in first
    assert "order unknown: 10.00 yes to 0.5200 (VenueDownError while sending)" in first
    assert first.endswith("order_id=o1 signal_id=s1 ticker=KX")
    assert "filled: 10.00 yes at 0.5100, fee 0.0175" in second
