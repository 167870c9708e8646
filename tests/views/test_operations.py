"""Mapping coverage, credits, breakers, reconciliation, alerts: what a person looks at in the morning."""

from __future__ import annotations

from datetime import date

import pytest

from shared.messages import (
    AlertRaised,
    BreakerMoved,
    CoverageSeen,
    CreditsSpent,
    MappingDecided,
    MarketListed,
    Quarantined,
    ReconciliationDifference,
)
from shared.terms import MarketKind, MarketStatus
from tests.support.lake import Lake, at, when
from tests.views.make import cents, certificate, mapping

DAY = date(2026, 11, 10)


def coverage(seconds: float, markets: int, mapped: int, days: int = 0, **refused: int) -> CoverageSeen:
    return CoverageSeen(
        observed_at=at(seconds, days), league="NBA", game_day="2026-11-11", kind=MarketKind.WINNER,
        markets=markets, mapped=mapped, certified=mapped, refused=refused,
        abstention=1 - mapped / markets, hit_rate=0.9,
    )  # fmt: skip


def test_coverage_is_the_days_last_count(lake: Lake) -> None:
    lake.tell(
        coverage(0, 10, 2, no_event=8), coverage(60, 20, 15, no_event=4, no_time=1), coverage(0, 4, 4, days=1)
    )
    first, second = lake.rows("mapping_coverage_by_day")
    assert (first["day"], first["markets"], first["mapped_share"], first["abstention"]) == (
        DAY,
        20,
        0.75,
        0.25,
    )
    assert second["mapped_share"] == 1.0


def test_reasons_not_to_map_are_counted_by_day(lake: Lake) -> None:
    lake.tell(coverage(0, 10, 2, no_event=8), coverage(60, 20, 15, no_event=4, no_time=1))
    assert {row["reason"]: row["markets"] for row in lake.rows("abstentions_by_day")} == {
        "no_event": 4,
        "no_time": 1,
    }


def test_a_refused_market_is_counted_under_its_newest_reason(lake: Lake) -> None:
    def refused(ticker: str, reason: str, seconds: float = 0) -> MappingDecided:
        return mapping(ticker, seconds=seconds, odds_event_id="", certificate=None, reason=reason)

    lake.tell(
        refused("G-1-A", "no_time: unknown"),
        refused("G-1-A", "no_event: nobody", 5),
        refused("G-1-B", "no_event: x"),
        mapping("G-1-C"),
        mapping("G-1-D", certificate=certificate(verdict="refused"), reason="certificate: overtime"),
    )
    found = {row["reason_code"]: row for row in lake.rows("abstentions")}
    assert {code: (row["markets"], row["share_of_kind"]) for code, row in found.items()} == {
        "no_event": (2, 0.5),
        "certificate": (1, 0.25),
    }
    assert found["no_event"]["example_ticker"] == "G-1-A"


def test_a_decision_says_whether_it_maps_and_certifies(lake: Lake) -> None:
    lake.tell(mapping("G-1-A"), mapping("G-1-B", certificate=certificate(verdict="refused")))
    found = {row["ticker"]: (row["is_mapped"], row["is_certified"]) for row in lake.rows("mappings_current")}
    assert found == {"G-1-A": (True, True), "G-1-B": (True, False)}


def test_a_market_is_shown_as_last_listed_within_the_week(lake: Lake) -> None:
    def listed(ticker: str, seconds: float, ask: float, days: int = 0) -> MarketListed:
        return MarketListed(
            observed_at=at(seconds, days), ticker=ticker, event_ticker="E", series_ticker="S",
            status=MarketStatus.ACTIVE, yes_ask=cents(ask),
        )  # fmt: skip

    lake.tell(listed("A", 5, 41), listed("A", 0, 40), listed("B", 0, 40, days=-8))
    assert lake.rows("markets_current", "ticker", "yes_ask") == [{"ticker": "A", "yes_ask": 410_000}]


def spent(
    sport: str, used: int | None, published: int, seconds: float = 0, failure: str = ""
) -> CreditsSpent:
    return CreditsSpent(
        observed_at=at(seconds),
        sport_key=sport,
        call="odds",
        planned=3,
        used=used,
        remaining=None if used is None else 500 - int(seconds),
        events=published,
        published=published,
        failure=failure,
    )


