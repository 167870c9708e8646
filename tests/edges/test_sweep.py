"""The sweep finds all that the exact path would accept; a cycle says what a look at everything would."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.clock import HOUR, MINUTE, SECOND, Instant
from shared.edges.board import Board, Found
from shared.edges.detector import DetectorSettings, Quotes, assess
from shared.edges.fair import FairPair, fair_pair, stands_until
from shared.edges.sweep import NEVER, Row, Sweep, fee_rate, row_of
from shared.fees.kalshi import FeeSchedule
from shared.fees.polymarket_us import PolymarketUsFees
from shared.messages import FairValue, OpportunityAssessed, PayoffDifference, Selection
from shared.money import ONE, Price, Quantity, price_to_float
from shared.terms import FeeType, MarketKind, Profile, Side
from tests.edges.floor import AWAY, BOOKS, NOW, START, mapping, market, moneyline, odds, price

MARKETS = 6
QUOTE_AGE = 30 * SECOND
SETTINGS = DetectorSettings(profile=Profile.ANY_EDGE)
chances = st.floats(0.0, 1.0)
prices = st.integers(1, 9_999).map(lambda tick: Price(tick * 100))


@st.composite
def differences(draw: st.DrawFn) -> PayoffDifference:
    pays = draw(st.none() | st.integers(0, int(ONE)).map(Price))
    book_pays = draw(st.sampled_from(["void", "push", "win", "lose"]))
    probability = draw(st.floats(0.0, 0.5))
    return PayoffDifference(state="any", exchange_pays=pays, book_pays=book_pays, probability=probability)


def value(probability: float) -> FairValue:
    return FairValue(
        probability=probability,
        multiplicative=probability,
        power=probability,
        odds_ratio=probability,
        shin=probability,
        standard_error=0.01,
        books=8,
        effective_books=8.0,
        age_s=0.0,
    )


@settings(max_examples=300, deadline=None)
@given(chances, chances, prices, prices, st.lists(differences(), max_size=2), st.integers(0, 10_000_000))
def test_whatever_the_exact_path_accepts_is_selected(
    yes: float, no: float, yes_ask: Price, no_ask: Price, states: list[PayoffDifference], multiplier: int
) -> None:
    lots = Quantity(100_000)
    quotes = Quotes({Side.YES: ((yes_ask, lots),), Side.NO: ((no_ask, lots),)}, NOW)
    fair = FairPair(value(yes), value(no), NOW, 0.0)
    listed, decided = market(fee_multiplier_micro=multiplier), mapping(*states)
    least = SETTINGS.rule.min_net_edge
    sweep = Sweep()
    sweep.put("T", row_of(listed, decided, fair, quotes, NEVER, NEVER, NOW))
    edges = [float(side[0]) for side in sweep.net_edges()]
    for edge, exact in zip(edges, assess(listed, decided, fair, quotes, SETTINGS, NOW), strict=True):
        assert exact.net_edge is not None
        assert edge == pytest.approx(exact.net_edge, abs=1e-9)
        if exact.net_edge >= least:
            assert sweep.select(least, NOW) == ["T"]


@settings(deadline=None)
@given(prices, st.integers(0, 10_000_000))
def test_the_fee_rate_reproduces_the_cost_at_every_price(paid: Price, multiplier: int) -> None:
    for fees in (FeeSchedule(FeeType.QUADRATIC, multiplier), PolymarketUsFees()):
        ask = price_to_float(paid)
        assert ask + fee_rate(fees) * ask * (1 - ask) == pytest.approx(fees.all_in(paid) / 1e22, abs=1e-12)


def test_a_missing_offer_fair_value_or_fee_is_never_selected() -> None:
    sweep = Sweep()
    full = Row(0.4, 0.5, 0.6, 0.3, 0.6, 0.3, 0.0, 0.07)
    for name in ("yes_ask", "yes", "yes_kept", "rate"):
        sweep.put(name, full._replace(**{name: float("nan")}))
    sweep.put("whole", full)
    assert sweep.select(0.01, NOW) == ["whole"]


def test_a_row_is_due_at_its_moment_and_not_before() -> None:
    sweep = Sweep()
    sweep.put("start", Row(due=NOW))
    sweep.put("quote", Row(stale_at=NOW))
    assert sweep.select(0.01, Instant(NOW - 1)) == []
    assert sweep.select(0.01, NOW) == ["start", "quote"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=120))
def test_rows_survive_others_coming_and_going(steps: list[tuple[bool, int]]) -> None:
    sweep, held = Sweep(), dict[str, int]()
    for put, number in steps:
        ticker = f"T{number}"
        if put:
            held[ticker] = number
            sweep.put(ticker, Row(due=number))
        else:
            held.pop(ticker, None)
            sweep.drop(ticker)
    for moment in range(41):
        wanted = {ticker for ticker, due in held.items() if due <= moment}
        assert set(sweep.select(0.01, Instant(moment))) == wanted


def test_more_rows_than_there_was_room_for_are_all_found() -> None:
    sweep = Sweep()
    for number in range(3_000):
        sweep.put(f"T{number}", Row(due=number))
    assert len(sweep.select(0.01, Instant(2_999))) == len(sweep) == 3_000


# --- the consensus stands --------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 700), min_size=3, max_size=8), st.floats(0.0, 1.0))
def test_between_two_moments_of_change_the_consensus_stays(ages: list[int], share: float) -> None:
    names = ("pinnacle", "a", "b", "c", "d", "e", "f", "g")
    seen = odds(
        *(moneyline(name, 1.9 + age % 7 / 50, 1.95, age) for name, age in zip(names, ages, strict=False))
    )
    selection = Selection(market="h2h", outcome=AWAY)
    until = stands_until(seen, selection, NOW)
    later = Instant(NOW + int((min(until, START) - 1 - NOW) * share))
    first, again = (fair_pair(seen, selection, MarketKind.WINNER, at) for at in (NOW, later))
    if isinstance(first, str):
        assert again == first
        return
    assert isinstance(again, FairPair)
    for side in Side:
        one, two = first.of(side, later), again.of(side, later)
        assert two.probability == pytest.approx(one.probability, abs=1e-9)
        assert two.standard_error == pytest.approx(one.standard_error, abs=1e-9)
        assert two.age_s == pytest.approx(one.age_s, abs=1e-6)
        assert two.names == one.names


# --- a cycle against a look at everything ----------------------------------------------------------------


def board(profile: Profile = Profile.ANY_EDGE) -> Board:
    """Six markets of three games at 44 bid, 46 ask; the books say even money."""
    made = Board(DetectorSettings(profile=profile, max_quote_age=QUOTE_AGE))
    for number in range(MARKETS):
        event = f"{number // 2:032x}"
        made.market(market(ticker=f"T{number}", closes_at=Instant(START + HOUR)), NOW)
        made.mapping(mapping(ticker=f"T{number}", odds_event_id=event), NOW)
        made.new_odds(odds(odds_event_id=event), NOW)
    return made


def book(bid: int, ask: int, lots: int, at: Instant) -> Quotes:
    size = Quantity(lots)
    return Quotes({Side.YES: ((price(ask), size),), Side.NO: ((price(100 - bid), size),)}, at)


def everything(made: Board, moved: dict[str, Quotes], now: Instant) -> Found:
    made.quotes.update(moved)
    return made.sweep(list(made.mappings), now)


def said(found: Found) -> list[tuple[object, ...]]:
    return sorted((o.ticker, o.side, o.accepted, o.reasons, o.ask, o.quantity) for o in found.opportunities)


def accepted(found: Found) -> list[tuple[object, ...]]:
    return [one for one in said(found) if one[2]]


moves = st.tuples(
    st.integers(0, MARKETS - 1), st.integers(30, 60), st.integers(0, 12), st.sampled_from([50, 5_000, 90_000])
)
turns = st.lists(
    st.tuples(
        st.sampled_from([1, 10, 29, 31, 300, 601, 3_600, 7_200]),
        st.lists(moves, max_size=4),
        st.none() | st.tuples(st.integers(0, 2), st.floats(1.6, 2.4)),
    ),
    max_size=7,
)


@pytest.mark.parametrize("profile", [Profile.ANY_EDGE, Profile.STANDARD])
@settings(max_examples=60, deadline=None)
@given(turns)
def test_a_cycle_says_what_a_look_at_everything_says(
    profile: Profile, script: Sequence[tuple[int, list[tuple[int, int, int, int]], tuple[int, float] | None]]
) -> None:
    # Confidence fades by degrees; a profile that asks for none must agree in every word.
    heard = said if profile is Profile.ANY_EDGE else accepted
    quick, slow = board(profile), board(profile)
    now = NOW
    for seconds, changes, news in script:
        now = Instant(now + seconds * SECOND)
        moved = {f"T{n}": book(bid, bid + gap, lots, now) for n, bid, gap, lots in changes}
        if news is not None:
            number, away = news
            fresh = [moneyline(name, away, 1 / (1.04 - 1 / away)) for name in BOOKS]
            quotes = tuple(replace(quote, last_update=now) for quote in fresh)
            seen = odds(*quotes, observed_at=now, odds_event_id=f"{number:032x}")
            assert heard(quick.new_odds(seen, now)) == heard(slow.new_odds(seen, now))
        one, all_ = quick.cycle(moved, now), everything(slow, moved, now)
        assert heard(one) == heard(all_)
        assert {s.signal_id for s in one.signals} == {s.signal_id for s in all_.signals}


def reasons(opportunities: Sequence[OpportunityAssessed]) -> set[str]:
    return {reason.partition(":")[0] for one in opportunities for reason in one.reasons}


def test_a_cycle_over_a_quiet_board_says_nothing() -> None:
    made = board()
    made.cycle({}, NOW)
    assert made.cycle({}, Instant(NOW + SECOND)) == Found()


@pytest.mark.parametrize(
    ("later", "code"), [(31 * SECOND, "stale_quote"), (11 * MINUTE, "no_books"), (2 * HOUR, "started")]
)
def test_what_only_time_changes_is_said(later: int, code: str) -> None:
    made = board()
    made.cycle({}, NOW)
    found = made.cycle({}, Instant(NOW + later))
    assert {one.ticker for one in found.opportunities} == set(made.mappings)
    assert code in reasons(found.opportunities)


def test_a_book_that_stands_still_is_not_weighed_again() -> None:
    made = board()
    made.cycle({}, NOW)
    for second in range(1, 100):
        at = Instant(NOW + second * SECOND)
        assert made.cycle({f"T{n}": book(44, 46, 20_000, at) for n in range(MARKETS)}, at) == Found()


def test_a_forgotten_market_is_no_longer_swept() -> None:
    made = board()
    made.cycle({}, NOW)
    made.forget_ended(Instant(START + HOUR), 30 * MINUTE)
    assert made.cycle({}, Instant(START + 2 * HOUR)) == Found()
