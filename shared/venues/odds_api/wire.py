"""The sportsbook feed's JSON (v4) as typed structs, lenient on fields it adds.

Shapes follow the vendor's v4 guide; ``last_update`` sits on the market, and in older answers only on the
bookmaker.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from shared.errors import MalformedError


class Wire(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A piece of the feed's JSON. ``gc=False``: trees only, never a cycle."""


class Sport(Wire, frozen=True, kw_only=True):
    """``GET /sports``."""

    key: str
    group: str = ""
    title: str = ""
    active: bool = True
    has_outrights: bool = False


class Outcome(Wire, frozen=True, kw_only=True):
    """One price: decimal odds, or an American integer when that format was asked for."""

    name: str
    price: float | None = None
    point: float | None = None
    description: str | None = None


class Market(Wire, frozen=True, kw_only=True):
    """All outcomes of one market at one bookmaker."""

    key: str
    last_update: str | int | None = None
    outcomes: list[Outcome] | None = None


class Bookmaker(Wire, frozen=True, kw_only=True):
    """One bookmaker's markets."""

    key: str
    last_update: str | int | None = None
    markets: list[Market] | None = None


class Event(Wire, frozen=True, kw_only=True):
    """One event; without ``bookmakers`` when only events were asked for. Outrights have no teams."""

    id: str
    sport_key: str = ""
    sport_title: str | None = None
    commence_time: str | int | None = None
    home_team: str | None = None
    away_team: str | None = None
    bookmakers: list[Bookmaker] | None = None


class Score(Wire, frozen=True, kw_only=True):
    """One side's score, a string as the feed sends it."""

    name: str
    score: str | None = None


class EventScore(Wire, frozen=True, kw_only=True):
    """``GET /sports/{sport}/scores``: ``scores`` is null before the game."""

    id: str
    sport_key: str = ""
    commence_time: str | int | None = None
    completed: bool = False
    home_team: str | None = None
    away_team: str | None = None
    scores: list[Score] | None = None
    last_update: str | int | None = None


class Refusal(Wire, frozen=True, kw_only=True):
    """Body of every refusal."""

    message: str = ""
    error_code: str = ""


T = TypeVar("T")


def decode(kind: type[T], data: bytes | msgspec.Raw) -> T:
    """``data`` as ``kind``; raises :class:`MalformedError` for anything that does not fit."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MalformedError(f"odds feed: {exc}") from exc


def convert(value: Any) -> Event:
    """A decoded JSON value as an event, reading numbers out of CSV text where needed."""
    try:
        return msgspec.convert(value, Event, strict=False)
    except (msgspec.ValidationError, RecursionError) as exc:
        raise MalformedError(f"odds feed: {exc}") from exc
