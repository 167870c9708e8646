"""Identifiers: stable from content, repeatable from a seed, fresh from the system."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import RandomIds, SeededIds, as_uuid, digest

parts = st.lists(st.text() | st.binary(), max_size=4)


@given(parts)
def test_the_same_content_has_the_same_digest(content: list[str | bytes]) -> None:
    assert digest(*content) == digest(*content)


def test_a_digest_is_the_same_on_every_machine() -> None:
    assert digest("orders", b"{}") == digest(b"orders", "{}") == "f6d910f83d136f1b13aad23ede6457c9"


def test_where_parts_are_cut_matters() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", "")}) == 4


def test_a_seed_repeats_its_sequence() -> None:
    one, same, other = SeededIds(7), SeededIds(7), SeededIds(8)
    sequence = [one.new() for _ in range(5)]
    assert sequence == [same.new() for _ in range(5)]
    assert other.new() not in sequence
    assert len(set(sequence)) == 5


def test_fresh_identifiers_differ_and_have_32_digits() -> None:
    ids = RandomIds()
    made = {ids.new() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in made)


@given(st.integers(0, 2**128 - 1))
def test_the_uuid_form_keeps_the_digits(number: int) -> None:
    identifier = f"{number:032x}"
    assert uuid.UUID(as_uuid(identifier)).hex == identifier
