"""Sportsbooks over the same truth, as the odds feed shows them: each has its margin, opinion, lag and habits.

A quote is a pure function of (seed, bookmaker, game, poll), so asking more or less often changes nothing. The
feed polls a book every 60 s before and every 40 s during a game; a suspended market is gone after 15 minutes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from shared.clock import HOUR, MINUTE, SECOND, Instant
from shared.simulator.league import League, Scoring
from shared.simulator.model import Outcomes, State
from shared.simulator.players import PLAYER_MARKETS
from shared.simulator.prop_books import player_outcomes
from shared.simulator.schedule import Game

if TYPE_CHECKING:
    from shared.simulator.world import Contest, World

Json = dict[str, Any]
FEATURED = ("h2h", "spreads", "totals")
ALTERNATE = ("alternate_spreads", "alternate_totals")
_POLL_BEFORE, _POLL_PLAYING = 60 * SECOND, 40 * SECOND
_GONE_AFTER = 15 * MINUTE
_OPINION_BLOCK = 10 * MINUTE
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Bookmaker:
    """One book.

    ``margin`` is the overround, ``lag_s`` how late it follows, ``opinion`` the spread of its bias in logits,
    ``coverage`` the share of games it offers, ``lay`` whether it is an exchange that also quotes lay prices.
    """

    key: str
    title: str
    region: str
    margin: float
    lag_s: int
    opinion: float
    coverage: float = 0.97
    lay: bool = False


BOOKMAKERS: tuple[Bookmaker, ...] = (
    Bookmaker("draftkings", "DraftKings", "us", 0.045, 10, 0.035),
    Bookmaker("fanduel", "FanDuel", "us", 0.044, 8, 0.035),
    Bookmaker("betmgm", "BetMGM", "us", 0.050, 20, 0.045),
    Bookmaker("williamhill_us", "Caesars", "us", 0.047, 20, 0.045),
    Bookmaker("betrivers", "BetRivers", "us", 0.055, 30, 0.055),
    Bookmaker("bovada", "Bovada", "us", 0.052, 40, 0.060, 0.9),
    Bookmaker("betonlineag", "BetOnline.ag", "us", 0.038, 10, 0.030),
    Bookmaker("lowvig", "LowVig.ag", "us", 0.022, 10, 0.030),
    Bookmaker("espnbet", "theScore Bet", "us2", 0.055, 45, 0.060, 0.85),
    Bookmaker("pinnacle", "Pinnacle", "eu", 0.025, 3, 0.015, 0.98),
    Bookmaker("betfair_ex_eu", "Betfair", "eu", 0.006, 3, 0.020, 0.8, lay=True),
    Bookmaker("unibet_uk", "Unibet", "uk", 0.060, 50, 0.060, 0.8),
)


@dataclass(eq=False)
class Listed:
    """One event of the feed: a game as it stood when listed. A postponed game leaves an old one behind."""

    contest: Contest
    game: Game
    frozen_at: Instant | None = None

    @property
    def in_play(self) -> bool:
        """Whether the score moves."""
        return self.contest.latent.now.played > 0


class Feed:
    """All events of the odds feed and every book's quotes."""

    def __init__(self, seed: int, world: World) -> None:
        self._seed = seed
        self._world = world
        self._listed: list[Listed] = []

    def add(self, contest: Contest) -> None:
        """List a contest (again, under a new id, if it was postponed; the old listing goes stale)."""
        for old in self._listed:
            if old.contest is contest and old.frozen_at is None:
                old.frozen_at = self._world.now
        self._listed.append(Listed(contest, contest.game))

    def drop(self, contest: Contest) -> None:
        """Forget a contest."""
        self._listed = [listed for listed in self._listed if listed.contest is not contest]

    def events(self, sport_key: str | None) -> list[Listed]:
        """Events not yet completed, of one sport or of all, by start."""
        now = self._world.now
        found = [
            listed
            for listed in self._listed
            if not listed.contest.over
            and (sport_key is None or listed.game.league.sport_key == sport_key)
            and (listed.frozen_at is None or now - listed.frozen_at < 2 * HOUR)
        ]
        return sorted(found, key=lambda listed: (listed.game.commence, listed.game.odds_id))

    def completed(self, sport_key: str) -> list[Listed]:
        """Events whose game is over."""
        return [
            listed
            for listed in self._listed
            if listed.contest.over and listed.frozen_at is None and listed.game.league.sport_key == sport_key
        ]

    # --- quotes --------------------------------------------------------------------------------------------

    def quote(self, listed: Listed, book: Bookmaker, market: str) -> Json | None:
        """One book's market as ``{key, last_update, outcomes}`` (price is a probability), or ``None``."""
        polled = self._polled(listed, book)
        if polled is None or not self._offers(listed, book, market):
            return None
        state = listed.contest.latent.at(Instant(polled - book.lag_s * SECOND))
        outcomes = self._outcomes(listed, book, market, state, polled)
        if not outcomes:
            return None
        if market != "h2h" and self._unit(listed, book, market, "single", polled // HOUR) < 0.01:
            outcomes = outcomes[:1]
        return {"key": market, "last_update": polled, "outcomes": outcomes}

    def _polled(self, listed: Listed, book: Bookmaker) -> Instant | None:
        """When the feed last saw this book's markets; ``None`` if they are gone."""
        now = self._world.now
        every = _POLL_PLAYING if listed.in_play else _POLL_BEFORE
        phase = int(self._unit(listed, book, "phase") * every)
        polled = (now - phase) // every * every + phase
        block = polled // _OPINION_BLOCK
        if self._unit(listed, book, "stale", block) < 0.03:
            polled = block * _OPINION_BLOCK
        if listed.frozen_at is not None:
            polled = min(polled, listed.frozen_at)
        return None if now - polled > _GONE_AFTER else Instant(polled)

    def _offers(self, listed: Listed, book: Bookmaker, market: str) -> bool:
        if self._unit(listed, book, "covers") > book.coverage:
            return False
        if market == "h2h_lay":
            return book.lay
        if book.lay and market != "h2h":
            return False
        playing = 0.25 if listed.in_play else 0.02
        return self._unit(listed, book, market, "suspended", self._world.now // (5 * MINUTE)) > playing

    def _outcomes(
        self, listed: Listed, book: Bookmaker, market: str, state: State, polled: int
    ) -> list[Json]:
        shift = book.opinion * self._gauss(listed, book, "opinion")
        shift += 0.3 * book.opinion * self._gauss(listed, book, "mood", polled // _OPINION_BLOCK)
        squad, seen = listed.contest.squad, Instant(polled - book.lag_s * SECOND)
        if squad is not None and market in PLAYER_MARKETS:
            bias = {athlete.name: self._gauss(listed, book, athlete.name) for athlete in squad.athletes}
            return player_outcomes(
                squad, book.key, book.margin, market, seen, lambda one: shift + book.opinion * bias[one.name]
            )
        if market in PLAYER_MARKETS:
            return []
        game, outcomes = listed.game, state.outcomes
        if market in ("h2h", "h2h_lay"):
            sign = -1 if market == "h2h_lay" else 1
            return _priced(_winner(game, outcomes, shift), sign * book.margin)
        if market == "spreads":
            return _spread(game, outcomes, _handicap(state, shift), shift, book.margin)
        if market == "totals":
            return _total(outcomes, _total_line(state), shift, book.margin)
        if market == "alternate_spreads":
            line = _handicap(state, 0.0)
            return [
                row
                for step in range(-3, 4)
                for row in _spread(game, outcomes, line + step, shift, book.margin)
            ]
        line = _total_line(state)
        return [row for step in range(-3, 4) for row in _total(outcomes, line + step, shift, book.margin)]

    def _unit(self, listed: Listed, book: Bookmaker, *parts: object) -> float:
        text = f"{self._seed}/{listed.game.odds_id}/{book.key}/{parts}"
        raw = hashlib.blake2b(text.encode(), digest_size=7).digest()
        return int.from_bytes(raw, "big") / 2**56

    def _gauss(self, listed: Listed, book: Bookmaker, *parts: object) -> float:
        return _NORMAL.inv_cdf(min(max(self._unit(listed, book, *parts), 1e-6), 1 - 1e-6))


def _shifted(chance: float, shift: float) -> float:
    bounded = min(max(chance, 1e-4), 1 - 1e-4)
    return 1 / (1 + math.exp(-math.log(bounded / (1 - bounded)) - shift))


def _priced(rows: Iterable[Json], margin: float) -> list[Json]:
    """Put the margin on. Books stop quoting what is all but decided."""
    priced = [row | {"price": row["price"] * (1 + margin)} for row in rows]
    return priced if all(0.004 < row["price"] < 0.985 for row in priced) else []


def _winner(game: Game, outcomes: Outcomes, shift: float) -> list[Json]:
    home, tie = _shifted(outcomes.win(True), shift), outcomes.tie()
    away = 1 - home - tie
    rows: list[Json] = [{"name": game.home.name, "price": home}, {"name": game.away.name, "price": away}]
    return [*rows, {"name": "Draw", "price": tie}] if game.league.three_way else rows


def _handicap(state: State, shift: float) -> float:
    """Home handicap (negative for a favourite) a book puts up: half points, 1.5 in low-scoring games."""
    left = 1 - state.played
    if state.league.scoring is Scoring.NORMAL:
        return -round(2 * (state.x + (state.a + 3 * shift) * left)) / 2
    expected = state.x - state.y + (state.a - state.b) * left
    return -math.copysign(0.5 if state.league.three_way and abs(expected) < 0.8 else 1.5, expected)


def _spread(game: Game, outcomes: Outcomes, handicap: float, shift: float, margin: float) -> list[Json]:
    won = outcomes.margin_at_least(math.floor(-handicap) + 1)
    lost = 1 - outcomes.margin_at_least(math.ceil(-handicap))
    home = _shifted(won / (won + lost), shift) if won + lost > 0 else 0.0
    rows = [
        {"name": game.home.name, "price": home, "point": handicap + 0.0},
        {"name": game.away.name, "price": 1 - home, "point": -handicap + 0.0},
    ]
    return _priced(rows, margin)


def _total_line(state: State) -> float:
    left = 1 - state.played
    if state.league.scoring is Scoring.NORMAL:
        return round(2 * (state.y + state.b * left)) / 2
    return math.floor(state.x + state.y + (state.a + state.b) * left) + 0.5


def _total(outcomes: Outcomes, line: float, shift: float, margin: float) -> list[Json]:
    over = outcomes.total_at_least(math.floor(line) + 1)
    under = 1 - outcomes.total_at_least(math.ceil(line))
    chance = _shifted(over / (over + under), shift / 2) if over + under > 0 else 0.0
    rows = [
        {"name": "Over", "price": chance, "point": line},
        {"name": "Under", "price": 1 - chance, "point": line},
    ]
    return _priced(rows, margin)


def american(chance: float) -> int:
    """American odds of an implied probability, whole numbers as books print them."""
    if chance >= 0.5:
        return -max(100, round(100 * chance / (1 - chance)))
    return max(100, round(100 * (1 - chance) / chance))


def decimal(chance: float) -> float:
    """Decimal odds with two places, derived from the American price books really set."""
    price = american(chance)
    return round(1 + (100 / -price if price < 0 else price / 100), 2)


def sport_of(league: League) -> Json:
    """The feed's row of ``/sports``."""
    return {
        "key": league.sport_key,
        "group": league.group,
        "title": league.sport_title,
        "description": league.competition,
        "active": True,
        "has_outrights": False,
    }
