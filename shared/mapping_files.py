"""Mapping of recorded files: what ``arb map`` does between reading and writing."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from shared.clock import Instant
from shared.errors import StorageError
from shared.mapping.mapper import map_markets
from shared.mapping.ticker import event_of
from shared.messages import MappingDecided, MarketListed, OddsEvent, OddsSeen, Quarantined
from shared.venues.kalshi.recorded import read_markets
from shared.venues.odds_api.recorded import read_odds

COLUMNS = ("kalshi_ticker", "odds_event_id", "confidence", "certificate", "reason")


def map_files(
    market_paths: Sequence[Path],
    odds_paths: Sequence[Path],
    as_of: Instant | None = None,
    on_quarantined: Callable[[Quarantined], None] = lambda _: None,
) -> list[MappingDecided]:
    """One decision per market ticker of the files, in order of first appearance; see :func:`read_files`."""
    markets, events = read_files(market_paths, odds_paths, as_of, on_quarantined)
    return map_markets(markets, events, as_of)


def read_files(
    market_paths: Sequence[Path],
    odds_paths: Sequence[Path],
    as_of: Instant | None = None,
    on_quarantined: Callable[[Quarantined], None] = lambda _: None,
) -> tuple[list[MarketListed], list[OddsEvent]]:
    """The fullest listing of each ticker and the newest state of each odds event in recorded files.

    ``as_of`` leaves out what was observed later; ``on_quarantined`` is told of every damaged record. Raises
    :class:`StorageError` for a file that cannot be opened.
    """
    markets: list[MarketListed] = []
    odds: list[OddsSeen] = []
    for path in market_paths:
        listed = read_markets(path)
        markets += [_with_event(market) for market in listed.markets if _seen_by(market, as_of)]
        _tell(listed.quarantined, on_quarantined)
    for path in odds_paths:
        quoted = read_odds(path)
        odds += [seen for seen in quoted.events if _seen_by(seen, as_of)]
        _tell(quoted.quarantined, on_quarantined)
    return _fullest(markets), _newest(odds)


def _with_event(market: MarketListed) -> MarketListed:
    if market.event_ticker:
        return market
    return msgspec.structs.replace(market, event_ticker=event_of(market.ticker))


def _tell(damaged: Iterable[Quarantined], on_quarantined: Callable[[Quarantined], None]) -> None:
    for record in damaged:
        on_quarantined(record)


def _seen_by(message: MarketListed | OddsSeen, as_of: Instant | None) -> bool:
    return as_of is None or message.observed_at <= as_of


def _fullest(markets: Iterable[MarketListed]) -> list[MarketListed]:
    """The newest listing of each ticker among those that carry the most text."""
    kept: dict[str, MarketListed] = {}
    for market in markets:
        known = kept.get(market.ticker)
        if known is None or _worth(market) >= _worth(known):
            kept[market.ticker] = market
    return list(kept.values())


def _worth(market: MarketListed) -> tuple[bool, bool, Instant]:
    return bool(market.rules_primary), bool(market.title or market.event_title), market.observed_at


def _newest(odds: Iterable[OddsSeen]) -> list[OddsEvent]:
    """The newest state of each odds event: a start that moved replaces the old one."""
    kept: dict[str, OddsSeen] = {}
    for seen in odds:
        known = kept.get(seen.odds_event_id)
        if known is None or seen.observed_at >= known.observed_at:
            kept[seen.odds_event_id] = seen
    return [
        OddsEvent(
            id=seen.odds_event_id,
            sport_key=seen.sport_key,
            starts_at=seen.starts_at,
            home=seen.home,
            away=seen.away,
            sport_title=seen.sport_title,
        )
        for seen in kept.values()
    ]


def write_csv(decisions: Iterable[MappingDecided], path: Path) -> None:
    """Write :func:`csv_rows` to a file; raises :class:`StorageError` when it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(csv_rows(decisions))
    except OSError as exc:
        raise StorageError(f"{path}: cannot be written ({exc.strerror})") from exc


def csv_rows(decisions: Iterable[MappingDecided]) -> Iterator[tuple[str, ...]]:
    """:data:`COLUMNS`, then one row per market; an odds event only where it is mapped, always a reason."""
    yield COLUMNS
    for decision in decisions:
        certificate = decision.certificate
        yield (
            decision.ticker,
            decision.odds_event_id,
            f"{decision.confidence:.3f}",
            msgspec.json.encode(certificate).decode() if certificate else "",
            decision.reason,
        )
