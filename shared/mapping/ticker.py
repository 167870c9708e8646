"""Event tickers: date, time of day, team codes and what follows. Codes are never split in the middle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from shared.clock import EASTERN, Instant, from_datetime

_EVENT = re.compile(
    r"^(?P<yy>\d\d)(?P<mon>[A-Z]{3})(?P<dd>\d\d)(?P<hhmm>(?:[01]\d|2[0-3])[0-5]\d)?(?P<codes>[A-Z0-9]*?)"
    r"(?:(?<=[A-Z0-9])G(?P<number>[12]))?$"
)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SUFFIX_CODE = re.compile(r"^([A-Z]{2,6}?)\d{0,3}$")

MAX_TICKER = 200


@dataclass(frozen=True, slots=True)
class EventTicker:
    """An event ticker taken apart.

    ``game`` is the part all markets on one game share. ``day`` is the Eastern date; ``minute`` of that day
    and ``starts_at`` are set when a time is written.
    """

    day: date
    game: str
    minute: int | None
    starts_at: Instant | None
    codes: str
    number: int | None
    segment: str


def split_series(event_ticker: str, series_ticker: str) -> tuple[str, str]:
    """Series and rest of an event ticker; some series contain a hyphen, so the listed series is believed."""
    if series_ticker and event_ticker.startswith(series_ticker + "-"):
        return series_ticker, event_ticker[len(series_ticker) + 1 :]
    head, _, rest = event_ticker.partition("-")
    return head, rest


def event_of(ticker: str) -> str:
    """The event ticker a market ticker belongs to, for records that kept the market's alone.

    A game is the second part whatever follows it; anything else loses its last part.
    """
    series, _, rest = ticker.partition("-")
    game = rest.partition("-")[0]
    return f"{series}-{game}" if parse_event(game) is not None else ticker.rpartition("-")[0]


@lru_cache(maxsize=16384)
def parse_event(rest: str) -> EventTicker | None:
    """Event part after the series, ``None`` when it names no dated game."""
    game, _, segment = rest.partition("-")
    match = _EVENT.match(game)
    if match is None or not match["codes"]:
        return None
    day = _date(match["yy"], match["mon"], match["dd"])
    if day is None:
        return None
    number = int(match["number"]) if match["number"] else None
    hhmm = match["hhmm"]
    minute = int(hhmm[:2]) * 60 + int(hhmm[2:]) if hhmm else None
    starts_at = _eastern(day, minute) if minute is not None else None
    return EventTicker(day, game, minute, starts_at, match["codes"], number, segment)


def _date(yy: str, mon: str, dd: str) -> date | None:
    try:
        return date(2000 + int(yy), MONTHS.index(mon) + 1, int(dd))
    except ValueError:
        return None


def _eastern(day: date, minute: int) -> Instant:
    return from_datetime(datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=EASTERN))


def suffix_code(ticker: str, event_ticker: str) -> str:
    """Team code of a market ticker's suffix (``-CAR3`` gives ``CAR``), empty when there is none.

    A few codes end in digits themselves (``COTH96-H96``): then the event ticker carries them too.
    """
    if not ticker.startswith(event_ticker + "-"):
        return ""
    suffix = ticker[len(event_ticker) + 1 :].partition("-")[0]
    if suffix[:1].isalpha() and suffix[-1].isdigit() and suffix in event_ticker:
        return suffix
    match = _SUFFIX_CODE.match(suffix)
    return match[1] if match else ""


def splits(codes: str) -> list[tuple[str, str]]:
    """Every way to cut ``codes`` into two codes of two to six characters."""
    return [(codes[:i], codes[i:]) for i in range(2, len(codes) - 1) if i <= 6 and len(codes) - i <= 6]
