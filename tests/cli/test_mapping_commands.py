"""``arb map``, ``arb mapping`` and ``arb aliases`` as a user types them."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from shared.backends.local.documents import SqliteDocuments
from shared.backends.local.warehouse import DuckWarehouse
from shared.cli.app import _MANY, app
from shared.cli.output import spread
from shared.cli.places import DOCUMENTS
from shared.clock import Instant, ManualClock
from shared.errors import ArbError, ConfigError, StorageError
from shared.mapping.mapper import map_markets
from shared.mapping_files import COLUMNS
from shared.messages import seal
from shared.pipeline.places import SLATES
from tests.mapping.build import listed, odds

RULES = (
    "If Chicago wins the Chicago vs New York I NHL game originally scheduled for Oct 8, 2026,"
    " then the market resolves to Yes."
)
GAME = {
    "ticker": "KXNHLGAME-26OCT08CHINYI-CHI", "event_ticker": "KXNHLGAME-26OCT08CHINYI",
    "title": "Chicago wins", "yes_sub_title": "Chicago", "rules_primary": RULES, "status": "active",
}  # fmt: skip
OTHER = {"ticker": "KXNHLGAME-26OCT09CHINYR-CHI", "event_ticker": "KXNHLGAME-26OCT09CHINYR", "title": "<b>x"}
STRANGE = {
    "ticker": "KXWALESPREMGAME-26OCT08CARSWA-CAR", "event_ticker": "KXWALESPREMGAME-26OCT08CARSWA",
    "title": "Cardiff <script>alert(1)</script> wins",
}  # fmt: skip
EVENT = {
    "id": "a" * 32, "sport_key": "icehockey_nhl", "sport_title": "NHL", "bookmakers": [],
    "commence_time": "2026-10-08T23:30:00Z",
    "home_team": "New York Islanders", "away_team": "Chicago Blackhawks",
}  # fmt: skip


class Files:
    """One recorded page of each venue, and the options that name them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.markets, self.odds = folder / "markets.json", folder / "odds.json"
        self.markets.write_text(json.dumps({"markets": [GAME, OTHER, STRANGE]}), encoding="utf-8")
        self.odds.write_text(json.dumps([EVENT]), encoding="utf-8")
        self.options = ["--markets", str(self.markets), "--odds", str(self.odds)]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def arb(*arguments: str) -> Result:
    result = CliRunner().invoke(app, spread(arguments, _MANY))
    if isinstance(result.exception, ArbError):
        raise result.exception
    return result


# --- map ---------------------------------------------------------------------------------------------------


def test_map_writes_one_row_per_market_with_exactly_these_columns(files: Files) -> None:
    out = files.folder / "out.csv"
    assert arb("map", *files.options, "--out", str(out)).exit_code == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [bool(row["odds_event_id"]) for row in rows] == [True, False, False]
    assert all(row["reason"] for row in rows)


def test_a_dash_is_standard_output_and_nothing_else_is_there(files: Files) -> None:
    result = arb("map", *files.options, "--out", "-")
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert [row[0] for row in rows] == ["kalshi_ticker", *(m["ticker"] for m in (GAME, OTHER, STRANGE))]
    assert {len(row) for row in rows} == {5}
    assert "3 markets: 1 mapped, 2 refused" in result.stderr


def test_one_option_takes_several_files(files: Files) -> None:
    second = files.folder / "second.jsonl.gz"
    with gzip.open(second, "wt", encoding="utf-8") as file:
        file.write(json.dumps({**GAME, "ticker": "KXNHLGAME-26OCT08CHINYI-NYI", "rules_primary": ""}) + "\n")
    result = arb("map", "--markets", str(files.markets), str(second), "--odds", str(files.odds), "--out", "-")
    assert "4 markets: 2 mapped" in result.stderr


def test_a_ticker_alone_is_enough(files: Files) -> None:
    files.markets.write_text(json.dumps([{"ticker": GAME["ticker"]}]), encoding="utf-8")
    assert "1 markets: 1 mapped" in arb("map", *files.options, "--out", "-").stderr


def test_damage_is_named_and_the_rest_is_mapped(files: Files) -> None:
    files.markets.write_text(json.dumps(GAME) + "\n{torn", encoding="utf-8")
    result = arb("map", *files.options, "--out", "-")
    assert "1 markets: 1 mapped" in result.stderr
    assert "not usable" in result.stderr


