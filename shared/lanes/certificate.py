"""Proof that no probability fits a family of asks: exact, in one pass, with the legs that make the profit.

A YES ask at all-in cost c bounds the event's probability from above by c, a NO ask from below by 1 - c (de
Finetti 1937). For buckets, threshold chains and trees these bounds decide in O(n) whether a probability
exists; where none does, a :class:`Basket` names legs whose worst payoff exceeds their cost. Costs are
integers in fine units (1e-22 dollars, see :mod:`shared.fees.protocol`), so nothing is rounded; equality is
not an arbitrage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.fees.protocol import FINE
from shared.terms import Side


@dataclass(frozen=True, slots=True)
class Asks:
    """All-in cost of one contract's YES and NO in fine units; ``None`` where nobody offers."""

    yes: int | None = None
    no: int | None = None

    @property
    def upper(self) -> int:
        """Highest probability the YES ask allows."""
        return FINE if self.yes is None else min(FINE, self.yes)

    @property
    def lower(self) -> int:
        """Lowest probability the NO ask allows."""
        return 0 if self.no is None else max(0, FINE - self.no)

    @property
    def is_crossed(self) -> bool:
        """Whether both sides together cost less than the dollar one of them pays."""
        return self.lower > self.upper


@dataclass(frozen=True, slots=True)
class Leg:
    """One contract to buy: which, which side, at what all-in cost."""

    contract: int | str
    side: Side
    cost: int


@dataclass(frozen=True, slots=True)
class Basket:
    """One of each leg; ``payoff`` is what they pay together in the worst state, whole dollars."""

    legs: tuple[Leg, ...]
    payoff: int

    @property
    def profit(self) -> int:
        """Least profit of one basket, fine units."""
        return self.payoff * FINE - sum(leg.cost for leg in self.legs)


@dataclass(frozen=True, slots=True)
class BucketCertificate:
    """Bounds of a set of outcomes. ``crossed`` lists contracts whose own two sides make a profit."""

    sum_lower: int
    sum_upper: int
    crossed: tuple[int, ...]
    basket: Basket | None

    @property
    def is_arbitrage(self) -> bool:
        """Whether no probability fits."""
        return self.basket is not None


def bucket(asks: Sequence[Asks], exclusive: bool, exhaustive: bool) -> BucketCertificate:
    """Outcomes of which at most one (``exclusive``) and at least one (``exhaustive``) is true.

    All YES needs exhaustive, all NO needs exclusive: a rule that is not known must be given as False.
    """
    lower = sum(ask.lower for ask in asks)
    upper = sum(ask.upper for ask in asks)
    crossed = tuple(index for index, ask in enumerate(asks) if ask.is_crossed)
    basket: Basket | None = None
    if crossed:
        basket = _pair(crossed[0], asks[crossed[0]], crossed[0], asks[crossed[0]])
    elif exclusive and lower > FINE:
        legs = tuple(Leg(i, Side.NO, FINE - ask.lower) for i, ask in enumerate(asks) if ask.lower)
        basket = Basket(legs, len(legs) - 1)
    elif exhaustive and upper < FINE:
        basket = Basket(tuple(Leg(i, Side.YES, ask.upper) for i, ask in enumerate(asks)), 1)
    return BucketCertificate(lower, upper, crossed, basket)


@dataclass(frozen=True, slots=True)
class ChainCertificate:
    """Pairs (i, j), i <= j, of which YES of i and NO of j cost less than the dollar one of them pays."""

    violating_pairs: tuple[tuple[int, int], ...]
    basket: Basket | None

    @property
    def is_arbitrage(self) -> bool:
        """Whether no probability fits."""
        return self.basket is not None


def chain(asks: Sequence[Asks]) -> ChainCertificate:
    """Nested events, the widest first (points over 19.5, over 24.5, …). Pairs are complete for chains."""
    if not _chain_violated(asks):
        return ChainCertificate((), None)
    pairs = tuple((i, j) for j in range(len(asks)) for i in range(j + 1) if asks[j].lower > asks[i].upper)
    baskets = [_pair(i, asks[i], j, asks[j]) for i, j in sorted(pairs)]
    return ChainCertificate(tuple(sorted(pairs)), max(baskets, key=lambda basket: basket.profit))


def _chain_violated(asks: Sequence[Asks]) -> bool:
    cheapest = FINE
    for ask in asks:
        cheapest = min(cheapest, ask.upper)
        if ask.lower > cheapest:
            return True
    return False


def _pair(wide: int, wide_asks: Asks, narrow: int, narrow_asks: Asks) -> Basket:
    yes = Leg(wide, Side.YES, wide_asks.upper)
    return Basket((yes, Leg(narrow, Side.NO, FINE - narrow_asks.lower)), 1)


@dataclass(frozen=True, slots=True)
class Node:
    """An event, its asks, and the events it splits into, of which at most one is true.

    ``exhaustive``: one of the children is true whenever this event is.
    """

    name: str
    asks: Asks = Asks()
    children: tuple[Node, ...] = ()
    exhaustive: bool = False


@dataclass(frozen=True, slots=True)
class TreeCertificate:
    """Bounds of the root, nodes where they contradict each other, and the basket of the first of them."""

    lower: int
    upper: int
    violated: tuple[str, ...]
    basket: Basket | None

    @property
    def is_arbitrage(self) -> bool:
        """Whether no probability fits."""
        return self.basket is not None


@dataclass(slots=True)
class _Bounds:
    """Bounds of one node with the legs that make them; empty legs make the trivial bound."""

    lower: int
    upper: int
    no_legs: tuple[Leg, ...]
    yes_legs: tuple[Leg, ...]


@dataclass(slots=True)
class _Findings:
    violated: list[str] = field(default_factory=list)
    basket: Basket | None = None


def tree(root: Node) -> TreeCertificate:
    """A certain event split again and again; the root's own probability is one."""
    found = _Findings()
    bounds = _bounds(root, found)
    if bounds.lower > FINE or bounds.upper < FINE:
        found.violated.append(root.name)
        if found.basket is None and bounds.lower > FINE:
            found.basket = Basket(bounds.no_legs, len(bounds.no_legs) - 1)
        elif found.basket is None:
            found.basket = Basket(bounds.yes_legs, 1)
    return TreeCertificate(bounds.lower, bounds.upper, tuple(found.violated), found.basket)


def _bounds(node: Node, found: _Findings) -> _Bounds:
    parts = [_bounds(child, found) for child in node.children]
    asks = node.asks
    bounds = _Bounds(asks.lower, asks.upper, (), ())
    if asks.no is not None and asks.lower:
        bounds.no_legs = (Leg(node.name, Side.NO, asks.no),)
    if asks.yes is not None and asks.upper < FINE:
        bounds.yes_legs = (Leg(node.name, Side.YES, asks.yes),)
    _tighten(bounds, parts, node.exhaustive)
    if bounds.lower > bounds.upper:
        found.violated.append(node.name)
        if found.basket is None:
            certain = 0 if bounds.yes_legs else 1
            found.basket = Basket(bounds.no_legs + bounds.yes_legs, len(bounds.no_legs) - certain)
    return bounds


def _tighten(bounds: _Bounds, parts: Sequence[_Bounds], exhaustive: bool) -> None:
    lower = sum(part.lower for part in parts)
    if lower > bounds.lower:
        bounds.lower = lower
        bounds.no_legs = tuple(leg for part in parts for leg in part.no_legs)
    upper = sum(part.upper for part in parts)
    if exhaustive and parts and upper < bounds.upper:
        bounds.upper = upper
        bounds.yes_legs = tuple(leg for part in parts for leg in part.yes_legs)
