"""Series, events and contracts of the simulated exchange, and what a contract asks of the final score."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.clock import Instant
from shared.money import MICROS, Price
from shared.simulator.league import LEAGUES, League
from shared.simulator.model import Outcomes
from shared.simulator.schedule import Game
from shared.terms import FeeType, Result

Json = dict[str, Any]

_CENT = ({"start": "0.0000", "end": "1.0000", "step": "0.0100"},)
_TAPERED = (
    {"start": "0.0000", "end": "0.1000", "step": "0.0010"},
    {"start": "0.1000", "end": "0.9000", "step": "0.0100"},
    {"start": "0.9000", "end": "1.0000", "step": "0.0010"},
)
_FINE = (
    {"start": "0.0000", "end": "0.0500", "step": "0.0001"},
    {"start": "0.0500", "end": "0.9500", "step": "0.0010"},
    {"start": "0.9500", "end": "1.0000", "step": "0.0001"},
)
GRIDS: dict[str, tuple[dict[str, str], ...]] = {
    "linear_cent": _CENT,
    "tapered_deci_cent": _TAPERED,
    "center_deci_edge_centi_cent": _FINE,
}


class Asks(Enum):
    """What a contract asks of the final score."""

    WIN = "win"
    TIE = "tie"
    MARGIN = "margin"
    TOTAL = "total"
    NOTHING = "nothing"
    PLAYER = "player"


@dataclass(frozen=True, slots=True)
class Question:
    """``WIN`` and ``MARGIN`` are about one side; ``points`` is the smallest margin or total that wins."""

    asks: Asks
    home: bool = True
    points: int = 0

    def fair(self, outcomes: Outcomes) -> float:
        """Probability (expected payout of YES) under ``outcomes``."""
        if self.asks is Asks.WIN:
            return outcomes.win(self.home)
        if self.asks is Asks.TIE:
            return outcomes.tie()
        if self.asks is Asks.MARGIN:
            return outcomes.beats(self.home, self.points)
        return outcomes.total_at_least(self.points)

    def payout(self, score: tuple[int, int], three_way: bool) -> tuple[Result, Price]:
        """Result and value of YES for the final score (home, away)."""
        margin = score[0] - score[1] if self.home else score[1] - score[0]
        if self.asks is Asks.WIN and margin == 0 and not three_way:
            return Result.SCALAR, Price(MICROS // 2)
        won = {
            Asks.WIN: margin > 0,
            Asks.TIE: margin == 0,
            Asks.MARGIN: margin >= self.points,
            Asks.TOTAL: sum(score) >= self.points,
        }.get(self.asks, False)
        return (Result.YES, Price(MICROS)) if won else (Result.NO, Price(0))


@dataclass(frozen=True, slots=True)
class Series:
    """A family of events with one fee."""

    ticker: str
    title: str
    league: League
    fee_type: FeeType
    multiplier_micro: int
    shard: int


@dataclass(frozen=True, slots=True)
class Contract:
    """One market before anybody quotes it. ``fields`` are the members that never change."""

    ticker: str
    event_ticker: str
    series_ticker: str
    shard: int
    question: Question
    timer_s: int
    opens: Instant
    closes: Instant
    structure: str
    fields: Json


@dataclass(frozen=True, slots=True)
class Event:
    """The contracts of one series about one game."""

    ticker: str
    series: Series
    game: Game | None
    contracts: tuple[Contract, ...]
    fields: Json
    multiplier_override: float | None = None


_MAKER_PAYS = {"KXNFLGAME", "KXNBAGAME", "KXNHLGAME", "KXMLBGAME", "KXNCAAFGAME", "KXNBASPREAD"}
_KINDS = (("GAME", "Game"), ("SPREAD", "Spread"), ("TOTAL", "Total"))


def series_table() -> dict[str, Series]:
    """Every series by ticker. Fee parameters as the live table had them in October 2026."""
    table = {}
    for league in LEAGUES:
        for kind, title in _KINDS:
            ticker = f"KX{league.key}{kind}"
            fee = FeeType.QUADRATIC_WITH_MAKER_FEES if ticker in _MAKER_PAYS else FeeType.QUADRATIC
            half = league.key == "MLB"
            table[ticker] = Series(
                ticker,
                f"{league.competition} {title}",
                league,
                fee,
                MICROS // 2 if half else MICROS,
                league.shard,
            )
    combo = "KXMVESPORTSMULTIGAMEEXTENDED"
    table[combo] = Series(
        combo, "Sports multi-game combos", LEAGUES[0], FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES, MICROS, 1
    )
    return table
