"""Recorded files in, one CSV row per market out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from shared.clock import parse_instant
from shared.mapping_files import COLUMNS, map_files, write_csv
from shared.messages import Quarantined

MARKETS = [
    {"ticker": "KXNHLGAME-26OCT08CHINYI-CHI", "event_ticker": "KXNHLGAME-26OCT08CHINYI", "recorded": False},
    {
        "ticker": "KXNHLGAME-26OCT08CHINYI-CHI",
        "event_ticker": "KXNHLGAME-26OCT08CHINYI",
        "title": "Chicago at New York I Winner?",
    },
    {"ticker": "KXNHLGAME-26OCT09CHINYR-CHI", "event_ticker": "KXNHLGAME-26OCT09CHINYR", "recorded": False},
]


def event(start: str, seen: str) -> dict[str, object]:
    return {
        "committed_at": seen,
        "event": {
            "id": "a" * 32,
            "sport_key": "icehockey_nhl",
            "sport_title": "NHL",
            "commence_time": start,
            "home_team": "New York Islanders",
            "away_team": "Chicago Blackhawks",
            "bookmakers": [],
        },
    }


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_each_ticker_gets_one_row_with_a_reason(tmp_path: Path) -> None:
    markets = write(tmp_path / "markets.jsonl", list(MARKETS))
    feed = write(tmp_path / "odds.jsonl", [event("2026-10-08T23:30:00Z", "2026-10-08T12:00:00Z")])
    write_csv(map_files([markets], [feed]), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["kalshi_ticker"], row["odds_event_id"]) for row in rows] == [
        ("KXNHLGAME-26OCT08CHINYI-CHI", "a" * 32),
        ("KXNHLGAME-26OCT09CHINYR-CHI", ""),
    ]
    assert json.loads(rows[0]["certificate"])["sides"] == ["Chicago Blackhawks", "New York Islanders"]
    assert rows[1]["certificate"] == ""
    assert all(row["reason"] for row in rows)


def test_the_listing_with_the_most_text_is_used(tmp_path: Path) -> None:
    markets = write(tmp_path / "markets.jsonl", [MARKETS[1], MARKETS[0]])
    feed = write(tmp_path / "odds.jsonl", [event("2026-10-08T23:30:00Z", "2026-10-08T12:00:00Z")])
    assert "title name" in map_files([markets], [feed])[0].reason


def test_as_of_does_not_see_the_future(tmp_path: Path) -> None:
    markets = write(tmp_path / "markets.jsonl", list(MARKETS))
    feed = write(
        tmp_path / "odds.jsonl",
        [
            event("2026-10-07T23:30:00Z", "2026-10-01T12:00:00Z"),
            event("2026-10-08T23:30:00Z", "2026-10-05T12:00:00Z"),
        ],
    )
    early = parse_instant("2026-10-02T00:00:00Z")
    assert map_files([markets], [feed], early)[0].odds_event_id == ""
    assert map_files([markets], [feed])[0].odds_event_id == "a" * 32


def test_damage_is_reported_and_nothing_else_lost(tmp_path: Path) -> None:
    markets = tmp_path / "markets.jsonl"
    markets.write_text("{broken\n" + json.dumps(MARKETS[0]), encoding="utf-8")
    feed = write(tmp_path / "odds.jsonl", [event("2026-10-08T23:30:00Z", "2026-10-08T12:00:00Z")])
    damaged: list[Quarantined] = []
    decisions = map_files([markets], [feed], on_quarantined=damaged.append)
    assert len(decisions) == 1
    assert len(damaged) == 1
