"""Reads the exchange's refusals: an answer that is not 2xx becomes the error that says what to do.

The exchange publishes no catalogue of codes; the ones here were recorded. Bodies come in four JSON shapes,
and from its edge network as HTML or nothing at all.
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
    if not said.is_json and response.status != 404:
        return VenueDownError(f"{told}: not an answer of the exchange itself (HTML or empty)")
    if said.code in _PAUSED:
        return VenueDownError(told)
    return RefusedError(told, said.code, response.status)


def _unauthorised(said: Refusal, where: str) -> CredentialsError:
    code = said.details if said.details in _FIXES else said.code
    return CredentialsError(f"{where}: 401 {said}; {_FIXES.get(code, _UNKNOWN_401)}", code)


def _text(error: dict[str, Any], key: str) -> str:
    value = error.get(key)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
