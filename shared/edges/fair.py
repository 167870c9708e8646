"""Fair value of both sides of a mapped market from every book that quotes *exactly* that line.

A line is never moved: -2.5 is not -3.5, and a book that quotes only the other one has no opinion here. A
book's full outcome set is needed to remove its margin; a set with an outcome missing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from shared.clock import MINUTE, SECOND, Instant
from shared.errors import MalformedError
from shared.messages import BookmakerMarket, FairValue, OddsOutcome, OddsSeen, Selection
from shared.odds.consensus import (
    NEAR_START_S,
    NOT_EVIDENCE,
    BookFair,
    Consensus,
    consensus,
    staleness_limit,
)
from shared.odds.devig import FairSet, devig_all
from shared.terms import MarketKind, Side

# Alternate lines are the same bet under another market key.
_ALSO = {"spreads": "alternate_spreads", "totals": "alternate_totals", "team_totals": "alternate_team_totals"}

_OPPOSITE_POINT = "spreads"
_NEAR_START = int(NEAR_START_S * SECOND)
_FOR_EVER = Instant(2**62)

# Two clocks may differ. A price dated further ahead says that one of them is wrong, and with it every age.
_CLOCKS_APART = MINUTE


@dataclass(frozen=True, slots=True)
class FairPair:
    """Both sides of one market as the books see them at ``at``."""

    yes: FairValue
    no: FairValue
    at: Instant
    book_range: float

    def of(self, side: Side, now: Instant) -> FairValue:
        """Fair value of the side bought, with its age at ``now``."""
        value = self.yes if side is Side.YES else self.no
        if now == self.at:
            return value
        return msgspec.structs.replace(value, age_s=value.age_s + (now - self.at) / SECOND)


def fair_pair(
    odds: OddsSeen, selection: Selection, kind: MarketKind, now: Instant, max_age_s: float | None = None
) -> FairPair | str:
    """Consensus on both sides of ``selection``, or the reason why the books give none.

    ``max_age_s`` is the oldest usable quote in seconds; ``None`` goes by the time to the start.
    """
    books = [
        (quote.bookmaker, age, fair, index)
        for quote in odds.quotes
        if quote.market in (selection.market, _ALSO.get(selection.market))
        and quote.bookmaker not in NOT_EVIDENCE
        and (age := _age(quote, now)) is not None
        and (found := _outcomes(quote, selection, kind)) is not None
        and (fair := _devigged(found[0])) is not None
        for index in (found[1],)
    ]
    if not books:
        return f"no_books: nobody quotes {_line(selection)}"
    start = odds.starts_at
    limit = max_age_s or staleness_limit((start - now) / SECOND if start is not None else 0.0)
    yes = consensus([BookFair.of(name, age, fair, index) for name, age, fair, index in books], limit)
    no = consensus([_against(name, age, fair, index) for name, age, fair, index in books], limit)
    return _paired(yes, no, now)


def stands_until(
    odds: OddsSeen, selection: Selection, now: Instant, max_age_s: float | None = None
) -> Instant:
    """When :func:`fair_pair`, asked again about the same odds, could first answer differently.

    A book's weight halves with its age at the same pace for all, so their shares, and with them the
    consensus, stay as they are until a quote grows too old or the limit tightens as the game nears. A quote
    dated ahead of our clock begins to age at its date; until then shares drift by 0.1 % a second, no more.
    """
    start = odds.starts_at
    limit = max_age_s or staleness_limit((start - now) / SECOND if start is not None else 0.0)
    moments = [] if start is None else [Instant(start - _NEAR_START), start]
    for quote in odds.quotes:
        if quote.market in (selection.market, _ALSO.get(selection.market)) and quote.last_update is not None:
            dated = quote.last_update
            moments += [Instant(dated - _CLOCKS_APART), dated, Instant(dated + int(limit * SECOND) + 1)]
    return min((moment for moment in moments if moment > now), default=_FOR_EVER)


def _paired(yes: Consensus, no: Consensus, now: Instant) -> FairPair | str:
    if yes.fair is None:
        return yes.refusal
    if no.fair is None:
        return no.refusal
    return FairPair(yes.fair, no.fair, now, max(yes.book_range, no.book_range))


def _against(name: str, age: float, fair: FairSet, index: int) -> BookFair:
    """The book's opinion that the outcome does *not* happen: all other outcomes together."""
    return BookFair(
        name,
        age,
        1 - fair.multiplicative[index],
        1 - fair.power[index],
        1 - fair.odds_ratio[index],
        1 - fair.shin[index],
    )


def _age(quote: BookmakerMarket, now: Instant) -> float | None:
    """Seconds since the feed last saw this price; an unknown age, or an impossible one, is no evidence."""
    if quote.last_update is None or quote.last_update > now + _CLOCKS_APART:
        return None
    return max(0, now - quote.last_update) / SECOND


def _outcomes(
    quote: BookmakerMarket, selection: Selection, kind: MarketKind
) -> tuple[tuple[OddsOutcome, ...], int] | None:
    """The full set of outcomes at the selection's line, and the index of the one that wins with YES."""
    point = selection.point
    if point is not None and selection.market == _OPPOSITE_POINT:
        point = -point
    chosen: list[OddsOutcome] = []
    others: list[OddsOutcome] = []
    for outcome in quote.outcomes:  # a book may list fifty alternate lines
        if outcome.description != selection.description:
            continue
        if outcome.name != selection.outcome:
            if outcome.point == point:
                others.append(outcome)
        elif outcome.point == selection.point:
            chosen.append(outcome)
    if len(chosen) != 1 or len(others) != (2 if kind is MarketKind.THREE_WAY else 1):
        return None
    return (chosen[0], *others), 0


def _devigged(outcomes: Iterable[OddsOutcome]) -> FairSet | None:
    try:
        return devig_all([outcome.price for outcome in outcomes])
    except MalformedError:
        return None


def _line(selection: Selection) -> str:
    point = "" if selection.point is None else f" {selection.point:+g}"
    return f"{selection.market} {selection.description} {selection.outcome}{point}".replace("  ", " ")
