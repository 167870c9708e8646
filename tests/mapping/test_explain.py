"""A decision told step by step."""

from __future__ import annotations

import pytest

from shared.errors import MalformedError
from shared.mapping.explain import Explanation, explain
from shared.messages import MarketListed, OddsEvent
from tests.mapping.build import listed, odds

RULES = (
    "If Chicago wins the Chicago vs New York I NHL game originally scheduled for Oct 8, 2026,"
    " then the market resolves to Yes."
)
MARKET = listed("KXNHLGAME-26OCT08CHINYI-CHI", rules_primary=RULES)
RIGHT = odds("icehockey_nhl", "Chicago Blackhawks", "New York Islanders", "2026-10-08T23:30:00Z", "right")
OTHER_SIDE = odds(
    "icehockey_nhl", "Chicago Blackhawks", "New York Rangers", "2026-10-08T23:30:00Z", "rangers"
)
NEXT_DAY = odds("icehockey_nhl", "Chicago Blackhawks", "New York Islanders", "2026-10-09T23:30:00Z", "next")
SWAPPED = odds("icehockey_nhl", "New York Islanders", "Chicago Blackhawks", "2026-10-08T23:30:00Z", "swapped")
FAR = odds("icehockey_nhl", "Boston Bruins", "Dallas Stars", "2026-10-30T23:30:00Z", "far")


def told(market: MarketListed, *events: OddsEvent) -> Explanation:
    return explain(market.ticker, [market], events)


def lines(explanation: Explanation, step: str) -> str:
    return "\n".join(line for one in explanation.steps if one.name == step for line in one.lines)


def test_every_step_of_a_mapping_is_told() -> None:
    steps = [step.name for step in told(MARKET, RIGHT).steps]
    assert steps == ["series", "ticker", "text", "sides", "contract", "candidates", "decision", "certificate",
                     "payoff differences"]  # fmt: skip
    assert all(step.lines for step in told(MARKET, RIGHT).steps)


def test_the_decision_is_the_mappers_own() -> None:
    assert told(MARKET, RIGHT, OTHER_SIDE).decision.odds_event_id == "right"


def test_series_ticker_and_text_say_what_was_read() -> None:
    explanation = told(MARKET, RIGHT)
    assert "NHL (hockey), winner" in lines(explanation, "series")
    assert "Chicago Blackhawks and New York Islanders" in lines(explanation, "ticker")
    assert "rules read as: Chicago and New York I, day 2026-10-08" in lines(explanation, "text")
    assert "first is the away side" in lines(explanation, "sides")


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (RIGHT, "fits"),
        (OTHER_SIDE, "one side is another"),
        (NEXT_DAY, "1 day(s) off"),
        (SWAPPED, "the other way round"),
    ],
    ids=["right", "other side", "next day", "swapped"],
)
def test_each_candidate_says_why_it_is_not_the_one(event: OddsEvent, why: str) -> None:
    line = next(one for one in lines(told(MARKET, event), "candidates").splitlines() if event.id in one)
    assert why in line


def test_a_time_that_differs_is_a_reason() -> None:
    market = listed("KXMLBGAME-26AUG081905BOSNYY-NYY")
    event = odds("baseball_mlb", "Boston Red Sox", "New York Yankees", "2026-08-09T00:15:00Z")
    assert "the day agrees, the time does not" in lines(told(market, event), "candidates")


def test_events_far_away_are_only_counted() -> None:
    found = lines(told(MARKET, RIGHT, FAR), "candidates")
    assert "2 NHL events in the feed, 1 looked at" in found
    assert "far" not in found


def test_people_are_compared_side_by_side() -> None:
    market = listed("KXATPMATCH-26AUG01ALCSIN-SIN", title="Alcaraz vs Sinner Winner?")
    right = odds("tennis_atp_x", "Carlos Alcaraz", "Jannik Sinner", "2026-08-01T15:00:00Z", "right")
    half = odds("tennis_atp_x", "Carlos Alcaraz", "Casper Ruud", "2026-08-02T15:00:00Z", "half")
    found = lines(told(market, right, half), "candidates")
    assert "Jannik Sinner, 2026-08-01T15:00:00Z: fits" in found
    assert "Casper Ruud, 2026-08-02T15:00:00Z: one side is another" in found


def test_an_event_that_cannot_be_used_is_named() -> None:
    broken = OddsEvent(id="torn", sport_key="icehockey_nhl", starts_at=None, home="A", away="B")
    assert "torn (it has no start)" in lines(told(MARKET, RIGHT, broken), "candidates")


def test_the_certificate_is_told_field_by_field() -> None:
    found = lines(told(MARKET, RIGHT), "certificate")
    for field in ("verdict", "game", "subject", "kind and period", "line", "overtime", "evidence"):
        assert f"{field}: " in found
    assert "postponed: exchange pays a fair price, book void" in lines(
        told(MARKET, RIGHT), "payoff differences"
    )


def test_a_refused_series_ends_with_its_reason() -> None:
    explanation = told(listed("KXNBAMENTION-26MAY09OKCLAL-MVP"))
    assert explanation.steps[-1].name == "decision"
    assert "refused: mention" in lines(explanation, "decision")


def test_an_unknown_ticker_is_an_error_that_names_it() -> None:
    with pytest.raises(MalformedError, match="KXNOSUCH"):
        explain("KXNOSUCH-1", [MARKET], [])
