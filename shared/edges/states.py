"""States in which the exchange and the bookmaker pay differently, priced instead of ignored.

A bookmaker's price says who wins *if the bet stands*. The exchange may still pay in the states where the bet
is void: an NFL tie pays $0.50, a cancelled game a fair price. The contract's value is the mix of them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages import PayoffDifference
from shared.money import MICROS, Price, price_to_float
from shared.terms import Side

# How the bookmaker treats the outcome that wins with YES, and on which side such a bet is won.
_WINS = {Side.YES: "win", Side.NO: "lose"}
_DECIDED = frozenset(_WINS.values())


def contract_worth(
    probability: float, differences: Sequence[PayoffDifference], side: Side, paid: Price
) -> float:
    """Expected payout of one contract of ``side``, dollars.

    Args:
        probability: that a bet on ``side`` wins, given that it stands.
        differences: the stated states; ``exchange_pays`` is the YES payout, ``None`` a fair price.
        paid: price at which the contract would be bought. A fair price is taken as the lower of this and the
            probability: in a state nobody chose, no edge is counted.
    """
    kept, void = worth_parts(probability, differences, side)
    return kept + void * min(price_to_float(paid), probability)


def worth_parts(
    probability: float, differences: Sequence[PayoffDifference], side: Side
) -> tuple[float, float]:
    """:func:`contract_worth` as ``kept + void * min(paid, probability)``, for many prices at once.

    Where the bookmaker returns the stake, the bet does not stand. Where he pays or keeps it, ``probability``
    counts the state for one of the sides: it is taken out there, before what the exchange pays is put in.
    """
    if not differences:
        return probability, 0.0
    voided = sum(state.probability for state in differences if state.book_pays not in _DECIDED)
    won = sum(state.probability for state in differences if state.book_pays == _WINS[side])
    regular = 1.0 - sum(state.probability for state in differences)
    kept = max(0.0, min((1.0 - voided) * probability - won, regular))
    void = 0.0
    for state in differences:
        pays = state.exchange_pays
        if pays is None:
            void += state.probability
        else:
            kept += state.probability * price_to_float(pays if side is Side.YES else Price(MICROS - pays))
    return kept, void
