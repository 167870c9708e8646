"""Every template of contract text, old and new."""

from __future__ import annotations

import pytest

from shared.mapping.tables import leagues
from shared.mapping.titles import claim_of_label, claim_of_rules, read_rules, read_sub_title, read_title
from shared.terms import MarketKind

BY_NAME = {league.name: league for league in leagues()}


@pytest.mark.parametrize(
    ("league", "title", "pair"),
    [
        (
            "NFL",
            "Will Cincinnati win the Detroit vs Cincinnati Pro Football game?",
            ("Detroit", "Cincinnati", False),
        ),
        ("WNBA", "Indiana vs Phoenix winner?", ("Indiana", "Phoenix", False)),
        ("NBA", "Game 5: New York at San Antonio Winner?", ("New York", "San Antonio", True)),
        (
            "WNBA",
            "Indiana vs Chicago women's Pro Basketball game: Over 180.5 points?",
            ("Indiana", "Chicago", False),
        ),
        ("NFL", "CAR Panthers vs CLE Browns: Total Points", ("CAR Panthers", "CLE Browns", False)),
        ("UFC", "Fight Night: Hernandez vs Dumas", ("Hernandez", "Dumas", False)),
        ("ATP", "Will Jiri Lehecka win the Lehecka vs Fils : Semifinal match?", ("Lehecka", "Fils", False)),
        ("MLB", "Washington vs Colorado: First 5 Spread", ("Washington", "Colorado", False)),
        ("NCAAB", "Iowa St. at BYU Winner?", ("Iowa St.", "BYU", True)),
    ],
)
def test_every_title_template_names_both_sides(league: str, title: str, pair: tuple[str, str, bool]) -> None:
    found = read_title(title, BY_NAME[league])
    assert found is not None
    assert (found.a, found.b, found.at) == pair


@pytest.mark.parametrize(
    "title", ["New York G wins", "Over 63.5 points scored", "", "Josh Allen: 175+ passing yards"]
)
def test_a_title_without_a_pair_names_none(title: str) -> None:
    assert read_title(title, BY_NAME["NFL"]) is None


@pytest.mark.parametrize(
    ("kind", "label", "subject", "line"),
    [
        (MarketKind.SPREAD, "CAR Panthers wins by over 2.5 points?", "CAR Panthers", 2.5),
        (MarketKind.SPREAD, "Colorado -1.5 first 5 innings", "Colorado", 1.5),
        (MarketKind.SPREAD, "Goal Diff Reg Time: NK Celje wins by more than 1.5 goals", "NK Celje", 1.5),
        (MarketKind.TOTAL, "Full Game: over 43.5 points scored?", "", 43.5),
        (MarketKind.TOTAL, "Will there be over 63.5 points scored?", "", 63.5),
        (MarketKind.PLAYER_PROP, "Aleksander Barkov: 2+ goals", "Aleksander Barkov", 1.5),
        (MarketKind.THREE_WAY, "Reg Time: Belgium", "Belgium", None),
        (MarketKind.WINNER, "Los Angeles R wins", "Los Angeles R", None),
    ],
)
def test_every_label_template_gives_subject_and_line(
    kind: MarketKind, label: str, subject: str, line: float | None
) -> None:
    claim = claim_of_label(kind, label)
    assert claim is not None
    assert (claim.subject, claim.line) == (subject, line)


@pytest.mark.parametrize(
    ("league", "kind", "rules", "subject", "line"),
    [
        (
            "WNBA",
            MarketKind.TOTAL,
            (
                "If the teams in the Atlanta vs New York women's Pro Basketball game originally scheduled"
                " for Oct 9, 2026 collectively score more than 161.5 points, then the market resolves to Yes."
            ),
            "",
            161.5,
        ),
        (
            "Ligue 1",
            MarketKind.TOTAL,
            (
                "If over 5.5 goals are scored in the PSG vs Le Mans professional Ligue 1 soccer game"
                " originally scheduled for Oct 10, 2026 after 90 minutes"
            ),
            "",
            5.5,
        ),
        (
            "NCAAF",
            MarketKind.TEAM_TOTAL,
            (
                "If Arizona scores over 20.5 points in the Arizona vs West Virginia college"
                " football game originally scheduled for Oct 10, 2026, then"
            ),
            "Arizona",
            20.5,
        ),
        (
            "CFL",
            MarketKind.SPREAD,
            (
                "If the Calgary Stampeders wins by more than 3.5 points in the Calgary Stampeders vs"
                " Edmonton Elks professional CFL football game originally scheduled for Oct 9, 2026, then"
            ),
            "Calgary Stampeders",
            3.5,
        ),
        (
            "NHL",
            MarketKind.PLAYER_PROP,
            (
                "If Matt Grzelcyk records at least 1+ goals in the CHI Blackhawks vs COL Avalanche"
                " professional hockey game originally scheduled for Feb 28, 2026, then"
            ),
            "Matt Grzelcyk",
            0.5,
        ),
        (
            "ATP",
            MarketKind.WINNER,
            (
                "If Coco Gauff wins the Korneeva vs Gauff professional tennis match in the 2026 WTA"
                " Toronto Round Of 16 after a ball has been played, then the market resolves to Yes."
            ),
            "Coco Gauff",
            None,
        ),
    ],
)
def test_every_rules_template_gives_subject_and_line(
    league: str, kind: MarketKind, rules: str, subject: str, line: float | None
) -> None:
    found = read_rules(rules, BY_NAME[league])
    assert found is not None
    claim = claim_of_rules(kind, found)
    assert claim is not None
    assert (claim.subject, claim.line) == (subject, line)


def test_the_sub_title_gives_both_codes() -> None:
    assert read_sub_title("CAR vs CLE (Sep 27)") == ("CAR", "CLE")
    assert read_sub_title("ISU at BYU (Feb 21)") == ("ISU", "BYU")
    assert read_sub_title("Hernandez vs Dumas") is None
