"""Closing lines and closing-line value: the last honest word of each book, and what it says of our price."""

from __future__ import annotations

import pytest

from shared.analytics.clv import closing_value
from shared.clock import HOUR, Instant
from shared.edges.fair import fair_pair
from shared.errors import MalformedError
from shared.messages import BookmakerMarket, FairValue, MappingDecided, Selection
from shared.odds.consensus import _REGIONS, NOT_EVIDENCE
from shared.terms import MarketKind, Side
from tests.support.lake import Lake, all_views, at, when
from tests.views.make import START, certificate, fair, fill, mapping, odds, opportunity, quote, signal

YES, NO = Side.YES, Side.NO
H2H = {"Boston": 1.8, "Miami": 2.1}
TWO_HOURS = 7_200


def _closes(lake: Lake) -> dict[str, float]:
    return {row["bookmaker"]: row["fair_yes"] for row in lake.rows("closing_lines")}


def test_a_close_is_the_last_word_before_the_start_without_the_margin(lake: Lake) -> None:
    lake.tell(
        mapping("G-1-A"),
        odds(quote("dk", {"Boston": 3.0, "Miami": 1.4}, 10), seconds=20),
        odds(quote("dk", H2H, 7_000), seconds=7_010),
    )
    found = lake.row("closing_lines")
    assert found["fair_yes"] == pytest.approx(2.1 / 3.9)  # (1/1.8) / (1/1.8 + 1/2.1)
    assert found["margin"] == pytest.approx(1 / 1.8 + 1 / 2.1 - 1)
    assert (found["age_s"], found["last_update"]) == (200, when(7_000))


@pytest.mark.parametrize(("updated", "seen"), [(TWO_HOURS, TWO_HOURS + 5), (7_100, TWO_HOURS + 5)])
def test_a_price_from_during_the_game_is_no_close(lake: Lake, updated: float, seen: float) -> None:
    lake.tell(mapping("G-1-A"), odds(quote("dk", H2H, updated), seconds=seen))
    assert lake.rows("closing_lines") == []


def test_a_market_refused_by_its_certificate_has_no_close(lake: Lake) -> None:
    lake.tell(
        mapping("G-1-A", certificate=certificate(verdict="refused")), odds(quote("dk", H2H, 60), seconds=61)
    )
    assert lake.rows("closing_lines") == []


def test_a_spread_wants_the_other_side_at_the_opposite_points(lake: Lake) -> None:
    spread = Selection(market="spreads", outcome="Boston", point=-3.5)
    lake.tell(
        mapping("G-1-A", spread, kind=MarketKind.SPREAD),
        odds(
            quote("dk", H2H, 60, "spreads", {"Boston": -3.5, "Miami": 3.5}),
            quote("fd", H2H, 60, "spreads", {"Boston": -2.5, "Miami": 2.5}),
            quote("mgm", H2H, 60, "alternate_spreads", {"Boston": -3.5, "Miami": 3.5}),
            quote("odd", H2H, 60, "spreads", {"Boston": -3.5, "Miami": -3.5}),
            seconds=61,
        ),
    )
    assert set(_closes(lake)) == {"dk", "mgm"}


def test_a_three_way_market_needs_all_three(lake: Lake) -> None:
    lake.tell(
        mapping("G-1-A", kind=MarketKind.THREE_WAY),
        odds(quote("dk", H2H, 60), quote("fd", H2H | {"Draw": 5.0}, 60), seconds=61),
    )
    assert _closes(lake) == {"fd": pytest.approx((1 / 1.8) / (1 / 1.8 + 1 / 2.1 + 1 / 5))}


def test_regional_sites_of_one_operator_are_one_voice_the_newest(lake: Lake) -> None:
    sites = quote("unibet_uk", {"Boston": 1.5, "Miami": 2.8}, 60), quote("unibet_fr", H2H, 90)
    lake.tell(mapping("G-1-A"), odds(*sites, seconds=91))
    assert lake.row("closing_lines", "operator", "bookmaker") == {
        "operator": "unibet",
        "bookmaker": "unibet_fr",
    }


