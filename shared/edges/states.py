"""States in which the exchange and the bookmaker pay differently, priced instead of ignored.

A bookmaker's price says who wins *if the bet stands*. The exchange may still pay in the states where the bet
is void: an NFL tie pays $0.50, a cancelled game a fair price. The contract's value is the mix of them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages import PayoffDifference
from shared.money import MICROS, Price, price_to_float
from shared.terms import Side


def contract_worth(
    probability: float, differences: Sequence[PayoffDifference], side: Side, paid: Price
) -> float:
    """Expected payout of one contract of ``side``, dollars.

    Args:
        probability: that ``side`` wins given that the bet stands.
        differences: the stated states; ``exchange_pays`` is the YES payout, ``None`` a fair price.
        paid: price at which the contract would be bought. A fair price is taken as the lower of this and the
            probability: in a state nobody chose, no edge is counted.
    """
    exceptional = min(1.0, sum(state.probability for state in differences))
    worth = (1.0 - exceptional) * probability
    fair_price = min(price_to_float(paid), probability)
    for state in differences:
        pays = state.exchange_pays
        if pays is None:
            worth += state.probability * fair_price
        else:
            worth += state.probability * price_to_float(pays if side is Side.YES else Price(MICROS - pays))
    return worth


def worth_parts(
    probability: float, differences: Sequence[PayoffDifference], side: Side
) -> tuple[float, float]:
    """:func:`contract_worth` as ``kept + void * min(paid, probability)``, for many prices at once."""
    kept = (1.0 - min(1.0, sum(state.probability for state in differences))) * probability
    void = 0.0
    for state in differences:
        pays = state.exchange_pays
        if pays is None:
            void += state.probability
        else:
            kept += state.probability * price_to_float(pays if side is Side.YES else Price(MICROS - pays))
    return kept, void
