"""What the props table will lean on: book lines by player, their consensus, and how prop markets ended."""

from __future__ import annotations

import pytest

from shared.messages import BookmakerMarket, MappingDecided, Selection
from shared.terms import MarketKind
from tests.support.lake import Lake, when
from tests.views.make import certificate, mapping, odds, quote, resolved

PLAYER = "Jayson Tatum"


def points(
    bookmaker: str, over: float, under: float | None, seconds: float = 0, line: float = 24.5,
    market: str = "player_points", player: str = PLAYER,
) -> BookmakerMarket:  # fmt: skip
    prices = {"Over": over} | ({} if under is None else {"Under": under})
    return quote(bookmaker, prices, seconds, market, dict.fromkeys(prices, line), player)


def test_over_and_under_of_a_player_are_one_row_without_the_margin(lake: Lake) -> None:
    lake.tell(odds(points("dk", 1.8, 2.1), seconds=5))
    found = lake.row("prop_book_lines")
    assert (found["player"], found["prop"], found["line"]) == (PLAYER, "player_points", 24.5)
    assert (found["over_price"], found["under_price"]) == (1.8, 2.1)
    assert found["over_probability"] == pytest.approx(2.1 / 3.9)


def test_a_quote_seen_in_many_polls_is_one_row_a_changed_one_two(lake: Lake) -> None:
    lake.tell(
        odds(points("dk", 1.8, 2.1, 0), seconds=5), odds(points("dk", 1.8, 2.1, 0), seconds=65),
        odds(points("dk", 1.7, 2.2, 60), seconds=125),
    )  # fmt: skip
    rows = lake.rows("prop_book_lines", "last_update", "over_price", "first_seen_at")
    assert [(row["over_price"], row["first_seen_at"]) for row in rows] == [(1.8, when(5)), (1.7, when(125))]


def test_an_alternate_line_is_the_same_prop_at_another_line(lake: Lake) -> None:
    alternate = points("dk", 3.0, None, line=29.5, market="player_points_alternate")
    lake.tell(odds(points("dk", 1.8, 2.1), alternate, seconds=5))
    found = {row["line"]: row["over_probability"] for row in lake.rows("prop_book_lines")}
    assert found == {24.5: pytest.approx(2.1 / 3.9), 29.5: None}


def test_team_totals_and_game_lines_are_no_player(lake: Lake) -> None:
    lake.tell(
        odds(
            points("dk", 1.9, 1.9, market="team_totals"),
            quote("dk", {"Boston": 1.8, "Miami": 2.1}, 0),
            seconds=5,
        )
    )
    assert lake.rows("prop_book_lines") == []


def test_the_consensus_takes_each_books_last_word_before_the_start(lake: Lake) -> None:
    lake.tell(
        odds(points("dk", 1.5, 2.9, 0), seconds=5),
        odds(
            points("dk", 1.8, 2.1, 60), points("fd", 1.9, 1.9, 60), points("kalshi", 1.2, 5.0, 60), seconds=65
        ),
        odds(points("dk", 1.1, 7.0, 7_300), seconds=7_305),  # in play
    )
    found = lake.row("prop_consensus")
    assert (found["books"], found["line"], found["highest"]) == (2, 24.5, pytest.approx(2.1 / 3.9))
    assert found["over_probability"] == pytest.approx((2.1 / 3.9 + 0.5) / 2)
    assert found["disagreement"] == pytest.approx(2.1 / 3.9 - 0.5)


def test_a_prop_market_hits_when_yes_wins(lake: Lake) -> None:
    def prop(ticker: str) -> MappingDecided:
        return mapping(
            ticker, Selection(market="player_points", outcome="Over", point=24.5, description=PLAYER),
            kind=MarketKind.PLAYER_PROP, certificate=certificate(line=24.5, subject=PLAYER),
        )  # fmt: skip

    lake.tell(
        prop("P-1-25"),
        prop("P-1-30"),
        prop("P-1-35"),
        mapping("G-1-A"),
        resolved("P-1-25"),
        resolved("P-1-30", 0),
    )
    rows = lake.rows("prop_market_results", "ticker", "player", "line", "hit")
    assert [(row["ticker"], row["hit"]) for row in rows] == [("P-1-25", 1), ("P-1-30", 0), ("P-1-35", None)]
    assert (rows[0]["player"], rows[0]["line"]) == (PLAYER, 24.5)
