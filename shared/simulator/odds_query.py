"""Parameters of the odds feed: read, checked, and refused with the vendor's error codes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.simulator.bookmakers import ALTERNATE, BOOKMAKERS, FEATURED, Bookmaker
from shared.simulator.players import PLAYER_MARKETS
from shared.simulator.web import Query

_DETAILS = "https://the-odds-api.com/liveapi/guides/v4/api-error-codes.html#"
_REGIONS = ("us", "us2", "us_dfs", "us_ex", "uk", "eu", "fr", "se", "au")
# Members that appear, mostly null, only when asked for.
_EXTRAS = (
    ("link", "includeLinks", "INVALID_INCLUDE_LINKS"),
    ("sid", "includeSids", "INVALID_INCLUDE_SIDS"),
    ("bet_limit", "includeBetLimits", "INVALID_INCLUDE_BET_LIMITS"),
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


_KNOWN = (*FEATURED, *ALTERNATE, *PLAYER_MARKETS, "h2h_lay", "outrights")


class OddsError(Exception):
    """A refusal: HTTP status, ``error_code`` and ``message`` of the body."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.body = {
            "message": message,
            "error_code": code,
            "details_url": _DETAILS + code.lower().replace("_", "-"),
        }


@dataclass(frozen=True, slots=True)
class Shape:
    """How an odds answer is to be written, and what it costs per market."""

    markets: tuple[str, ...]
    books: tuple[Bookmaker, ...]
    regions: int
    american: bool
    unix: bool
    rotation: bool
    extras: tuple[str, ...]


def shape_of(query: Query, allowed: tuple[str, ...]) -> Shape:
    """Markets, books and formats asked for; ``allowed`` are the markets of the endpoint."""
    books, regions = _books(query)
    style = query.one("oddsFormat") or "decimal"
    if style not in ("decimal", "american"):
        raise OddsError(422, "INVALID_ODDS_FORMAT", f"Invalid oddsFormat: {style[:40]}")
    return Shape(
        markets=_markets(query, allowed),
        books=books,
        regions=regions,
        american=style == "american",
        unix=unix_of(query),
        rotation=flag_of(query, "includeRotationNumbers", "INVALID_INCLUDE_ROTATION_NUMBERS"),
        extras=tuple(field for field, name, code in _EXTRAS if flag_of(query, name, code)),
    )


def _markets(query: Query, allowed: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys((query.one("markets") or "h2h").split(",")))
    unknown = [name for name in names if name not in _KNOWN]
    if unknown:
        raise OddsError(422, "INVALID_MARKET", f"Invalid markets: {', '.join(unknown)[:200]}")
    refused = [name for name in names if name not in allowed]
    if refused:
        raise OddsError(
            422, "INVALID_MARKET", f"Markets not supported by this endpoint: {', '.join(refused)}"
        )
    return names


def _books(query: Query) -> tuple[tuple[Bookmaker, ...], int]:
    keys = query.csv("bookmakers")
    if keys:
        if any(not re.fullmatch(r"[a-z0-9_]+", key) for key in keys):
            raise OddsError(422, "INVALID_BOOKMAKERS", "Invalid bookmakers parameter")
        chosen = tuple(book for book in BOOKMAKERS if book.key in keys)
        return chosen, -(-len(set(keys)) // 10)
    regions = (query.one("regions") or "").split(",") if query.one("regions") else []
    if not regions:
        raise OddsError(422, "MISSING_REGION", "Missing regions parameter")
    wrong = [region for region in regions if region not in _REGIONS]
    if wrong:
        raise OddsError(422, "INVALID_REGION", f"Invalid region: {', '.join(wrong)[:200]}")
    return tuple(book for book in BOOKMAKERS if book.region in regions), len(set(regions))


def unix_of(query: Query) -> bool:
    """Whether times are to be Unix seconds."""
    style = query.one("dateFormat") or "iso"
    if style not in ("iso", "unix"):
        raise OddsError(422, "INVALID_DATE_FORMAT", f"Invalid dateFormat: {style[:40]}")
    return style == "unix"


def flag_of(query: Query, name: str, code: str) -> bool:
    """A literal ``true`` or ``false``; ``code`` is the refusal of anything else."""
    text = query.one(name)
    if text not in (None, "true", "false"):
        raise OddsError(422, code, f"{name} must be true or false")
    return text == "true"


def moment_of(query: Query, name: str) -> Instant | None:
    """A start-time filter, in exactly the format the feed demands."""
    text = query.one(name)
    if text is None:
        return None
    code = "INVALID_COMMENCE_TIME_FROM" if name.endswith("From") else "INVALID_COMMENCE_TIME_TO"
    try:
        moment = parse_instant(text) if _TIME.fullmatch(text) else None
    except MalformedError:
        moment = None
    if moment is None:
        raise OddsError(422, code, f"Invalid {name}. The format must be YYYY-MM-DDTHH:MM:SSZ")
    return moment
