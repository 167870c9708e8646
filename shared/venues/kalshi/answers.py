"""Reads the exchange's refusals: an answer that is not 2xx becomes the error that says what to do.

The exchange publishes no catalogue of codes; the ones here were recorded. Bodies come in four JSON shapes,
and from its edge network as HTML or nothing at all. For a write, only a code that is known to mean "nothing
was done" is a refusal: anything else leaves the outcome unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from shared.errors import (
    ArbError,
    CredentialsError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    VenueDownError,
)
from shared.venues.http import Response

_PAUSED = frozenset({"trading_is_paused", "exchange_is_paused"})
_THROTTLED = "too_many_requests"
# The id was spent by an order sent before, which may have filled: ask for that one.
DUPLICATE = "order_already_exists"
NOT_FOUND = "not_found"

# Codes that prove of a write that it changed nothing. All 409s but the pauses spend the client order id.
_NOTHING_DONE = frozenset(
    {
        "bad_request",
        "deprecated_v1_order_endpoint",
        "fill_or_kill_insufficient_resting_volume",
        "insufficient_balance",
        "invalid_content_type",
        "invalid_order",
        "invalid_parameters",
        "invalid_price",
        "market_inactive",
        "market_not_found",
        "user_not_found",
        DUPLICATE,
        NOT_FOUND,
    }
)

_FIXES = {
    "INCORRECT_API_KEY_SIGNATURE": (
        "the signature does not fit the key id: check that KALSHI_KEY_ID and the private key belong together"
    ),
    "NOT_FOUND": (
        "the exchange does not know this key id: check KALSHI_KEY_ID, and that key and KALSHI_BASE_URL are "
        "both of the demo or both of the real exchange"
    ),
    "signature_is_missing_from_headers": "this call must be signed: set KALSHI_KEY_ID and a private key",
    "header_timestamp_expired": (
        "this machine's clock is wrong by more than the exchange allows (10 s): synchronise it with NTP"
    ),
}
_UNKNOWN_401 = "check the key id, the private key and that both are of this environment"
_FIX_403 = "the key lacks a scope, or its location attestation has expired: check the key on the account page"

_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a body says: the venue's code, its words, its details; empty where it says nothing."""

    code: str = ""
    message: str = ""
    details: str = ""
    is_json: bool = False

    def __str__(self) -> str:
        return ": ".join(dict.fromkeys(part for part in (self.code, self.message, self.details) if part))


def refusal(body: bytes) -> Refusal:
    """The refusal in a body of any recorded shape."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal()
    return refusal_of(decoded)


def refusal_of(decoded: object) -> Refusal:
    """The refusal in a decoded body, or in one item of a batch."""
    if not isinstance(decoded, dict):
        return Refusal()
    error = decoded.get("error", decoded)
    if isinstance(error, str):
        return Refusal(message=error[:_MAX_TEXT], is_json=True)
    if not isinstance(error, dict):
        return Refusal(is_json=True)
    return Refusal(
        code=_text(error, "code"),
        message=_text(error, "message") or _text(error, "msg"),
        details=_text(error, "details"),
        is_json=True,
    )


def error_of(response: Response, where: str, *, write: bool) -> ArbError:
    """The error for an answer to ``where`` that is not 2xx; a ``write`` could have changed something."""
    said = refusal(response.body)
    told = f"{where}: {response.status} {said}".rstrip()
    if response.status == 429:
        return RateLimitedError(told)
    if response.status >= 500:
        return OutcomeUnknownError(told) if write else VenueDownError(told)
    if response.status == 401:
        return _unauthorised(said, where)
    if response.status == 403 and said.is_json:
        return CredentialsError(f"{told}; {_FIX_403}", said.code)
    if not said.is_json and (write or response.status != 404):
        strange = f"{told}: not an answer of the exchange itself (HTML or empty)"
        return OutcomeUnknownError(strange) if write else VenueDownError(strange)
    return error_by_code(said, told, response.status, write=write)


def error_by_code(said: Refusal, told: str, status: int = 0, *, write: bool = True) -> ArbError:
    """The error for a refusal by its code alone, as the items of a batch and some 2xx bodies carry it.

    The same status means opposite things: a 409 may be a pause, a spent id or an order that could not fill.
    """
    if said.code == _THROTTLED:
        return RateLimitedError(told)
    if said.code in _PAUSED:
        return VenueDownError(told, said.code)
    if write and said.code.lower() not in _NOTHING_DONE:
        return OutcomeUnknownError(f"{told}: it is not known that this means nothing was done")
    return RefusedError(told, said.code, status)


def _unauthorised(said: Refusal, where: str) -> CredentialsError:
    code = said.details if said.details in _FIXES else said.code
    return CredentialsError(f"{where}: 401 {said}; {_FIXES.get(code, _UNKNOWN_401)}", code)


def _text(error: dict[str, Any], key: str) -> str:
    value = error.get(key)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