def test_a_venue_we_trade_on_is_no_close(lake: Lake) -> None:
    lake.tell(mapping("G-1-A"), odds(*(quote(name, H2H, 60) for name in NOT_EVIDENCE), seconds=61))
    assert lake.rows("closing_lines") == []


def test_the_views_name_the_same_venues_and_regions_as_the_consensus() -> None:
    written = {view.name: view.text for view in all_views()}
    venues = ", ".join(f"'{name}'" for name in sorted(NOT_EVIDENCE))
    regions = f"_({'|'.join(sorted(_REGIONS))})$"
    assert all(f"NOT IN ({venues})" in written[name] for name in ("closing_lines", "prop_consensus"))
    assert all(regions in written[name] for name in ("closing_lines", "closing_value"))


@pytest.mark.parametrize("prices", [{"Boston": 2.1, "Miami": 2.1}, {"Boston": 1.5, "Miami": 1.5}])
def test_a_book_without_a_margin_or_with_a_huge_one_is_not_believed(
    lake: Lake, prices: dict[str, float]
) -> None:
    lake.tell(mapping("G-1-A"), odds(quote("dk", prices, 60), seconds=61))
    assert lake.rows("closing_lines") == []


LINES = [
    (None, MarketKind.WINNER, quote("dk", H2H, 60)),
    (None, MarketKind.THREE_WAY, quote("dk", {"Boston": 2.4, "Miami": 3.1, "Draw": 3.6}, 60)),
    (
        Selection(market="totals", outcome="Over", point=8.5),
        MarketKind.TOTAL,
        quote("dk", {"Over": 1.95, "Under": 1.87}, 60, "totals", {"Over": 8.5, "Under": 8.5}),
    ),
    (
        Selection(market="spreads", outcome="Miami", point=1.5),
        MarketKind.SPREAD,
        quote("dk", {"Miami": 1.6, "Boston": 2.4}, 60, "spreads", {"Miami": 1.5, "Boston": -1.5}),
    ),
    (
        Selection(market="team_totals", outcome="Under", point=99.5, description="Boston"),
        MarketKind.TEAM_TOTAL,
        quote("dk", {"Over": 1.9, "Under": 1.9}, 60, "team_totals", {"Over": 99.5, "Under": 99.5}, "Boston"),
    ),
]


@pytest.mark.parametrize(
    ("selection", "kind", "quoted"), LINES, ids=lambda value: getattr(value, "market", None)
)
def test_the_close_is_the_detectors_own_multiplicative_fair_value(
    lake: Lake, selection: Selection | None, kind: MarketKind, quoted: BookmakerMarket
) -> None:
    decided: MappingDecided = mapping("G-1-A", selection, kind=kind)
    seen = odds(quoted, seconds=61)
    lake.tell(decided, seen)
    assert decided.selection is not None
    # The same line through the code that trades; it asks several books, so each says the same.
    books = tuple(_renamed(quoted, name) for name in ("a", "b", "c", "d"))
    pair = fair_pair(odds(*books, seconds=61), decided.selection, kind, at(61))
    assert not isinstance(pair, str), pair
    assert _closes(lake) == {"dk": pytest.approx(pair.yes.multiplicative)}


def _renamed(quoted: BookmakerMarket, name: str) -> BookmakerMarket:
    return BookmakerMarket(
        bookmaker=name, market=quoted.market, last_update=quoted.last_update, outcomes=quoted.outcomes
    )


def _traded(lake: Lake, side: Side = YES, price: float = 50, used: FairValue | None = None) -> None:
    """A fill on a signal whose fair value came from ``dk``; two books close, one of them ``dk``."""
    lake.tell(
        mapping("G-1-A"),
        opportunity("opp", "G-1-A", side, fair=used or fair(0.55, "dk")),
        signal("s", "opp", "G-1-A", side=side),
        fill("f", "G-1-A", side, price, 10, fee=100_000, seconds=1, signal_id="s"),
        odds(quote("dk", {"Boston": 1.5, "Miami": 3.0}, 7_000), quote("fd", H2H, 7_000), seconds=7_001),
    )


