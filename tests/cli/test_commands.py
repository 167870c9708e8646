"""Every command as a person types it: what it says, what it refuses, and its exit code."""

from __future__ import annotations

import asyncio
import getpass
import io
import json
import socket
import sys
from pathlib import Path

import pytest

from shared.backends.local.documents import SqliteDocuments
from shared.backends.local.warehouse import DuckWarehouse
from shared.cli.output import escape, spread, table, usd
from shared.clock import SystemClock
from shared.errors import ConfigError
from tests.support.arb import Terminal

COMMANDS = (
    "run",
    "replay",
    "map",
    "sim",
    "doctor",
    "status",
    "halt",
    "kill",
    "resume",
    "pnl",
    "signals",
    "why",
    "query",
    "schema",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(terminal: Terminal, command: str) -> None:
    result = terminal.arb(command, "--help")
    assert result.code == 0
    assert "Usage: arb" in result.out


def test_without_a_command_arb_lists_them(terminal: Terminal) -> None:
    result = terminal.arb()
    assert all(command in result.out for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--speed", "0"), "choose 1 to 600"),
        (("run", "--speed", "nan"), "choose 1 to 600"),
        (("run", "--seconds", "-1"), "--seconds"),
        (("run", "--profile", "reckless"), "--profile"),
        (("run", "--live"), "--live"),
        (("sim", "--speed", "0"), "choose 0.1 to 600"),
        (("sim", "--speed", "nan"), "choose 0.1 to 600"),
        (("sim", "--port", "70000"), "--port"),
        (("sim", "--scenario", "none.json"), "none.json: cannot be read"),
        (("signals", "--limit", "-5"), "--limit"),
        (("replay", "nothing.json"), "does not exist"),
        (("replay", "."), "no recorded files"),
        (("pnl",), "nothing has run"),
        (("signals",), "nothing has run"),
        (("why", "abc"), "nothing has run"),
        (("status",), "nothing has run"),
        (("halt", "stop"), "nothing has run"),
        (("resume",), "nothing has run"),
        (("pnl", "--data-dir", "nowhere"), "is not a folder"),
        (("pnl", "--data-dir", "."), "no history in"),
        (("status", "--data-dir", "."), "holds no state"),
        (("schema", "--folder", "/dev/null/x"), "cannot be written"),
        (("query", "pnl_by_day"), "nothing has run"),
        (("query", "no_such_view"), "arb query lists them"),
        (("query", "pnl_by_day", "--since", "yesterday"), "give a day"),
        (("query", "pnl_by_day", "--limit", "0"), "--limit"),
        (("map", "--markets", "no.json", "--odds", "no.json", "--out", "-"), "cannot be read"),
    ],
)
def test_what_cannot_be_done_says_why_and_exits_with_2(
    terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    result = terminal.arb(*arguments)
    assert result.code == 2
    assert said in result.err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAX_DAILY_LOSS_USD", "plenty", "MAX_DAILY_LOSS_USD=1000"),
        ("KALSHI_KEY_ID", "an-id", "set KALSHI_PRIVATE_KEY_PATH"),
        ("PROFILE", "reckless", "PROFILE"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_the_fix(
    terminal: Terminal, name: str, value: str, said: str
) -> None:
    terminal.patch.setenv(name, value)
    result = terminal.arb("run", "--seconds", "1")
    assert result.code == 2
    assert said in result.err


def test_a_key_file_that_is_not_there_is_named(terminal: Terminal) -> None:
    terminal.patch.setenv("KALSHI_KEY_ID", "an-id")
    terminal.patch.setenv("KALSHI_PRIVATE_KEY_PATH", str(terminal.folder / "key.pem"))
    result = terminal.arb("run", "--seconds", "1")
    assert (result.code, "key.pem cannot be read" in result.err) == (2, True)


def test_a_key_that_is_no_key_is_refused_before_anything_runs(terminal: Terminal) -> None:
    key = terminal.folder / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n")
    terminal.patch.setenv("KALSHI_KEY_ID", "an-id")
    terminal.patch.setenv("KALSHI_PRIVATE_KEY_PATH", str(key))
    result = terminal.arb("run", "--seconds", "1")
    assert result.code == 2
    assert "bm90" not in result.err


def test_a_data_dir_that_cannot_be_written_is_named(terminal: Terminal) -> None:
    (terminal.folder / "file").write_text("")
    terminal.patch.setenv("DATA_DIR", str(terminal.folder / "file"))
    result = terminal.arb("run", "--seconds", "1")
    assert (result.code, "set DATA_DIR to a folder of yours" in result.err) == (2, True)


def test_a_port_in_use_is_named(terminal: Terminal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = terminal.arb("sim", "--port", taken.getsockname()[1], "--seconds", "1")
    assert (result.code, "choose another with --port" in result.err) == (2, True)


def test_the_simulator_prints_settings_that_can_be_pasted(terminal: Terminal) -> None:
    result = terminal.arb("sim", "--port", "0", "--seconds", "0.1")
    lines = [line for line in result.out.splitlines() if "=" in line]
    assert {line.partition("=")[0] for line in lines} == {
        "KALSHI_BASE_URL", "KALSHI_WS_URL", "KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY", "ODDS_API_BASE_URL",
        "ODDS_API_KEY",
    }  # fmt: skip


def test_schemas_are_written_checked_and_found_drifted(terminal: Terminal) -> None:
    places = ("--folder", "schemas", "--views", "bigquery")
    assert terminal.arb("schema", *places).code == 0
    assert terminal.arb("schema", *places, "--check").code == 0
    next(Path("schemas").rglob("*.proto")).write_text("drift")
    result = terminal.arb("schema", *places, "--check")
    assert result.code == 1
    assert "drifted" in result.err


# --- a folder with a run in it ------------------------------------------------------------------------------


@pytest.fixture
def ran(terminal: Terminal) -> Terminal:
    """A terminal where something has run: state and history are there, and empty."""
    folder = terminal.folder / "var" / "paper"

    async def make() -> None:
        warehouse = DuckWarehouse(folder, SystemClock())
        await warehouse.close()
        documents = SqliteDocuments(folder / "documents.sqlite")
        await documents.close()

    asyncio.run(make())
    (terminal.folder / "var" / "current").write_text("paper")
    return terminal


def answering(terminal: Terminal, answer: str) -> None:
    terminal.patch.setattr(sys, "stdin", io.StringIO(answer))


def test_an_empty_history_says_so(ran: Terminal) -> None:
    assert "nothing has been traded yet" in ran.arb("pnl").out
    assert "no signals yet" in ran.arb("signals").out
    result = ran.arb("why", "abc")
    assert (result.code, "arb signals lists them" in result.err) == (2, True)


def test_json_is_one_document_on_standard_output(ran: Terminal) -> None:
    for command in ("pnl", "signals", "status"):
        assert isinstance(json.loads(ran.arb(command, "--json").out), dict)


def test_a_halt_is_told_by_status_and_lifted_by_a_yes(ran: Terminal) -> None:
    assert "halted" in ran.arb("halt", "odd [prices]").out
    assert "odd [prices]" in ran.arb("status").out
    answering(ran, "n\n")
    assert ran.arb("resume").code == 1
    assert "halted" in ran.arb("status").out
    answering(ran, "y\n")
    assert ran.arb("resume").code == 0
    assert "trading allowed" in ran.arb("status").out
    assert "is not halted" in ran.arb("resume").out


def test_a_resume_that_nobody_answers_changes_nothing(ran: Terminal) -> None:
    ran.arb("halt", "stop")
    answering(ran, "")
    assert ran.arb("resume").code == 1
    assert json.loads(ran.arb("status", "--json").out)["halted"]


def test_a_user_without_a_name_can_halt(ran: Terminal) -> None:
    def nameless() -> str:
        raise OSError("no user with this id")

    ran.patch.setattr(getpass, "getuser", nameless)
    assert ran.arb("halt", "stop").code == 0
    assert "somebody: stop" in ran.arb("status").out


def test_a_folder_named_by_hand_wins_over_the_newest(ran: Terminal) -> None:
    assert ran.arb("pnl", "--data-dir", "var/paper").code == 0


def test_a_damaged_history_is_named_with_the_fix(ran: Terminal) -> None:
    (ran.folder / "var" / "paper" / "history.duckdb").write_bytes(b"not a database" * 400)
    result = ran.arb("pnl")
    assert result.code == 2
    assert "history.duckdb" in result.err


def test_a_damaged_state_is_named_with_the_fix(ran: Terminal) -> None:
    (ran.folder / "var" / "paper" / "documents.sqlite").write_bytes(b"not a database" * 400)
    for name in ("-wal", "-shm"):
        (ran.folder / "var" / "paper" / f"documents.sqlite{name}").unlink(missing_ok=True)
    result = ran.arb("status")
    assert result.code == 2
    assert "documents.sqlite is damaged: move it away" in result.err


# --- how things are printed ---------------------------------------------------------------------------------


def test_options_that_take_many_values_are_spread() -> None:
    given = ["map", "--markets", "a", "b", "--out", "-", "--odds", "c", "d"]
    assert spread(given, ("--markets", "--odds")) == [
        "map", "--markets", "a", "--markets", "b", "--out", "-", "--odds", "c", "--odds", "d",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[/]", "[bold]x", "[link=evil]", "a\x1b[31mred", "[1, 2]", "back\\[slash]"])
def test_text_from_outside_is_printed_as_it_is_and_moves_no_cursor(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from shared.cli.output import console

    console.print(escape(text), highlight=False)
    console.print(table("t", ("a",), [(text,)]))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines()[0] == text.replace("\x1b", " ")


def test_an_error_with_brackets_is_told_in_full(terminal: Terminal) -> None:
    from shared.cli.output import fail

    with pytest.raises(SystemExit):
        fail(ConfigError("choose one of [a, b] or [/c]"))
    assert "choose one of [a, b] or [/c]" in terminal.captured.readouterr().err


def test_losses_have_their_sign_before_the_dollar() -> None:
    assert (usd(-1_234_567), usd(0), usd(1_000_000_000)) == ("-$1.23", "$0.00", "$1,000.00")
