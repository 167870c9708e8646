"""The truth behind a game: how strong the sides are, how the score evolves, what every contract is worth.

Football and basketball draw a normal margin and total; hockey, baseball and soccer two Poisson counts. All
contracts of a game are priced from the same state, so ladders are consistent with the winner and with the
final score that is drawn in the end.
"""

from __future__ import annotations

import bisect
import math
import random
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from shared.clock import DAY, SECOND, Instant
from shared.simulator.league import League, Scoring
from shared.simulator.schedule import Game, Script

STEP = 30 * SECOND
_PLAY_STEPS = 300
# News moves a game about once in four hours before it starts.
_JUMP_RATE = 1 / 480
_EPSILON = 1e-9


def _above(x: float, mean: float, deviation: float) -> float:
    return 0.5 * math.erfc((x - mean) / (max(deviation, _EPSILON) * math.sqrt(2)))


@lru_cache(maxsize=4096)
def _poisson(rate: float) -> tuple[float, ...]:
    terms = [math.exp(-rate)]
    for count in range(1, int(rate + 6 * math.sqrt(rate) + 6)):
        terms.append(terms[-1] * rate / count)
    total = sum(terms)
    return tuple(term / total for term in terms)


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """What is true at one instant. ``a``, ``b``: expected (margin, total), or expected (home, away) counts
    of a whole game; ``x``, ``y``: the same accrued so far; ``played``: share of the game gone, 0 to 1."""

    at: Instant
    league: League
    a: float
    b: float
    x: float = 0.0
    y: float = 0.0
    played: float = 0.0

    @property
    def outcomes(self) -> Outcomes:
        """Prices of this state."""
        return _outcomes(self)

    @property
    def score(self) -> tuple[int, int]:
        """Points of (home, away) now."""
        if self.league.scoring is Scoring.POISSON:
            return int(self.x), int(self.y)
        return max(0, round((self.y + self.x) / 2)), max(0, round((self.y - self.x) / 2))


class Outcomes:
    """Probabilities of final margins (home minus away) and totals, overtime included."""

    def margin_at_least(self, points: int) -> float:
        """P(home - away >= points)."""
        raise NotImplementedError

    def total_at_least(self, points: int) -> float:
        """P(home + away >= points)."""
        raise NotImplementedError

    def tie(self) -> float:
        """P(the match is settled as a tie); only soccer prices it."""
        return 0.0

    def win(self, home: bool) -> float:
        """P(the side wins); a football tie pays half and is spread evenly."""
        chance = self.margin_at_least(1)
        return chance if home else 1.0 - chance - self.tie()

    def beats(self, home: bool, points: int) -> float:
        """P(the side wins by at least ``points``; negative points allowed)."""
        return self.margin_at_least(points) if home else 1.0 - self.margin_at_least(1 - points)


class NormalOutcomes(Outcomes):
    """Margin and total are rounded normals; a level score is decided by two points in overtime."""

    def __init__(self, state: State) -> None:
        left = max(0.0, 1.0 - state.played)
        root = math.sqrt(left)
        self._mean = state.x + state.a * left
        self._total = state.y + state.b * left
        self._deviation = state.league.scale[0] * root
        self._total_deviation = state.league.scale[1] * root

    def _regulation(self, points: int) -> float:
        return _above(points - 0.5, self._mean, self._deviation)

    def margin_at_least(self, points: int) -> float:
        level = self._regulation(0) - self._regulation(1)
        chance = self._regulation(points)
        if 1 <= points <= 2:
            return chance + level / 2
        return chance - level / 2 if -1 <= points <= 0 else chance

    def total_at_least(self, points: int) -> float:
        return _above(points - 0.5, self._total, self._total_deviation)


class PoissonOutcomes(Outcomes):
    """Two independent counts; outside soccer a level score is decided by one more goal, even odds."""

    def __init__(self, state: State) -> None:
        left = max(0.0, 1.0 - state.played)
        home, away = (_poisson(round(rate * left, 4)) for rate in (state.a, state.b))
        self._lead = int(state.x) - int(state.y)
        self._scored = int(state.x) + int(state.y)
        self._zero = len(away) - 1
        margins, totals = [0.0] * (len(home) + len(away)), [0.0] * (len(home) + len(away))
        for goals, p in enumerate(home):
            for others, q in enumerate(away):
                margins[goals - others + self._zero] += p * q
                totals[goals + others] += p * q
        level = self._zero - self._lead
        self._tie = margins[level] if 0 <= level < len(margins) else 0.0
        if not state.league.three_way and self._tie > 0:
            self._overtime(home, away, margins, totals, level)
            self._tie = 0.0
        self._margins, self._totals = _at_least(margins), _at_least(totals)

    def _overtime(
        self,
        home: tuple[float, ...],
        away: tuple[float, ...],
        margins: list[float],
        totals: list[float],
        level: int,
    ) -> None:
        margins[level] = 0.0
        for winner in (level - 1, level + 1):
            if 0 <= winner < len(margins):
                margins[winner] += self._tie / 2
        for goals, p in enumerate(home):
            others = goals + self._lead
            if 0 <= others < len(away):
                totals[goals + others] -= p * away[others]
                totals[goals + others + 1] += p * away[others]

    def margin_at_least(self, points: int) -> float:
        return _clipped(self._margins, points - self._lead + self._zero)

    def total_at_least(self, points: int) -> float:
        return _clipped(self._totals, points - self._scored)

    def tie(self) -> float:
        return self._tie


