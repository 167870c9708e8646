"""The shim: what it refuses, and what it makes of BigQuery's dialect. Meanings are in tests/views."""

from __future__ import annotations

import pytest

from shared.backends.local.dialect import to_duckdb
from shared.clock import Instant
from shared.errors import MalformedError

NOW = Instant(1_790_000_000_000_000)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT FORMAT('%d', 1)", "FORMAT"),
        ("SELECT a / b FROM t", "divide with SAFE_DIVIDE"),
        ("SELECT a / 0 FROM t", "divide with SAFE_DIVIDE"),
        ("SELECT a / '2' FROM t", "divide with SAFE_DIVIDE"),
        ("SELECT FROM WHERE", "not a query of BigQuery's"),
        ("SELECT 'open", "not a query of BigQuery's"),
        ("", "not a query of BigQuery's"),
    ],
)
def test_what_would_mean_something_else_is_refused(query: str, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        to_duckdb(query, NOW)


def test_the_clock_is_the_moment_given() -> None:
    assert "1790000000000000" in to_duckdb("SELECT CURRENT_TIMESTAMP() AS t", NOW).lower()
    assert to_duckdb("SELECT CURRENT_TIMESTAMP() AS t", Instant(5)) != to_duckdb(
        "SELECT CURRENT_TIMESTAMP() AS t", NOW
    )


def test_a_division_by_a_number_stays_one() -> None:
    assert to_duckdb("SELECT a / 100 AS x FROM t", NOW) == "SELECT a / 100 AS x FROM t"
