"""In every league: nothing that is added, removed, swapped, shuffled or written in another zone misleads.

A small season is drawn from the league's own table; each market is written in one of the exchange's styles.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import EASTERN, from_datetime, parse_instant
from shared.mapping.mapper import map_markets
from shared.mapping.tables import League, Team, leagues, load_teams
from shared.messages import MarketListed, OddsEvent
from tests.mapping.build import listed

# Leagues whose pairs cannot be told by ticker codes alone are met with titles.
TEAM_LEAGUES = [league for league in leagues() if league.tables]
_CLOCKED = ("MLB", "KBO", "NPB", "NCAA Baseball")
_FIRST = datetime(2026, 9, 27, 17, 5, tzinfo=UTC)

World = tuple[list[MarketListed], list[OddsEvent]]


def _title(league: League, away: Team, home: Team) -> str:
    one, other = (away.kalshi or (away.name,))[0], (home.kalshi or (home.name,))[0]
    return f"{one} at {other} Winner?" if league.order == "away_home" else f"{one} vs {other} Winner?"


def _rules(league: League, away: Team, home: Team, local: datetime) -> str:
    one, other = (away.kalshi or (away.name,))[0], (home.kalshi or (home.name,))[0]
    words = league.phrases[0].replace("*", league.name)
    time = f" at {local:%I:%M %p} EDT".replace(" 0", " ") if league.name in _CLOCKED else ""
    day = f"{local:%b} {local.day}, {local:%Y}"
    return f"If {one} wins the {one} vs {other} {words} game originally scheduled for {day}{time}, then Yes."


STYLES: dict[str, Callable[[League, Team, Team, datetime], dict[str, str]]] = {
    "title": lambda league, away, home, local: {"title": _title(league, away, home)},
    "event title": lambda league, away, home, local: {
        "title": f"{(home.kalshi or (home.name,))[0]} wins",
        "event_title": _title(league, away, home).removesuffix(" Winner?"),
    },
    "rules": lambda league, away, home, local: {"rules_primary": _rules(league, away, home, local)},
}


def world(league: League, seed: int, style: str) -> World:
    """Ten games of different teams, one market each, over three days."""
    draw = random.Random(seed)  # noqa: S311 - a reproducible season
    teams = [team for table in league.tables for team in load_teams(table) if team.codes]
    chosen = draw.sample(teams, min(20, len(teams) // 2 * 2))
    markets, events = [], []
    for number in range(len(chosen) // 2):
        away, home = chosen[2 * number : 2 * number + 2]
        start = _FIRST + timedelta(days=number % 3, hours=number)
        local = start.astimezone(EASTERN)
        clock = f"{local:%H%M}" if league.name in _CLOCKED else ""
        suffix = "MATCH" if league.sport in ("rugbyleague", "cricket") else "GAME"
        series = f"KX{league.stems[0]}{suffix}"
        ticker = f"{series}-{local:%y%b%d}{clock}{away.codes[0]}{home.codes[0]}-{home.codes[0]}".upper()
        markets.append(listed(ticker, **STYLES[style](league, away, home, local)))
        events.append(
            OddsEvent(
                id=f"e{number}",
                sport_key=league.odds_keys[0],
                starts_at=from_datetime(start),
                home=home.name,
                away=away.name,
            )
        )
    return markets, events


def mapped(markets: list[MarketListed], events: list[OddsEvent]) -> dict[str, str]:
    return {d.ticker: d.odds_event_id for d in map_markets(markets, events)}


seeds = st.integers(0, 10_000)
styles = st.sampled_from(sorted(STYLES))
any_league = st.sampled_from(TEAM_LEAGUES)


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("league", TEAM_LEAGUES, ids=lambda league: league.name)
def test_every_league_maps_in_every_style(league: League, style: str) -> None:
    markets, events = world(league, 1, style)
    found = map_markets(markets, events)
    assert [d.odds_event_id for d in found] == [e.id for e in events], [d.reason for d in found]


@given(any_league, seeds, styles)
@settings(max_examples=40)
def test_removing_the_true_event_always_refuses(league: League, seed: int, style: str) -> None:
    markets, events = world(league, seed, style)
    for gone in range(0, len(events), 3):
        rest = events[:gone] + events[gone + 1 :]
        assert map_markets([markets[gone]], rest)[0].odds_event_id == ""


@given(any_league, seeds, styles, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_permutation_changes_nothing(league: League, seed: int, style: str, shuffle: random.Random) -> None:
    markets, events = world(league, seed, style)
    before = mapped(markets, events)
    shuffle.shuffle(markets)
    shuffle.shuffle(events)
    assert mapped(markets, events) == before


@given(any_league, any_league, seeds, seeds, styles)
@settings(max_examples=40)
def test_decoys_of_any_league_never_take_a_market(
    league: League, other: League, seed: int, decoy_seed: int, style: str
) -> None:
    markets, events = world(league, seed, style)
    _, decoys = world(other, decoy_seed, style)
    added = [msgspec.structs.replace(event, id=f"decoy {event.id}") for event in decoys]
    right = {market.ticker: event for market, event in zip(markets, events, strict=True)}
    for ticker, chosen in mapped(markets, events + added).items():
        wanted = right[ticker]
        twins = [one.id for one in added if _same_game(one, wanted)]
        assert chosen in ("", wanted.id, *twins)


def _same_game(one: OddsEvent, other: OddsEvent) -> bool:
    return (one.sport_key, one.away, one.home, one.starts_at) == (
        other.sport_key,
        other.away,
        other.home,
        other.starts_at,
    )


@given(any_league, seeds, styles)
@settings(max_examples=40)
def test_swapping_home_and_away_never_makes_a_wrong_match(league: League, seed: int, style: str) -> None:
    markets, events = world(league, seed, style)
    swapped = [msgspec.structs.replace(e, home=e.away, away=e.home) for e in events]
    found = list(mapped(markets, swapped).values())
    if league.order == "away_home":
        assert set(found) == {""}
    else:
        assert found == [event.id for event in events]


@given(any_league, seeds, styles, st.integers(-14, 14))
@settings(max_examples=40)
def test_a_start_written_in_another_zone_is_the_same_start(
    league: League, seed: int, style: str, offset: int
) -> None:
    markets, events = world(league, seed, style)
    zone = timezone(timedelta(hours=offset))
    moved = [
        msgspec.structs.replace(
            event,
            starts_at=parse_instant(
                datetime.fromtimestamp((event.starts_at or 0) / 1_000_000, tz=zone).isoformat()
            ),
        )
        for event in events
    ]
    assert mapped(markets, moved) == mapped(markets, events)


@given(any_league, seeds, styles, st.sampled_from([-2, -1, 1, 2, 7, 365]))
@settings(max_examples=40)
def test_a_start_moved_by_days_is_refused_unless_the_pair_may_be_a_day_off(
    league: League, seed: int, style: str, days: int
) -> None:
    markets, events = world(league, seed, style)
    shift = timedelta(days=days) // timedelta(microseconds=1)
    moved = [msgspec.structs.replace(e, starts_at=(e.starts_at or 0) + shift) for e in events]
    found = set(mapped(markets, moved).values())
    if abs(days) > league.slack_days:
        assert found == {""}