def _at_least(chances: list[float]) -> list[float]:
    sums = list(accumulate(reversed(chances)))
    return sums[::-1]


def _clipped(sums: list[float], index: int) -> float:
    if index >= len(sums):
        return 0.0
    return min(1.0, max(0.0, sums[max(0, index)]))


# Thousands of states are kept for late bookmakers and few are priced twice: a bounded cache, not a field.
@lru_cache(maxsize=1024)
def _outcomes(state: State) -> Outcomes:
    return NormalOutcomes(state) if state.league.scoring is Scoring.NORMAL else PoissonOutcomes(state)


class Latent:
    """The path of one game's truth, drawn from the game's own stream: orders never change a result."""

    def __init__(self, game: Game, seed: int, now: Instant) -> None:
        self.game = game
        self._rng = random.Random(f"{seed}/truth/{game.odds_id}")  # noqa: S311 - a simulation
        self.states = [self._opening(now)]
        self._times = [now]
        self.final: tuple[int, int] | None = None

    def _opening(self, now: Instant) -> State:
        league, rng = self.game.league, self._rng
        if league.scoring is Scoring.NORMAL:
            margin = rng.gauss(league.base[0], 0.45 * league.scale[0])
            return State(now, league, margin, rng.gauss(league.base[1], 0.25 * league.scale[1]))
        tilt, size = rng.gauss(0, 0.2), rng.gauss(0, 0.08)
        return State(
            now, league, league.base[0] * math.exp(size + tilt), league.base[1] * math.exp(size - tilt)
        )

    @property
    def now(self) -> State:
        """The newest state."""
        return self.states[-1]

    def at(self, instant: Instant) -> State:
        """The state that held at ``instant`` (the opening one before that)."""
        return self.states[max(0, bisect.bisect_right(self._times, instant) - 1)]

    @property
    def play_step(self) -> int:
        """Microseconds between two states while the game is played."""
        return max(SECOND, self.game.length // _PLAY_STEPS)

    def drift(self, now: Instant) -> None:
        """One step of opinion before the start: small moves, now and then news."""
        rng, league, state = self._rng, self.game.league, self.now
        sigma = 0.2 * math.sqrt(STEP / DAY)
        move, other = rng.gauss(0, sigma), rng.gauss(0, sigma)
        if rng.random() < _JUMP_RATE:
            move += rng.gauss(0, 0.12)
        if league.scoring is Scoring.NORMAL:
            self._push(
                replace(
                    state, at=now, a=state.a + move * league.scale[0], b=state.b + other * league.scale[1]
                )
            )
        else:
            self._push(
                replace(
                    state,
                    at=now,
                    a=state.a * math.exp(move + 0.3 * other),
                    b=state.b * math.exp(0.3 * other - move),
                )
            )

    def play(self, now: Instant) -> None:
        """One step of the game itself."""
        state, rng, league = self.now, self._rng, self.game.league
        played = min(1.0, max(state.played, (now - self.game.start) / self.game.length))
        share = played - state.played
        if league.scoring is Scoring.NORMAL:
            root = math.sqrt(share)
            x = state.x + state.a * share + rng.gauss(0, league.scale[0] * root)
            y = state.y + state.b * share + rng.gauss(0, league.scale[1] * root)
        else:
            x, y = state.x + self._count(state.a * share), state.y + self._count(state.b * share)
        self._push(replace(state, at=now, x=x, y=y, played=played))

    def _count(self, rate: float) -> int:
        count, level, chance = 0, self._rng.random(), math.exp(-rate)
        while level > chance and count < 20:
            level -= chance
            count += 1
            chance *= rate / count
        return count

    def finish(self, now: Instant) -> tuple[int, int]:
        """Draw the final score (home, away), overtime included; equal scores mean a settled tie."""
        state, league = self.now, self.game.league
        level = self._rng.random()
        if league.scoring is Scoring.NORMAL:
            self.final = self._normal_final(state, level)
        else:
            home, away = state.score
            if home == away and not league.three_way:
                home, away = (home + 1, away) if level < 0.5 else (home, away + 1)
            self.final = home, away
        self._push(self._settled(now))
        return self.final

    def _normal_final(self, state: State, level: float) -> tuple[int, int]:
        margin = 0 if self.game.script is Script.TIE else round(state.x)
        total = max(abs(margin), 2 * round((state.y - margin) / 2) + margin)
        if margin == 0 and self.game.script is not Script.TIE and level >= self.game.league.tie_share:
            margin = 2 if level < (1 + self.game.league.tie_share) / 2 else -2
            total = max(total, 2)
        return (total + margin) // 2, (total - margin) // 2

    def _settled(self, now: Instant) -> State:
        assert self.final is not None  # noqa: S101 - set by the caller
        home, away = self.final
        if self.game.league.scoring is Scoring.NORMAL:
            return replace(self.now, at=now, x=float(home - away), y=float(home + away), played=1.0)
        return replace(self.now, at=now, x=float(home), y=float(away), played=1.0)

    def _push(self, state: State) -> None:
        self.states.append(state)
        self._times.append(state.at)
