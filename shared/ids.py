"""Identifiers and randomness, injected or derived from content; never taken from the environment."""

from __future__ import annotations

import hashlib
import random
from typing import Protocol


class Ids(Protocol):
    """Source of fresh identifiers."""

    def new(self) -> str:
        """A new identifier of 32 lower-case hexadecimal digits."""
        ...


class SeededIds:
    """Identifiers from a seeded generator: the same seed gives the same sequence."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - identity, not secrecy

    def new(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class RandomIds:
    """Identifiers from the operating system's entropy."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def new(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


def digest(*parts: bytes | str) -> str:
    """Stable identifier of content: 32 hexadecimal digits of BLAKE2b over the length-prefixed parts."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "big"))
        state.update(raw)
    return state.hexdigest()


def as_uuid(identifier: str) -> str:
    """The same 32 digits in UUID form, the only shape every venue accepts as a client order id."""
    return "-".join(
        (identifier[:8], identifier[8:12], identifier[12:16], identifier[16:20], identifier[20:32])
    )
