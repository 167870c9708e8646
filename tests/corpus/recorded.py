"""Recorded answers of the exchange's demo, one by name."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import pytest

from tests.support.corpus import corpus_path


@lru_cache(maxsize=1)
def _all() -> dict[str, Any]:
    path = corpus_path("account", "kalshi_demo_api_recorded_responses_202606.json")
    decoded: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return decoded


def fixture(name: str) -> Any:
    """A recorded body; skips the test where there is none."""
    found = _all()
    if name not in found:
        pytest.skip(f"{name} was not recorded")
    return found[name]
