"""Series tickers: the league, kind and period of a series, or why no bookmaker event can answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from shared.mapping.tables import KindRow, League, kinds, leagues
from shared.terms import MarketKind

_MENTION = re.compile(r"MENTION|SAY")
_ESPORTS = re.compile(r"^(?:LOL|CS2?|VALORANT|DOTA2?|COD|R6|OW|RL|ESOCCER|EFIFA)(?:GAME|MAP|TOTALMAPS|MATCH)")
_GOLF = re.compile(r"^(?:PGA|LPGA|LIV|GOLF|DPWT)")
_LOWER_TOURS = re.compile(r"^(?:(?:ATP|WTA)CHALLENGER|ITF|ATPDOUBLES|WTADOUBLES)")
# A bare league ("KXNBA") or one of these words is about a season, a trophy or a round.
_FUTURE = re.compile(
    r"^(?:$|WINS|MVP|CHAMP|TITLE|DIV|CONF|PLAYOFF|ROUND|GROUP|SEED|TOP|RELEGATION|ADVANCE|QUAL)"
)


@dataclass(frozen=True, slots=True)
class Series:
    """A series that prices something about one game."""

    ticker: str
    league: League
    row: KindRow


@dataclass(frozen=True, slots=True)
class Untradeable:
    """A series that no bookmaker event can answer. ``code`` is a short stable word, ``reason`` a sentence."""

    code: str
    reason: str
    kind: MarketKind = MarketKind.OTHER


@lru_cache(maxsize=1)
def _stems() -> tuple[tuple[str, League], ...]:
    pairs = [(stem, league) for league in leagues() for stem in league.stems]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=8192)
def classify(series_ticker: str) -> Series | Untradeable:
    """Meaning of ``series_ticker``; the longest league stem whose suffix is known wins."""
    if series_ticker.startswith("KXMVE"):
        return Untradeable("combo", "a combination of several games has no single event", MarketKind.COMBO)
    if not series_ticker.startswith("KX"):
        return Untradeable("unknown_series", f"series {series_ticker!r} is not a game series")
    body = series_ticker[2:]
    for stem, league in _stems():
        if body.startswith(stem):
            row = kinds().get((league.sport, body[len(stem) :]))
            if row is not None:
                return Series(series_ticker, league, row)
    return _why_not(series_ticker, body)


def _why_not(series_ticker: str, body: str) -> Untradeable:
    if _MENTION.search(body):
        return Untradeable("mention", "a word being said is not a game result", MarketKind.MENTION)
    if _ESPORTS.search(body):
        return Untradeable("esports", "no bookmaker feed covers esports")
    if _GOLF.search(body):
        return Untradeable("golf", "the bookmaker feed quotes golf tournaments, not rounds or match-ups")
    if _LOWER_TOURS.search(body):
        return Untradeable("lower_tour", "the bookmaker feed carries singles of the main tours only")
    for stem, league in _stems():
        if body.startswith(stem) and _FUTURE.match(body[len(stem) :]):
            return Untradeable("future", f"{league.name} season or round, not one game", MarketKind.FUTURE)
    return Untradeable("unknown_series", f"series {series_ticker!r} is in no table")
