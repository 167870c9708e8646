"""The mapper: markets and odds events in, one decision per market out, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from shared.clock import Instant
from shared.mapping.certificate import certify
from shared.mapping.events import EventIndex
from shared.mapping.parse import ParsedMarket, Refusal, parse
from shared.mapping.resolve import Resolved, Unresolved, resolve
from shared.messages import MappingDecided, MarketListed, OddsEvent


def map_markets(
    markets: Sequence[MarketListed], events: Sequence[OddsEvent], now: Instant | None = None
) -> list[MappingDecided]:
    """One decision per market, in the order given. ``observed_at`` is ``now`` or the latest input's.

    Never raises for what the venues may send. A market is mapped when both sides, the league, the day and,
    where written, the time prove the event; trading needs the certificate's verdict as well.
    """
    observed_at = now if now is not None else max((m.observed_at for m in markets), default=Instant(0))
    return map_parsed(markets, [parse(market) for market in markets], events, observed_at)


def map_parsed(
    markets: Sequence[MarketListed],
    parsed: Sequence[ParsedMarket | Refusal],
    events: Sequence[OddsEvent],
    observed_at: Instant,
) -> list[MappingDecided]:
    """:func:`map_markets` for markets that have been read already, in the same order."""
    games = [one for one in parsed if isinstance(one, ParsedMarket)]
    found = iter(resolve(games, EventIndex(events)))
    return [
        _refused(market, one, observed_at)
        if isinstance(one, Refusal)
        else _decided(market, one, next(found), observed_at)
        for market, one in zip(markets, parsed, strict=True)
    ]


def _refused(market: MarketListed, refusal: Refusal, observed_at: Instant) -> MappingDecided:
    return MappingDecided(
        observed_at=observed_at,
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        league=refusal.league,
        kind=refusal.kind,
        reason=f"{refusal.code}: {refusal.reason}",
    )


def _decided(
    market: MarketListed, parsed: ParsedMarket, found: Resolved | Unresolved, observed_at: Instant
) -> MappingDecided:
    if isinstance(found, Unresolved):
        refusal = Refusal(found.code, found.reason, parsed.series.league.name, parsed.series.row.kind)
        return _refused(market, refusal, observed_at)
    certificate, selection = certify(market, parsed, found)
    return MappingDecided(
        observed_at=observed_at,
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        league=certificate.league,
        kind=certificate.kind,
        sport_key=found.listed.event.sport_key,
        odds_event_id=found.listed.event.id,
        starts_at=found.listed.starts_at,
        confidence=found.confidence,
        selection=selection,
        certificate=certificate,
        reason="; ".join(certificate.evidence),
    )
