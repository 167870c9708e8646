"""The detector: what is accepted is worth it after fees, and what is refused says every reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import HOUR, MINUTE, SECOND, Instant
from shared.edges.detector import DetectorSettings, Quotes, assess, listed_quotes, signal_of
from shared.edges.fair import FairPair, fair_pair
from shared.edges.profiles import RULES
from shared.fees.kalshi import FeeSchedule
from shared.messages import MarketListed, OpportunityAssessed, PayoffDifference
from shared.money import Price, Quantity
from shared.terms import FeeType, MarketKind, MarketShape, MarketStatus, Profile, Side
from tests.edges.floor import BOOKS, NOW, SETTINGS, START, mapping, market, moneyline, odds, price


def fair(away: float = 1.95, home: float = 1.95) -> FairPair:
    decided = mapping()
    assert decided.selection is not None
    seen = odds(*(moneyline(book, away, home) for book in BOOKS))
    found = fair_pair(seen, decided.selection, MarketKind.WINNER, NOW)
    assert isinstance(found, FairPair), found
    return found


def weighed(
    listed: MarketListed | None = None, settings: DetectorSettings = SETTINGS, **given: object
) -> OpportunityAssessed:
    """YES of a market with fair price 50c and ask 46c, with what is ``given`` changed."""
    shown = listed or market()
    now = given.get("now", NOW)
    assert isinstance(now, int)
    yes, _ = assess(
        shown,
        given.get("mapping", mapping()),  # type: ignore[arg-type]
        given.get("fair", fair()),  # type: ignore[arg-type]
        given.get("quotes", listed_quotes(shown)),  # type: ignore[arg-type]
        settings,
        Instant(now),
    )
    return yes


def codes(opportunity: OpportunityAssessed) -> set[str]:
    return {reason.partition(":")[0] for reason in opportunity.reasons}


def test_an_ask_below_fair_by_more_than_the_fee_is_accepted() -> None:
    found = weighed()
    assert found.accepted, found.reasons
    assert found.net_edge == pytest.approx(0.5 - 0.46 - 0.07 * 0.46 * 0.54, abs=1e-9)
    assert found.quantity == 20_000


def test_a_gross_edge_that_the_fee_eats_is_refused() -> None:
    found = weighed(market(yes_ask=price(49), yes_bid=price(47)))
    assert not found.accepted
    assert "thin_edge" in codes(found)


def test_the_no_side_is_bought_at_the_complement_of_the_bid() -> None:
    listed = market(yes_bid=price(56), yes_ask=price(58))
    _, no = assess(listed, mapping(), fair(), listed_quotes(listed), SETTINGS, NOW)
    assert no.side is Side.NO
    assert no.ask == price(44)
    assert no.accepted


def test_an_edge_too_good_to_be_true_is_refused() -> None:
    assert "too_good" in codes(weighed(market(yes_ask=price(30), yes_bid=price(28))))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": MarketStatus.INACTIVE}, "status"),
        ({"status": MarketStatus.UNKNOWN}, "status"),
        ({"shape": MarketShape.SCALAR}, "shape"),
        ({"closes_at": NOW}, "closed"),
        ({"fee_type": FeeType.FLAT}, "fees"),
        ({"fee_type": FeeType.UNKNOWN}, "fees"),
        ({"fee_multiplier_micro": None}, "fees"),
        ({"yes_ask": None}, "no_quote"),
        ({"yes_ask_size": None}, "no_quote"),
        ({"yes_ask": Price(455_500)}, "off_grid"),
        ({"yes_bid": price(20)}, "wide"),
    ],
)
def test_what_is_wrong_with_a_market_is_said(changes: dict[str, object], code: str) -> None:
    found = weighed(market(**changes))
    assert not found.accepted
    assert code in codes(found)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"odds_event_id": "", "certificate": None, "reason": "no event"}, "unmapped"),
        ({"starts_at": None}, "no_start"),
        ({"starts_at": NOW}, "started"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said(changes: dict[str, object], code: str) -> None:
    assert code in codes(weighed(mapping=mapping(**changes)))


def test_a_stale_listing_is_not_a_price() -> None:
    assert "stale_quote" in codes(weighed(now=NOW + 91 * SECOND))


def test_books_without_an_opinion_are_a_reason() -> None:
    assert "no_books" in codes(weighed(fair="no_books: nobody quotes this"))


def test_all_reasons_are_given_together() -> None:
    found = weighed(
        market(status=MarketStatus.INACTIVE, yes_ask=price(60), yes_bid=price(30)),
        mapping=mapping(starts_at=NOW),
    )
    assert {"status", "started", "wide", "thin_edge"} <= codes(found)


def test_a_tie_that_pays_half_is_worth_something() -> None:
    tie = PayoffDifference(state="tie", exchange_pays=Price(500_000), book_pays="push", probability=0.1)
    plain, tied = weighed(fair=fair(1.5, 2.8)), weighed(fair=fair(1.5, 2.8), mapping=mapping(tie))
    assert plain.net_edge is not None
    assert tied.net_edge is not None
    assert tied.net_edge < plain.net_edge  # a favourite loses by a tie


def test_a_void_state_earns_nothing() -> None:
    void = PayoffDifference(state="postponed", exchange_pays=None, book_pays="void", probability=0.5)
    plain, voided = weighed(), weighed(mapping=mapping(void))
    assert plain.gross_edge is not None
    assert voided.gross_edge == pytest.approx(plain.gross_edge / 2)


def test_missing_books_lower_the_confidence() -> None:
    decided = mapping()
    assert decided.selection is not None
    few = fair_pair(odds(moneyline("draftkings")), decided.selection, MarketKind.WINNER, NOW)
    assert isinstance(few, FairPair)
    many, one = weighed().confidence, weighed(fair=few).confidence
    assert many is not None
    assert one is not None
    assert one.total < many.total
    assert "few_books" in codes(weighed(fair=few))


def test_a_signal_asks_for_the_highest_price_that_keeps_the_edge() -> None:
    found = weighed()
    raised = signal_of(found, market(), mapping(), SETTINGS, NOW)
    assert raised is not None
    schedule = FeeSchedule(FeeType.QUADRATIC)
    from shared.edges.expected_value import contract_value

    assert contract_value(0.5, raised.limit, schedule).net_edge >= 0.01
    assert contract_value(0.5, Price(raised.limit + 10_000), schedule).net_edge < 0.01


def test_a_signal_dies_at_the_start_of_the_game() -> None:
    raised = signal_of(weighed(), market(), mapping(starts_at=Instant(NOW + SECOND)), SETTINGS, NOW)
    assert raised is not None
    assert raised.expires_at == NOW + SECOND


def test_the_same_opportunity_has_the_same_signal_id() -> None:
    first = signal_of(weighed(), market(), mapping(), SETTINGS, NOW)
    again = signal_of(weighed(now=NOW + SECOND), market(), mapping(), SETTINGS, Instant(NOW + SECOND))
    assert first is not None
    assert again is not None
    assert first.signal_id == again.signal_id


def test_a_rejected_opportunity_raises_no_signal() -> None:
    refused = weighed(market(status=MarketStatus.CLOSED))
    assert signal_of(refused, market(), mapping(), SETTINGS, NOW) is None


def test_every_profile_has_a_band_that_can_be_met() -> None:
    assert set(RULES) == set(Profile)
    assert all(0 < rule.min_net_edge < rule.max_net_edge for rule in RULES.values())


@given(st.integers(1, 98), st.integers(1, 5), st.integers(1, 50_000), st.floats(1.1, 8.0))
def test_nothing_accepted_loses_money_after_fees(bid: int, gap: int, lots: int, away: float) -> None:
    home = 1 / (1.03 - 1 / away) if 1 / away < 0.95 else 15.0
    if home <= 1.01 or bid + gap > 99:
        return
    quotes = Quotes(
        {
            Side.YES: ((price(bid + gap), Quantity(lots)),),
            Side.NO: ((price(100 - bid), Quantity(lots)),),
        },
        NOW,
    )
    for opportunity in assess(market(), mapping(), fair(away, home), quotes, SETTINGS, NOW):
        assert opportunity.accepted == (not opportunity.reasons)
        if opportunity.accepted:
            assert opportunity.fair is not None
            assert opportunity.all_in is not None
            assert opportunity.fair.probability - opportunity.all_in >= 0.01 - 1e-9
            assert START - NOW == 2 * HOUR


def test_a_game_the_exchange_says_has_begun_is_not_traded_whatever_the_feed_says() -> None:
    assert codes(weighed(market(starts_at=NOW))) == {"started"}


def test_a_signal_ends_with_the_earlier_of_two_starts() -> None:
    soon = Instant(NOW + MINUTE)
    listed = market(starts_at=soon)
    raised = signal_of(weighed(listed), listed, mapping(), SETTINGS, NOW)
    assert raised is not None
    assert (raised.starts_at, raised.expires_at) == (soon, soon)
