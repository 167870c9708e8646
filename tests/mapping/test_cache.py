"""Kept decisions: found while nothing changed, gone when something did."""

from __future__ import annotations

import msgspec

from shared.clock import HOUR, Instant
from shared.mapping.cache import MappingCache
from shared.messages import MappingDecided, OddsEvent
from tests.mapping.build import decide, listed, odds

EVENT = odds("icehockey_nhl", "Chicago Blackhawks", "New York Islanders", "2026-10-08T23:30:00Z")
MARKET = listed("KXNHLGAME-26OCT08CHINYI-CHI", title="Chicago wins")
DECISION: MappingDecided = decide(MARKET, EVENT)
NOW = Instant(1_000)


def filled() -> MappingCache:
    cache = MappingCache()
    cache.put(MARKET, DECISION, NOW)
    return cache


def test_an_unchanged_market_is_found() -> None:
    assert filled().get(MARKET, NOW) == DECISION


def test_a_new_quote_is_not_a_new_text() -> None:
    quoted = msgspec.structs.replace(MARKET, volume=5, observed_at=Instant(9))
    assert filled().get(quoted, NOW) == DECISION


def test_a_changed_text_is_not_found() -> None:
    assert filled().get(msgspec.structs.replace(MARKET, title="Chicago loses"), NOW) is None


def test_a_decision_lasts_an_hour() -> None:
    cache = filled()
    assert cache.get(MARKET, Instant(NOW + HOUR - 1)) == DECISION
    assert cache.get(MARKET, Instant(NOW + HOUR)) is None


def test_a_refusal_is_not_kept_and_removes_what_was() -> None:
    cache = filled()
    cache.put(MARKET, decide(MARKET), NOW)
    assert cache.get(MARKET, NOW) is None
    assert len(cache) == 0


def test_the_markets_of_an_event_are_known() -> None:
    cache = filled()
    assert cache.tickers_of("e1") == {MARKET.ticker}
    assert cache.tickers_of("other") == frozenset()


def test_a_sport_can_be_forgotten() -> None:
    cache = filled()
    assert cache.invalidate_sport("basketball_nba") == 0
    assert cache.invalidate_sport("icehockey_nhl") == 1
    assert cache.tickers_of("e1") == frozenset()


def test_an_event_that_moved_or_went_is_forgotten() -> None:
    same, moved, gone = filled(), filled(), filled()
    later = OddsEvent(
        id=EVENT.id, sport_key=EVENT.sport_key, starts_at=Instant(1), home=EVENT.home, away=EVENT.away
    )
    assert same.reconcile("icehockey_nhl", [EVENT]) == 0
    assert moved.reconcile("icehockey_nhl", [later]) == 1
    assert gone.reconcile("icehockey_nhl", []) == 1
    assert gone.reconcile("basketball_nba", []) == 0


def test_the_least_recently_used_goes_first() -> None:
    cache = MappingCache(capacity=2)
    markets = [listed(f"KXNHLTOTAL-26OCT08CHINYI-{n}") for n in range(3)]
    for market in markets[:2]:
        cache.put(market, decide(market, EVENT), NOW)
    assert cache.get(markets[0], NOW) is not None
    cache.put(markets[2], decide(markets[2], EVENT), NOW)
    assert cache.get(markets[1], NOW) is None
    assert cache.get(markets[0], NOW) is not None


def test_the_hit_rate_counts_both() -> None:
    cache = filled()
    assert cache.hit_rate == 0.0
    cache.get(MARKET, NOW)
    cache.get(listed("KXNHLGAME-26OCT09CHINYI-CHI"), NOW)
    assert cache.hit_rate == 0.5
