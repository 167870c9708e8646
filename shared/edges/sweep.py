"""Every mapped market as columns of numbers, so that one look finds those worth weighing: a prefilter.

The cost of a contract is ``ask + rate * ask * (1 - ask)`` and its worth ``kept + void * min(ask, p)`` (see
:func:`shared.edges.states.contract_worth`); 10,000 markets, both sides, take a fraction of a millisecond.
Floats may err by 1e-12 here, so the filter lets through a little more than the exact integers accept and
never less: what it selects is weighed again by :func:`shared.edges.detector.assess`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.clock import Instant
from shared.edges.detector import Quotes, schedule_of
from shared.edges.fair import FairPair
from shared.edges.states import worth_parts
from shared.fees.protocol import FINE_PER_MICRO, VenueFees, from_fine
from shared.messages import MappingDecided, MarketListed
from shared.money import Price, price_to_float
from shared.terms import Side

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Column = NDArray[float64]

NEVER = float("inf")

# Exact costs are compared at 1e-12 dollars; a thousand times that is still nothing in money.
_SLACK = 1e-9
_FIRST_ROWS = 1_024
_NAN = float("nan")


class Row(NamedTuple):
    """One market in dollars; NaN where there is no offer, no fair value or no known fee.

    ``kept`` is the worth outside void states. ``due`` and ``stale_at`` are instants from which the assessment
    differs though nothing was heard: a start, a close, books grown old; and the quote itself grown old.
    """

    yes_ask: float = _NAN
    no_ask: float = _NAN
    yes: float = _NAN
    no: float = _NAN
    yes_kept: float = _NAN
    no_kept: float = _NAN
    void: float = 0.0
    rate: float = _NAN
    due: float = NEVER
    stale_at: float = NEVER


class Sweep:
    """Rows by ticker, held as columns that grow by doubling."""

    def __init__(self) -> None:
        import numpy

        self._rows: dict[str, int] = {}
        self._tickers: list[str] = []
        self._columns = numpy.full((len(Row._fields), _FIRST_ROWS), _NAN)

    def __len__(self) -> int:
        return len(self._tickers)

    def put(self, ticker: str, row: Row) -> None:
        """Set a market's row."""
        index = self._rows.get(ticker)
        if index is None:
            index = self._rows[ticker] = len(self._tickers)
            self._tickers.append(ticker)
            if index == self._columns.shape[1]:
                self._grow()
        self._columns[:, index] = row

    def refresh(self, ticker: str, stale_at: float) -> bool:
        """The quote was confirmed; False when the row counts as old (or is not there) and must be weighed."""
        index = self._rows.get(ticker)
        if index is None or self._columns[_STALE_AT, index] == NEVER:
            return False
        self._columns[_STALE_AT, index] = stale_at
        return True

    def drop(self, ticker: str) -> None:
        """Forget a market; the last row takes its place."""
        index = self._rows.pop(ticker, None)
        if index is None:
            return
        last = self._tickers.pop()
        if last != ticker:
            self._columns[:, index] = self._columns[:, len(self._tickers)]
            self._rows[last], self._tickers[index] = index, last

    def net_edges(self) -> tuple[Column, Column]:
        """Net edge of YES and of NO of every row, dollars per contract, NaN where it cannot be known."""
        yes_ask, no_ask, yes, no, yes_kept, no_kept, void, rate, _, _ = self._columns[:, : len(self)]
        return net_edges(yes_ask, yes, yes_kept, void, rate), net_edges(no_ask, no, no_kept, void, rate)

    def select(self, min_net_edge: float, now: Instant) -> list[str]:
        """Markets of which a side could be worth it, and those that time has changed."""
        yes, no = self.net_edges()
        least = min_net_edge - _SLACK
        due = self._columns[_DUE:, : len(self)].min(axis=0) <= now
        chosen = (yes >= least) | (no >= least) | due
        return [self._tickers[index] for index in chosen.nonzero()[0].tolist()]

    def _grow(self) -> None:
        import numpy

        self._columns = numpy.hstack((self._columns, numpy.full_like(self._columns, _NAN)))


_DUE, _STALE_AT = Row._fields.index("due"), Row._fields.index("stale_at")


def net_edges(ask: Column, probability: Column, kept: Column, void: Column, rate: Column) -> Column:
    """Worth less all-in cost of one side of many contracts, dollars."""
    import numpy

    worth = kept + void * numpy.minimum(ask, probability)
    edges: Column = worth - ask - rate * ask * (1.0 - ask)
    return edges


def row_of(
    market: MarketListed,
    mapping: MappingDecided,
    fair: FairPair | str,
    quotes: Quotes,
    due: float,
    stale_at: float,
    now: Instant,
) -> Row:
    """The row of a market as it stands at ``now``; a quote that is old already cannot grow old again."""
    stale_at = stale_at if stale_at > now else NEVER
    schedule, certificate = schedule_of(market, now), mapping.certificate
    if isinstance(fair, str) or schedule is None or certificate is None:
        return Row(due=due, stale_at=stale_at)
    yes, no = fair.yes.probability, fair.no.probability
    yes_kept, void = worth_parts(yes, certificate.differences, Side.YES)
    no_kept, _ = worth_parts(no, certificate.differences, Side.NO)
    yes_ask, no_ask = quotes.best
    return Row(
        yes_ask=_NAN if yes_ask is None else price_to_float(yes_ask[0]),
        no_ask=_NAN if no_ask is None else price_to_float(no_ask[0]),
        yes=yes,
        no=no,
        yes_kept=yes_kept,
        no_kept=no_kept,
        void=void,
        rate=fee_rate(schedule),
        due=due,
        stale_at=stale_at,
    )


def fee_rate(fees: VenueFees) -> float:
    """Factor of a quadratic fee, dollars: four times what it takes at 50c."""
    half = Price(500_000)
    return 4 * from_fine(fees.all_in(half) - half * FINE_PER_MICRO)
