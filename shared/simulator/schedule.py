"""The fixture list: which teams meet when, and the oddities a real list carries, all drawn from one seed.

A slate always holds, where the counts allow it: JAC, LAR and WAS in football, a doubleheader and a moved
start in baseball (its market tickers carry the new time, its event ticker the old), one postponed game.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from shared.clock import DAY, EASTERN, HOUR, MINUTE, SECOND, Instant, eastern_day, to_datetime
from shared.ids import as_uuid, digest
from shared.simulator.league import BY_KEY, League, Team

_ROUND = 5 * MINUTE
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Script(Enum):
    """What the schedule has decided beforehand about a game; most games are free."""

    FREE = "free"
    TIE = "tie"
    POSTPONED = "postponed"


@dataclass(frozen=True, slots=True)
class Preset:
    """Size and pace of a world. ``length_s`` ``None`` keeps each league's real game length."""

    counts: dict[str, int] = field(
        default_factory=lambda: {"NFL": 13, "NBA": 9, "MLB": 9, "NHL": 8, "NCAAF": 6, "EPL": 6}
    )
    first_start_s: int = 8 * 60
    span_s: int = 8 * 3600
    length_s: int | None = 25 * 60
    slate_every_s: int | None = 8 * 3600
    determine_after_s: int = 60
    combos: int = 40
    players: int = 0  # listed with prop ladders, of each side and role

    @property
    def doubleheader_gap(self) -> int:
        """Microseconds between the two starts of a doubleheader."""
        return 2 * HOUR if self.length_s else 5 * HOUR


# Games of 25 minutes over eight hours: at 60x real time some start and settle within a real minute.
DEMO = Preset(players=1)
# A day of games at their real length, for a server that runs with the machine's clock.
REAL_TIME = Preset(first_start_s=45 * 60, span_s=22 * 3600, length_s=None, slate_every_s=24 * 3600, players=2)
# A handful of games, for tests.
SMALL = Preset(
    counts={"NFL": 2, "NBA": 1, "MLB": 2, "NHL": 1, "EPL": 1}, span_s=2 * 3600, slate_every_s=None, combos=3
)


@dataclass(frozen=True, slots=True)
class Game:
    """One fixture. ``start`` is the true start; ``listed_start`` the one the event ticker was made from."""

    league: League
    away: Team
    home: Team
    start: Instant
    listed_start: Instant
    length: int
    odds_id: str
    milestone_id: str
    club_rules: bool = False
    opponent_as_no: bool = False
    old_title: bool = False
    untimed_rules: bool = False
    fee_override: bool = False
    script: Script = Script.FREE

    @property
    def key(self) -> str:
        """Identity within a world: league and the event part of the ticker."""
        return f"{self.league.key}/{self.event_code}"

    @property
    def first(self) -> Team:
        """The team named first: the visitor in America, the home side in soccer."""
        return self.home if self.league.home_first else self.away

    @property
    def second(self) -> Team:
        """The team named second."""
        return self.away if self.league.home_first else self.home

    @property
    def event_code(self) -> str:
        """``26SEP27CARCLE`` or, where the league's tickers carry a time, ``26SEP182215SFLAD``."""
        return self._code(self.listed_start)

    @property
    def market_code(self) -> str:
        """The same for market tickers: a moved game's markets carry the new time."""
        return self._code(self.start)

    def _code(self, start: Instant) -> str:
        local = to_datetime(start).astimezone(EASTERN)
        clock = f"{local:%H%M}" if self.league.timed_ticker else ""
        day = f"{local:%y}{_MONTHS[local.month - 1]}{local:%d}"
        return f"{day}{clock}{self.first.code}{self.second.code}"

    @property
    def commence(self) -> Instant:
        """Start as the odds feed gives it: a minute late in baseball, as measured on real games."""
        return Instant(self.start + (MINUTE if self.league.timed_ticker else 0))


def slate(seed: int, number: int, opens: Instant, preset: Preset) -> tuple[Game, ...]:
    """The games of slate ``number``, in order of start; the same arguments always give the same games."""
    rng = random.Random(f"{seed}/slate/{number}")  # noqa: S311 - a simulation
    games = [game for key in sorted(preset.counts) for game in _league(rng, BY_KEY[key], opens, preset)]
    return tuple(sorted(games, key=lambda game: (game.start, game.key)))


def _league(rng: random.Random, league: League, opens: Instant, preset: Preset) -> list[Game]:
    pairs = list(_pairs(rng, league, preset.counts[league.key]))
    games = [_game(rng, league, away, home, opens, preset) for away, home in pairs]
    if league.key == "MLB":
        return _baseball(games, preset)
    if league.key == "NFL":
        games[::3] = [replace(game, club_rules=True) for game in games[::3]]
        games[2:3] = [replace(game, script=Script.TIE) for game in games[2:3]]
    if league.key == "NBA" and len(games) > 2:
        games[0] = replace(games[0], script=Script.POSTPONED)
    return games


def _before_it_moved(start: Instant) -> Instant:
    """Three hours away on the same day: a game moved to another day is not recognised, and refused."""
    earlier = Instant(start - 3 * HOUR)
    return earlier if eastern_day(earlier) == eastern_day(start) else Instant(start + 3 * HOUR)


def _pairs(rng: random.Random, league: League, count: int) -> Iterator[tuple[Team, Team]]:
    """Distinct teams drawn in pairs (away, home); the three codes that trip parsers always play."""
    teams = list(league.teams)
    rng.shuffle(teams)
    if league.key == "NFL":
        teams.sort(key=lambda team: team.code not in ("JAC", "LAR", "WAS"))
    for index in range(min(count, len(teams) // 2)):
        yield teams[index * 2], teams[index * 2 + 1]


def _game(rng: random.Random, league: League, away: Team, home: Team, opens: Instant, preset: Preset) -> Game:
    offset = preset.first_start_s + rng.random() * preset.span_s
    start = Instant(-(-(opens + int(offset * SECOND)) // _ROUND) * _ROUND)
    length = preset.length_s * SECOND if preset.length_s else league.length
    identity = f"{league.key}/{away.code}/{home.code}/{start}/{rng.getrandbits(64)}"
    return Game(
        league=league,
        away=away,
        home=home,
        start=start,
        listed_start=start,
        length=int(length * rng.uniform(0.95, 1.1)),
        odds_id=digest("odds", identity),
        milestone_id=as_uuid(digest("milestone", identity)),
        opponent_as_no=league.key == "NCAAF" and rng.random() < 0.7,
        old_title=league.key in ("MLB", "NCAAF") and rng.random() < 0.15,
        untimed_rules=rng.random() < 0.1,
        fee_override=league.key == "MLB" and rng.random() < 0.2,
    )


def _baseball(games: list[Game], preset: Preset) -> list[Game]:
    if len(games) > 1:
        moved = games[1]
        games[1] = replace(moved, listed_start=_before_it_moved(moved.start))
    if games:
        first = games[0]
        start = Instant(first.start + preset.doubleheader_gap)
        identity = f"{first.odds_id}/second"
        games.append(
            replace(
                first,
                start=start,
                listed_start=start,
                odds_id=digest("odds", identity),
                milestone_id=as_uuid(digest("milestone", identity)),
            )
        )
    return games


def postponed(game: Game) -> Game:
    """The game a day later, as the odds feed lists it again: under a new id."""
    return replace(game, start=Instant(game.start + DAY), odds_id=digest("odds", game.odds_id, "again"))
