"""The settlement certificate: contract and bookmaker outcome compared field by field.

``identical`` or ``different`` come with the :class:`Selection` that wins exactly when YES wins, save for the
stated differences; ``refused`` says why there is none. Probabilities of the differences are upper estimates
(see the notes in ``states.csv``).
"""

from __future__ import annotations

from functools import lru_cache

from shared.ids import digest
from shared.mapping.contract import DRAW, FIRST, NEITHER
from shared.mapping.parse import ParsedMarket
from shared.mapping.resolve import Resolved
from shared.mapping.tables import states
from shared.messages import Certificate, MarketListed, OddsEvent, PayoffDifference, Selection
from shared.terms import MarketKind, Period

IDENTICAL, DIFFERENT, REFUSED = "identical", "different", "refused"

# Soccer settles after 90 minutes; rules that do not say so may settle on who advances.
_REGULATION = "does not include extra time"


@lru_cache(maxsize=256)
def differences(sport: str, league: str, kind: MarketKind) -> tuple[PayoffDifference, ...]:
    """States in which the exchange and a bookmaker pay differently for this kind of market."""
    return tuple(
        PayoffDifference(
            state=row.state,
            exchange_pays=row.exchange_pays,
            book_pays=row.book_pays,
            probability=row.probability,
            note=row.note,
        )
        for row in states()
        if row.sport in ("", sport) and row.league in ("", league) and kind.value in row.kinds
    )


def certify(
    market: MarketListed, parsed: ParsedMarket, found: Resolved
) -> tuple[Certificate, Selection | None]:
    """Certificate of a resolved market, and the bookmaker outcome unless the verdict is ``refused``."""
    problem = _problem(market, parsed)
    selection = None if problem else _selection(parsed, found)
    row, league, contract = parsed.series.row, parsed.series.league, parsed.contract
    states_apart = () if problem else differences(league.sport, league.name, row.kind)
    verdict = REFUSED if problem else DIFFERENT if states_apart else IDENTICAL
    certificate = Certificate(
        verdict=verdict,
        odds_event_id=found.listed.event.id,
        league=league.name,
        kind=row.kind,
        period=row.period,
        subject=_subject(parsed, found),
        line=contract.line,
        overtime=row.overtime,
        sides=(found.listed.event.away, found.listed.event.home),
        day=parsed.day.isoformat(),
        differences=states_apart,
        evidence=_evidence(parsed, found, problem),
        rules_digest=digest(market.rules_primary, market.rules_secondary),
    )
    return certificate, selection


def _problem(market: MarketListed, parsed: ParsedMarket) -> str:
    row = parsed.series.row
    if parsed.contract.problem:
        return parsed.contract.problem
    if not row.market:
        return f"no bookmaker market settles on {row.statistic or row.kind.value} of {row.period.value}"
    if parsed.people and not parsed.named:
        return "ticker codes alone do not name people"
    is_regulation = parsed.series.league.sport == "soccer" and row.period is Period.REGULATION
    if is_regulation and _REGULATION not in market.rules_primary:
        return "the rules do not say that extra time is excluded"
    return ""


def _evidence(parsed: ParsedMarket, found: Resolved, problem: str) -> tuple[str, ...]:
    claim = problem or (
        "contract text read" if parsed.contract.from_text else "subject from the ticker's code"
    )
    return (*parsed.evidence, *found.evidence, claim)


def side_name(parsed: ParsedMarket, found: Resolved, event: OddsEvent) -> str:
    """The contract's team exactly as the odds event spells it."""
    is_away = (parsed.contract.side == FIRST) == found.away_first
    return event.away if is_away else event.home


def _subject(parsed: ParsedMarket, found: Resolved) -> str:
    contract = parsed.contract
    return contract.subject if contract.side == NEITHER else side_name(parsed, found, found.listed.event)


def _selection(parsed: ParsedMarket, found: Resolved) -> Selection | None:
    kind, market, contract = parsed.series.row.kind, parsed.series.row.market, parsed.contract
    subject = _subject(parsed, found)
    if kind in (MarketKind.WINNER, MarketKind.THREE_WAY):
        return Selection(market=market, outcome=subject or DRAW)
    if kind is MarketKind.SPREAD and contract.line is not None:
        return Selection(market=market, outcome=subject, point=-contract.line)
    if kind is MarketKind.PLAYER_PROP and contract.line is None:
        return Selection(market=market, outcome="Yes", description=subject)
    return Selection(market=market, outcome="Over", point=contract.line, description=subject)
