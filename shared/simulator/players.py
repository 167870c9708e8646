"""Players and their counts: who plays, what is expected of them, how a count grows, and who does not play.

An athlete is drawn from the game's own stream, so neither orders nor questions change a count. Everything
about a count is priced from the same mean, so a ladder agrees with the books' lines and with its result.
"""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from shared.clock import DAY, MINUTE, Instant
from shared.ids import as_uuid, digest
from shared.money import MICROS, Price
from shared.props import pricing
from shared.simulator.contracts import Asks, Question
from shared.simulator.league import Team
from shared.simulator.model import STEP, Outcomes
from shared.simulator.schedule import Game
from shared.terms import Result


@dataclass(frozen=True, slots=True)
class Prop:
    """A statistic of one league. ``shape`` is the negative binomial's size, or none for a Poisson count.

    ``step`` is the distance between rungs; ``role`` keeps pitchers from hitting.
    """

    league: str
    suffix: str
    title: str
    words: str
    market: str
    mean: float
    shape: float | None = None
    step: int = 1
    role: int = 0


PROPS: tuple[Prop, ...] = (
    Prop("NBA", "PTS", "Pro Basketball Points", "points", "player_points", 21.0, 10.0, 5),
    Prop("NBA", "AST", "Pro Basketball Assists", "assists", "player_assists", 5.5, None, 2),
    Prop("NFL", "RSHYDS", "Pro Football Rushing Yards", "rushing yards", "player_rush_yds", 58.0, 5.0, 10),
    Prop("NFL", "REC", "Pro Football Receptions", "receptions", "player_receptions", 4.6, 15.0, 1, 1),
    Prop("MLB", "KS", "Pro Baseball Strikeouts", "strikeouts", "pitcher_strikeouts", 5.6),
    Prop("MLB", "TB", "Pro Baseball Total Bases", "total bases", "batter_total_bases", 1.5, 1.8, 1, 1),
    Prop("NHL", "PTS", "NHL Points", "points", "player_points", 0.9),
    # In no table of anybody: found by its title alone.
    Prop("NHL", "SOG", "NHL Shots on Goal", "shots on goal", "player_shots_on_goal", 2.9, None, 1),
)
PLAYER_MARKETS: tuple[str, ...] = tuple(
    dict.fromkeys(name for prop in PROPS for name in (prop.market, f"{prop.market}_alternate"))
)

_RUNGS = (-1, 0, 1, 2)
_SCRATCHED = 0.05
_FIRST = (
    "José",
    "Luka",
    "C.J.",
    "Marcus",
    "Andrés",
    "Dmitri",
    "Jaylen",
    "Niko",
    "Cole",
    "Zach",
    "Pêpe",
    "Ty",
)
_LAST = (
    "Okafor", "Peña", "Lindqvist", "Crow-Armitage", "De La Vega", "O'Rourke", "Sørensen", "Whitlock",
    "Batiste", "Kovács", "Marchetti", "Yamada",
)  # fmt: skip
_SUFFIXES = ("", "", "", "", "Jr.", "III")
_PLAIN = str.maketrans("éêáóñøú", "eeaonou", ".'")


@lru_cache(maxsize=65_536)
def _at_least(mean: float, shape: float | None, least: int) -> float:
    if least <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if shape is None:
        return pricing.poisson_tail(mean, least)
    return pricing.negative_binomial_tail(mean, shape, least)


@dataclass(frozen=True, slots=True)
class Form:
    """What is true of one athlete at one instant: expected in a whole game, counted so far, share played."""

    at: Instant
    mean: float
    count: int = 0
    played: float = 0.0

    def at_least(self, threshold: int, shape: float | None) -> float:
        """P(the final count reaches ``threshold``)."""
        left = round(self.mean * (1 - self.played), 3)
        return _at_least(left, shape, threshold - self.count)


@dataclass(eq=False, slots=True)
class Athlete:
    """One player's count in one game."""

    name: str
    team: Team
    jersey: int
    prop: Prop
    scratched_at: Instant | None
    rng: random.Random
    forms: list[Form] = field(default_factory=list)
    luck: float = 1.0

    @property
    def now(self) -> Form:
        """The newest form."""
        return self.forms[-1]

    def at(self, instant: Instant) -> Form:
        """The form that held at ``instant``."""
        place = bisect.bisect_right(self.forms, instant, key=lambda form: form.at)
        return self.forms[max(0, place - 1)]

    @property
    def id(self) -> str:
        """Stable id, invented."""
        return as_uuid(digest("player", self.team.league, self.team.code, self.name))

    @property
    def code(self) -> str:
        """``BOSJTATUM0``: team, initial, surname, number."""
        first, *rest = feed_name(self.name).upper().replace("-", "").split()
        return f"{self.team.code}{first[0]}{''.join(rest)}{self.jersey}"

    @property
    def rungs(self) -> list[int]:
        """Thresholds listed for him: around what was expected at first, in the statistic's steps."""
        step = self.prop.step
        middle = max(1, round(self.forms[0].mean / step)) * step
        return sorted({max(1, middle + offset * step) for offset in _RUNGS})

    def drift(self, now: Instant) -> None:
        """One step of opinion before the start."""
        move = self.rng.gauss(0, 0.25 * math.sqrt(STEP / DAY))
        if self.rng.random() < 1 / 960:
            move += self.rng.gauss(0, 0.08)
        self.forms.append(Form(now, self.now.mean * math.exp(move)))

    def play(self, now: Instant, played: float) -> None:
        """One step of the game itself; who does not play counts nothing."""
        form = self.now
        share = max(0.0, played - form.played)
        more = 0 if self.scratched_at is not None else _poisson(self.rng, form.mean * self.luck * share)
        self.forms.append(Form(now, form.mean, form.count + more, played))


