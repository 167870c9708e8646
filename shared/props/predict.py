"""The port for a model of player props, and the baseline that stands in it until there is a better one.

A model is asked one question at a time: how likely is this player to go over this line? What the market
thinks is part of the question, so a model may start from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.props.serving import BettingLine


@dataclass(frozen=True, slots=True)
class PropQuestion:
    """One line on one player. ``books_over`` is the bookmakers' curve at the line, ``kalshi_over`` the middle
    of the exchange's bracket at its own line; ``None`` where nobody says."""

    line: BettingLine
    books_over: float | None = None
    kalshi_over: float | None = None


class Predictor(Protocol):
    """A model. It must answer quickly and may not raise; ``None`` means it has no opinion."""

    @property
    def name(self) -> str:
        """Name under which its predictions are kept."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever equal questions may get other answers."""
        ...

    def predict(self, question: PropQuestion) -> float | None:
        """P(over the line)."""
        ...


class MarketConsensus:
    """The baseline: the bookmakers' margin-free curve, else the exchange where its line is the same."""

    name = "market_consensus"
    version = "1"

    def predict(self, question: PropQuestion) -> float | None:
        if question.books_over is not None:
            return question.books_over
        if question.kalshi_over is not None and question.line.line == question.line.kalshi_line:
            return question.kalshi_over
        return None
