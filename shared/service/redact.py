"""Removes secrets from text that leaves the process: log lines, alerts, answers of the API.

Two nets. The values of the secret settings are replaced wherever they appear. Shapes that carry secrets (PEM
blocks, authorization headers, keys in addresses, signatures, webhook paths) are replaced whoever they belong
to. A little too much is removed rather than too little. Every pattern is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from shared.config import Secret, Settings

MASK = "***"
# Shorter values would be found inside ordinary words.
_SHORTEST = 6

_NAMES = (
    r"(?:api[-_ ]?key|access[-_]key|secret[-_]key|private[-_]?key|client[-_]secret|secret|password|passwd"
    r"|passphrase|(?<![a-z])pwd|signature|token|webhook[-_]?url)"
)
# A quoted value ends at its own quote (inside quoted text both are escaped), a bare one at a delimiter.
_VALUE = (
    r"(?:b?\"(?:[^\"\\]|\\.)*\"?|b?'(?:[^'\\]|\\.)*'?|b?\\+\"[^\"]*\"?|b?\\+'[^']*'?"
    r"|(?:(?:bearer|basic|token)\s+)?[^\s\"'&,;<>()\[\]{}\\]+)"
)
# ``name=value``, ``name: value``, ``"name": "value"`` and the pair ``('name', 'value')``.
_BETWEEN = r"(?:\\*[\"']\s*[:=,]\s*|\s*[:=]\s*|%3D)"


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern, what replaces it, and ``hints``: lower-case text, one of which every match contains.

    Almost no line contains a hint: looking for them first takes one of 90 characters from 18 to 7 us.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


def _shape(hints: str, pattern: str, replacement: str) -> Shape:
    flags = re.IGNORECASE | re.DOTALL | re.ASCII
    return Shape(tuple(hints.split()), re.compile(pattern, flags), replacement)


_NAME_HINTS = "key secret pass pwd signature token webhook"

SHAPES = (
    _shape("-----begin", r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", MASK),
    _shape("cookie", r"((?:set-)?cookie\b" + _BETWEEN + r")[^\r\n]+", rf"\1{MASK}"),
    _shape("authorization", r"((?:proxy-)?authorization" + _BETWEEN + r")" + _VALUE, rf"\1{MASK}"),
    _shape(_NAME_HINTS, r"(" + _NAMES + _BETWEEN + r")" + _VALUE, rf"\1{MASK}"),
    # Apart from the names: every line about a signal contains these three letters.
    _shape("sig", r"(\bsig" + _BETWEEN + r")" + _VALUE, rf"\1{MASK}"),
    _shape("bearer", r"\b(bearer\s+)[\w.~+/=-]{8,}", rf"\1{MASK}"),
    _shape("@", r"(://)[^/\s@\"'<>]{1,300}@", rf"\1{MASK}@"),
    _shape("slack /webhooks/", r"(hooks\.slack\.com/|/api/webhooks/)[^\s\"'<>]+", rf"\1{MASK}"),
    _shape("eyj", r"\beyJ[\w-]{8,}\.[\w.-]{8,}", MASK),
    _shape("aiza", r"\bAIza[\w-]{30,}", MASK),
)
# A signature or a key without a name: 64 bytes (Ed25519) are 88 characters, digests at most 64.
_LONG = re.compile(r"[A-Za-z0-9+/]{80,}={0,2}")


class Redactor:
    """Call it with a text to get the text without secrets."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """``secrets`` are values to remove wherever they appear, whole or line by line."""
        parts = {line.strip() for secret in secrets for line in secret.splitlines()}
        values = {shape for part in parts if len(part) >= _SHORTEST for shape in (part, quote(part, safe=""))}
        ordered = sorted(values, key=lambda value: (-len(value), value))
        self._values = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        if self._values is not None:
            text = self._values.sub(MASK, text)
        lower = text.lower()
        for shape in SHAPES:
            if any(hint in lower for hint in shape.hints):
                text = shape.pattern.sub(shape.replacement, text)
        return _LONG.sub(MASK, text)


def secrets_of(settings: Settings) -> list[str]:
    """The value of every secret setting."""
    values = (getattr(settings, field) for field in settings.__struct_fields__)
    return [value.reveal() for value in values if isinstance(value, Secret)]