def _poisson(rng: random.Random, rate: float) -> int:
    count, level, chance = 0, rng.random(), math.exp(-rate)
    while level > chance and count < 200:
        level -= chance
        count += 1
        chance *= rate / count
    return count


def feed_name(name: str) -> str:
    """A name as the odds feed writes it: no accents, no suffix, no points."""
    plain = name.translate(_PLAIN)
    return plain.removesuffix(" Jr").removesuffix(" III")


@dataclass(frozen=True, slots=True)
class PlayerQuestion(Question):
    """What a rung asks: will the athlete reach ``points``?"""

    athlete: Athlete | None = None

    def fair(self, outcomes: Outcomes) -> float:
        """P(YES); who is known not to play is worth what he was before."""
        assert self.athlete is not None  # noqa: S101 - every rung has one
        form = self.athlete.now
        if self.athlete.scratched_at is not None and form.at >= self.athlete.scratched_at:
            form = self.athlete.at(self.athlete.scratched_at)
        return form.at_least(self.points, self.athlete.prop.shape)

    def payout(self, score: tuple[int, int], three_way: bool) -> tuple[Result, Price]:
        """YES or NO by the count; a fair price, to the cent, when the player did not take part."""
        assert self.athlete is not None  # noqa: S101 - every rung has one
        out = self.athlete.scratched_at
        if out is not None:
            fair = self.athlete.at(out).at_least(self.points, self.athlete.prop.shape)
            cents = round(100 * fair)
            return Result.SCALAR, Price(cents * MICROS // 100)
        won = self.athlete.now.count >= self.points
        return (Result.YES, Price(MICROS)) if won else (Result.NO, Price(0))


def question(athlete: Athlete, threshold: int) -> PlayerQuestion:
    """The question of one rung."""
    return PlayerQuestion(Asks.PLAYER, athlete.team.code != "", threshold, athlete)


@dataclass(eq=False, slots=True)
class Squad:
    """The athletes of one game that somebody lists."""

    game: Game
    athletes: tuple[Athlete, ...]

    @classmethod
    def draw(cls, game: Game, seed: int, now: Instant, a_side: int) -> Squad:
        """``a_side`` players of each team and role, from the game's own stream."""
        rng = random.Random(f"{seed}/players/{game.odds_id}")  # noqa: S311 - a simulation
        return cls(game, tuple(_athletes(game, rng, now, a_side)))

    def drift(self, now: Instant) -> None:
        """One step before the start."""
        for athlete in self.athletes:
            athlete.drift(now)

    def play(self, now: Instant, played: float) -> None:
        """One step of the game."""
        for athlete in self.athletes:
            athlete.play(now, played)


def _athletes(game: Game, rng: random.Random, now: Instant, a_side: int) -> Iterator[Athlete]:
    props = [prop for prop in PROPS if prop.league == game.league.key]
    names = [f"{first} {last}" for first in _FIRST for last in _LAST]
    rng.shuffle(names)
    for team in (game.away, game.home):
        for role in sorted({prop.role for prop in props}):
            for _ in range(a_side):
                name = f"{names.pop()} {rng.choice(_SUFFIXES)}".strip()
                out = Instant(game.start - 20 * MINUTE) if rng.random() < _SCRATCHED else None
                jersey, talent = rng.randrange(100), rng.gauss(0, 0.2)
                for prop in props:
                    if prop.role == role:
                        yield _athlete(name, team, jersey, prop, out, rng, talent, now)


def _athlete(
    name: str,
    team: Team,
    jersey: int,
    prop: Prop,
    out: Instant | None,
    rng: random.Random,
    talent: float,
    now: Instant,
) -> Athlete:
    own = random.Random(rng.getrandbits(64))  # noqa: S311 - a simulation
    made = Athlete(name, team, jersey, prop, out, own, [Form(now, prop.mean * math.exp(talent))])
    # A dispersed count is a Poisson count of a day's form nobody knows beforehand.
    made.luck = own.gammavariate(prop.shape, 1 / prop.shape) if prop.shape else 1.0
    return made