def test_value_against_the_close_excludes_the_books_that_made_the_trade(lake: Lake) -> None:
    _traded(lake)
    found, expected = lake.row("closing_value"), closing_value(0.51, 2.1 / 3.9)
    assert (found["books"], found["independent_books"]) == (2, 1)
    assert found["clv_independent"] == pytest.approx(expected.probability)
    assert found["roi_independent"] == pytest.approx(expected.roi)
    assert found["log_odds_independent"] == pytest.approx(expected.log_odds)
    assert found["close_all"] == pytest.approx((2 / 3 + 2.1 / 3.9) / 2)


def test_the_quant_vector_of_closing_value_comes_out(lake: Lake) -> None:
    lake.tell(
        mapping("G-1-A"), opportunity("opp", "G-1-A", YES, fair=fair(0.5, "x")), signal("s", "opp", "G-1-A"),
        fill("f", "G-1-A", YES, 52, 10, fee=74_930, signal_id="s"),
        odds(quote("dk", {"Boston": 1 / 0.55, "Miami": 1 / 0.45}, 7_000), seconds=7_001),
    )  # fmt: skip
    found = lake.row("closing_value")
    assert found["all_in_usd"] == pytest.approx(0.527493)
    assert found["clv_independent"] == pytest.approx(0.022507, abs=1e-6)
    assert found["roi_independent"] == pytest.approx(0.0426679, abs=1e-6)


def test_the_no_side_closes_at_the_rest(lake: Lake) -> None:
    _traded(lake, NO, price=40)
    assert lake.row("closing_value")["close_independent"] == pytest.approx(1 - 2.1 / 3.9)


def test_without_the_inputs_of_a_trade_nobody_counts_as_independent(lake: Lake) -> None:
    lake.tell(mapping("G-1-A"), fill("f", "G-1-A", YES, 50, 10), odds(quote("fd", H2H, 7_000), seconds=7_001))
    found = lake.row("closing_value")
    assert (found["books"], found["independent_books"], found["close_independent"]) == (1, 0, None)


def test_a_quote_older_than_an_hour_at_the_start_is_no_close(lake: Lake) -> None:
    lake.tell(mapping("G-1-A"), fill("f", "G-1-A", YES, 50, 10), odds(quote("fd", H2H, 3_000), seconds=3_001))
    assert lake.row("closing_value", "close_all", "clv_all") == {"close_all": None, "clv_all": None}


def test_a_fill_during_the_game_is_not_measured_against_the_close(lake: Lake) -> None:
    _traded(lake)
    late = Instant(START + HOUR - at()) / 1_000_000
    lake.tell(fill("late", "G-1-A", YES, 50, 10, seconds=late))
    assert {row["fill_id"]: row["books"] for row in lake.rows("closing_value")} == {"f": 2, "late": None}


def test_sports_and_price_bands_have_their_mean_and_share(lake: Lake) -> None:
    _traded(lake)
    lake.tell(fill("g", "G-1-A", YES, 55, 30, seconds=2, signal_id="s"), fill("z", "Z-1-A", YES, 8, 1))
    found = {row["price_band_cents"]: row for row in lake.rows("closing_value_by_sport")}
    close = 2.1 / 3.9
    band = found[50]
    assert (band["fills"], band["events"], band["independent_fills"], band["share_positive"]) == (
        2,
        1,
        2,
        0.5,
    )
    assert band["clv_independent"] == pytest.approx(((close - 0.51) + (close - 0.55)) / 2)
    assert band["clv_independent_weighted"] == pytest.approx(((close - 0.51) * 10 + (close - 0.55) * 30) / 40)
    assert band["error"] == pytest.approx(0.04 / 2)  # half the distance of the two
    assert (found[0]["fills"], found[0]["clv_independent"]) == (1, None)


def test_a_price_that_makes_no_close_makes_no_value() -> None:
    with pytest.raises(MalformedError):
        closing_value(0.5, 1.0)