def test_credits_are_what_the_feed_said_or_else_what_was_set_aside(lake: Lake) -> None:
    lake.tell(
        spent("nba", 2, 4), spent("nba", None, 0, 10, "503"), spent("nba", 3, 1, 20), spent("nfl", 3, 0, 30)
    )
    found = {row["sport_key"]: row for row in lake.rows("odds_credits_by_day")}
    nba = found["nba"]
    assert (nba["calls"], nba["failed_calls"], nba["calls_without_word"], nba["spent"]) == (3, 1, 1, 8)
    assert (nba["per_event"], nba["remaining"]) == (1.6, 480)
    assert (found["nfl"]["spent"], found["nfl"]["per_event"]) == (3, None)


def moved(
    seconds: float, before: str, after: str, cause: str = "failures", actor: str = "executor"
) -> BreakerMoved:
    return BreakerMoved(
        observed_at=at(seconds), breaker="kalshi", before=before, after=after, cause=cause, causes=(cause,),
        reason=f"because at {seconds:g}", actor=actor, at=at(seconds),
    )  # fmt: skip


def _history(lake: Lake) -> None:
    first = moved(0, "closed", "open")
    lake.tell(
        first, moved(30, "open", "half_open", actor="cool-down"), moved(31, "half_open", "open"),
        moved(91, "open", "closed", actor="Ada"), moved(100, "closed", "open", "loss_limit"), first,
    )  # fmt: skip


def test_a_breaker_stays_until_its_next_move(lake: Lake) -> None:
    _history(lake)
    rows = lake.rows("breaker_history", "moved_at", "after", "stayed_s", "moved_on_by", "is_current")
    assert [(row["after"], row["stayed_s"], row["moved_on_by"]) for row in rows] == [
        ("open", 30.0, "cool-down"), ("half_open", 1.0, "executor"), ("open", 60.0, "Ada"),
        ("closed", 9.0, "executor"), ("open", None, None),
    ]  # fmt: skip
    assert [row["is_current"] for row in rows] == [False] * 4 + [True]


def test_downtime_is_summed_by_cause(lake: Lake) -> None:
    _history(lake)
    found = {row["cause"]: row for row in lake.rows("breaker_downtime")}
    failures, loss = found["failures"], found["loss_limit"]
    assert (failures["openings"], failures["failed_probes"], failures["open_s"], failures["longest_s"]) == (
        2,
        1,
        90,
        60,
    )
    assert (failures["is_open_now"], failures["last_reason"]) == (False, "because at 31")
    assert (loss["open_s"], loss["is_open_now"]) == (None, True)


def difference(seconds: float, resolved: bool, identity: str = "d") -> ReconciliationDifference:
    return ReconciliationDifference(
        observed_at=at(seconds), difference_id=identity, what="position", subject="G-1-A", ticker="G-1-A",
        ours="10", theirs="12", gap=200, resolved=resolved, resolution="adopted" if resolved else "",
    )  # fmt: skip


def test_a_difference_is_open_until_it_is_told_resolved(lake: Lake) -> None:
    lake.tell(difference(0, False), difference(45, True), difference(50, False, "e"))
    found = {row["difference_id"]: row for row in lake.rows("reconciliation_current")}
    assert (found["d"]["resolved"], found["d"]["lasted_s"], found["d"]["found_at"]) == (True, 45.0, when(0))
    assert (found["e"]["resolved"], found["e"]["resolved_at"], found["e"]["gap"]) == (False, None, 200)


def test_alerts_and_quarantine_are_counted_as_often_as_they_say(lake: Lake) -> None:
    def alert(subject: str, count: int) -> AlertRaised:
        return AlertRaised(
            observed_at=at(),
            source="mapping",
            code="unknown_series",
            subject=subject,
            text=f"see {subject}",
            count=count,
        )

    lake.tell(
        alert("A", 3), alert("B", 1),
        Quarantined(observed_at=at(), source="odds", reason="no id: event 5", count=2),
    )  # fmt: skip
    found = {
        row["kind"]: (row["code"], row["messages"], row["times"], row["subjects"])
        for row in lake.rows("alerts_by_day")
    }
    assert found == {"alert": ("unknown_series", 2, 4, 2), "quarantine": ("no id", 1, 2, 1)}


@pytest.mark.parametrize("view", ["breaker_history", "reconciliation_current", "odds_credits_by_day"])
def test_where_nothing_happened_there_is_nothing_to_see(lake: Lake, view: str) -> None:
    assert lake.rows(view) == []