def test_an_empty_file_gives_an_empty_table(files: Files) -> None:
    files.markets.write_bytes(b"")
    result = arb("map", *files.options, "--out", "-")
    assert result.stdout.strip() == ",".join(COLUMNS)
    assert "empty file" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("--markets", "nosuch.json", "--odds", "nosuch.json", "--out", "-"), StorageError, "nosuch.json"),
        (("--out", "/nosuch/out.csv"), StorageError, "cannot be written"),
        (("--out", "-", "--as-of", "yesterday"), ConfigError, "--as-of"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_it(
    files: Files, arguments: tuple[str, ...], error: type[ArbError], says: str
) -> None:
    given = arguments if "--markets" in arguments else (*files.options, *arguments)
    with pytest.raises(error, match=says):
        arb("map", *given)


# --- mapping report and explain ----------------------------------------------------------------------------


def test_the_report_counts_and_names_what_is_unknown(files: Files) -> None:
    told = arb("mapping", "report", *files.options).stdout
    assert re.search(r"NHL\s*│\s*2\s*│\s*1\s*│\s*50\.0 %", told)
    assert "unknown_series" in told
    assert "KXWALESPREMGAME" in told


def test_the_report_as_data(files: Files) -> None:
    told = json.loads(arb("mapping", "report", *files.options, "--json").stdout)
    cell = next(one for one in told["cells"] if one["day"] == "2026-10-08" and one["league"] == "NHL")
    assert (cell["markets"], cell["mapped"], cell["certified"], cell["refused"]) == (1, 1, 1, {})
    assert told["unknown"][0]["subject"] == "KXWALESPREMGAME"


def test_the_report_can_be_narrowed_to_a_league(files: Files) -> None:
    told = json.loads(arb("mapping", "report", *files.options, "--league", "nhl", "--json").stdout)
    assert {one["league"] for one in told["cells"]} == {"NHL"}


def test_the_page_stands_alone_and_shows_text_as_text(files: Files) -> None:
    page = files.folder / "report.html"
    assert arb("mapping", "report", *files.options, "--html", str(page)).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.count("<svg") == 3
    assert "KXWALESPREMGAME" in text
    assert not re.search(r"(?:src|href)=|https?://|<script", text)


def test_a_page_of_nothing_is_still_a_page(files: Files) -> None:
    files.markets.write_text("[]", encoding="utf-8")
    page = files.folder / "report.html"
    arb("mapping", "report", *files.options, "--html", str(page))
    assert "0 markets" in page.read_text(encoding="utf-8")


def test_a_market_is_explained_step_by_step(files: Files) -> None:
    told = arb("mapping", "explain", GAME["ticker"], *files.options).stdout
    steps = ("NHL (hockey), winner", "rules read as: Chicago and New York I", "verdict: different")
    for words in (*steps, "fits", "postponed: exchange pays a fair price"):
        assert words in told


def test_an_explanation_as_data(files: Files) -> None:
    told = json.loads(arb("mapping", "explain", OTHER["ticker"], *files.options, "--json").stdout)
    assert told["decision"]["odds_event_id"] == ""
    assert [one["step"] for one in told["steps"]][-1] == "decision"


def test_files_of_one_venue_alone_are_refused(files: Files) -> None:
    with pytest.raises(ConfigError, match="--odds is missing"):
        arb("mapping", "report", "--markets", str(files.markets))


def test_without_files_a_folder_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        arb("mapping", "explain", "X-1", "--data-dir", "/nosuch")


# --- aliases -----------------------------------------------------------------------------------------------


def test_proposals_are_a_table_for_review(files: Files) -> None:
    files.odds.write_text(json.dumps([{**EVENT, "away_team": "Chicago Blackhwaks"}]), encoding="utf-8")
    out = files.folder / "proposals.csv"
    assert arb("aliases", "propose", *files.options, "--out", str(out)).exit_code == 0
    with out.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["league"], row["column"], row["alias"], row["team"]) == (
        "NHL", "odds", "Chicago Blackhwaks", "Chicago Blackhawks",
    )  # fmt: skip
    assert row["seen"] == "a" * 32


def test_the_packaged_tables_pass_the_check() -> None:
    result = arb("aliases", "check")
    assert (result.exit_code, "no contradiction" in result.stdout) == (0, True)


def test_a_table_with_a_clash_fails_the_check_and_is_named(files: Files) -> None:
    table = files.folder / "nhl.csv"
    table.write_text(
        "name,nickname,kalshi,codes,odds,ids,source\n"
        "Chicago Blackhawks,,Chicago,CHI,,,seen\nChicago Wolves,,Chicago,CHW,,,seen\n",
        encoding="utf-8",
    )
    result = arb("aliases", "check", str(table), "--json")
    assert result.exit_code == 1
    assert any("'chicago' means" in one for one in json.loads(result.stdout)["problems"])


def test_a_file_that_is_no_table_fails_the_check(files: Files) -> None:
    (files.folder / "nhl.csv").write_bytes(b"\xff\xfe\x00")
    result = arb("aliases", "check", str(files.folder / "nhl.csv"))
    assert result.exit_code == 1
    assert "not UTF-8" in result.stdout


# --- a run instead of files --------------------------------------------------------------------------------


async def _run(folder: Path) -> None:
    """A folder as a run leaves it: listings and decisions in history, the slate in the documents."""
    clock = ManualClock(Instant(1_791_000_000_000_000))
    market = listed(
        GAME["ticker"], rules_primary=RULES, custom_strike={"hockey_team": "c1"}, title="Chicago wins"
    )
    event = odds("icehockey_nhl", "Chicago Blackhawks", "New York Islanders", "2026-10-08T23:30:00Z")
    old, new = map_markets([market], [], Instant(1)), map_markets([market], [event], Instant(2))
    warehouse = DuckWarehouse(folder, clock)
    await warehouse.append([seal(one) for one in (market, *old, *new)])
    await warehouse.close()
    documents = SqliteDocuments(folder / DOCUMENTS)
    await documents.create(f"{SLATES}/icehockey_nhl", {"events": [msgspec.to_builtins(event)], "at": 1})
    await documents.close()


def test_without_files_the_newest_decision_of_a_run_is_reported(tmp_path: Path) -> None:
    asyncio.run(_run(tmp_path))
    told = json.loads(arb("mapping", "report", "--data-dir", str(tmp_path), "--json").stdout)
    (cell,) = told["cells"]
    assert (cell["league"], cell["mapped"], cell["certified"]) == ("NHL", 1, 1)
    assert told["source"] == str(tmp_path)


def test_without_files_a_market_of_a_run_is_explained(tmp_path: Path) -> None:
    asyncio.run(_run(tmp_path))
    told = arb("mapping", "explain", GAME["ticker"], "--data-dir", str(tmp_path)).stdout
    assert "mapped to e1" in told
    assert "Chicago Blackhawks at New York Islanders, 2026-10-08T23:30:00Z: fits" in told
