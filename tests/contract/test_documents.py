"""What every ``Documents`` backend promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from shared import cas
from shared.clock import ManualClock, SystemClock
from shared.errors import AlreadyExistsError, ConflictError
from shared.lease import DocumentLease
from shared.ports import Create, Delete, Document, Documents, Replace
from tests.support.backends import increment, rng


async def test_an_absent_document_is_none(documents: Documents) -> None:
    assert await documents.get("c/none") is None


async def test_what_was_created_is_read_back_with_its_version(documents: Documents) -> None:
    value = {"text": "é\n", "n": 2**53 + 1, "list": [1, None, True], "deep": {"x": 0.1}}
    version = await documents.create("c/a", value)
    assert await documents.get("c/a") == Document("c/a", value, version)


async def test_a_second_create_is_refused_and_changes_nothing(documents: Documents) -> None:
    await documents.create("c/a", {"n": 1})
    with pytest.raises(AlreadyExistsError):
        await documents.create("c/a", {"n": 2})
    found = await documents.get("c/a")
    assert found is not None
    assert found.value == {"n": 1}


async def test_a_replace_at_the_right_version_gives_a_new_version(documents: Documents) -> None:
    first = await documents.create("c/a", {"n": 1})
    second = await documents.replace_if("c/a", {"n": 2}, first)
    assert second != first
    assert await documents.get("c/a") == Document("c/a", {"n": 2}, second)


async def test_a_replace_at_an_old_version_is_a_conflict(documents: Documents) -> None:
    first = await documents.create("c/a", {"n": 1})
    await documents.replace_if("c/a", {"n": 2}, first)
    with pytest.raises(ConflictError):
        await documents.replace_if("c/a", {"n": 3}, first)


async def test_a_replace_of_an_absent_document_is_a_conflict(documents: Documents) -> None:
    with pytest.raises(ConflictError):
        await documents.replace_if("c/none", {}, 1)


async def test_a_delete_at_an_old_version_is_a_conflict(documents: Documents) -> None:
    first = await documents.create("c/a", {"n": 1})
    await documents.replace_if("c/a", {"n": 2}, first)
    with pytest.raises(ConflictError):
        await documents.delete_if("c/a", first)


async def test_a_version_never_comes_back_after_a_delete(documents: Documents) -> None:
    old = await documents.create("c/a", {"n": 1})
    await documents.delete_if("c/a", old)
    await documents.create("c/a", {"n": 2})
    with pytest.raises(ConflictError):
        await documents.replace_if("c/a", {"n": 3}, old)


async def test_a_batch_writes_everything(documents: Documents) -> None:
    gone = await documents.create("c/gone", {})
    kept = await documents.create("c/kept", {"n": 1})
    await documents.batch(
        [Create("d/new", {"n": 5}), Replace("c/kept", {"n": 2}, kept), Delete("c/gone", gone)]
    )
    assert [found.value for found in await documents.query("d")] == [{"n": 5}]
    assert [found.value for found in await documents.query("c")] == [{"n": 2}]


async def test_a_batch_answers_with_the_version_of_each_document(documents: Documents) -> None:
    old = await documents.create("c/kept", {"n": 1})
    versions = await documents.batch([Create("d/new", {}), Replace("c/kept", {"n": 2}, old)])
    found = [await documents.get("d/new"), await documents.get("c/kept")]
    assert versions == [document.version if document else None for document in found]


@pytest.mark.parametrize("last", [Create("c/a", {"n": 9}), Replace("c/a", {"n": 9}, -1), Delete("c/a", -1)])
async def test_a_batch_with_one_failed_precondition_leaves_nothing(
    documents: Documents, last: Create | Replace | Delete
) -> None:
    version = await documents.create("c/a", {"n": 1})
    with pytest.raises((ConflictError, AlreadyExistsError)):
        await documents.batch([Create("c/b", {}), last])
    assert await documents.query("c") == [Document("c/a", {"n": 1}, version)]


async def test_a_query_filters_by_equal_fields_and_orders_by_id(documents: Documents) -> None:
    for name, state in (("b", "open"), ("a", "open"), ("c", "done")):
        await documents.create(f"orders/{name}", {"state": state})
    await documents.create("other/a", {"state": "open"})
    found = await documents.query("orders", {"state": "open"})
    assert [document.path for document in found] == ["orders/a", "orders/b"]


async def test_a_query_stops_at_its_limit(documents: Documents) -> None:
    for name in "abc":
        await documents.create(f"c/{name}", {})
    assert [found.path for found in await documents.query("c", limit=2)] == ["c/a", "c/b"]


async def test_a_missing_field_does_not_match_none(documents: Documents) -> None:
    await documents.create("c/a", {})
    assert await documents.query("c", {"state": None}) == []


async def test_a_stored_value_does_not_change_with_the_writers_object(documents: Documents) -> None:
    value = {"list": [1]}
    await documents.create("c/a", value)
    value["list"].append(2)
    found = await documents.get("c/a")
    assert found is not None
    assert found.value == {"list": [1]}


async def test_fifty_concurrent_increments_make_fifty(documents: Documents) -> None:
    await asyncio.gather(*(increment(documents, "c/hot", seed=seed) for seed in range(50)))
    found = await documents.get("c/hot")
    assert found is not None
    assert found.value == {"n": 50}


async def test_an_update_that_changes_nothing_writes_nothing(documents: Documents) -> None:
    version = await documents.create("c/a", {"n": 1})
    found = await cas.update(documents, "c/a", lambda _: None, clock=SystemClock(), rng=rng(0))
    assert found == Document("c/a", {"n": 1}, version)
    assert await documents.get("c/a") == found


async def test_many_documents_are_updated_each_by_its_own_change(documents: Documents) -> None:
    await documents.create("c/000", {"n": 7})
    version = await documents.create("c/001", {"n": 1})
    changes = {f"c/{n:03}": _adding(n) for n in range(120)} | {"c/001": lambda _: None}
    await cas.update_each(documents, changes, clock=SystemClock(), rng=rng(0))
    found = {document.path: document.value["n"] for document in await documents.query("c")}
    assert found == {f"c/{n:03}": n for n in range(120)} | {"c/000": 7, "c/001": 1}
    assert await documents.get("c/001") == Document("c/001", {"n": 1}, version)


async def test_updates_of_many_documents_at_once_lose_nothing(documents: Documents) -> None:
    changes = {f"c/{n}": _adding(1) for n in range(10)}
    await asyncio.gather(
        *(cas.update_each(documents, changes, clock=SystemClock(), rng=rng(seed)) for seed in range(8))
    )
    assert [document.value["n"] for document in await documents.query("c")] == [8] * 10


def _adding(more: int) -> cas.Change:
    return lambda held: {"n": (held["n"] if held else 0) + more}


async def test_watch_shows_the_present_then_newer_states_to_the_newest(documents: Documents) -> None:
    version = await documents.create("c/a", {"n": 0})
    await documents.create("other/a", {"n": -1})
    async with aclosing(documents.watch("c")) as states:  # type: ignore[type-var]  # every backend's is a generator
        seen = [await _next_value(states)]
        for n in range(1, 20):
            version = await documents.replace_if("c/a", {"n": n}, version)
        while seen[-1] != 19:
            seen.append(await _next_value(states))
    assert seen[0] == 0
    assert seen == sorted(set(seen))


async def test_watch_shows_a_document_that_comes_later(documents: Documents) -> None:
    await documents.create("c/a", {"n": 0})
    async with aclosing(documents.watch("c")) as states:  # type: ignore[type-var]
        assert await _next_value(states) == 0
        await documents.create("c/b", {"n": 1})
        assert await _next_value(states) == 1


async def test_watch_survives_a_removal_and_does_not_show_it(documents: Documents) -> None:
    version = await documents.create("c/a", {"n": 0})
    async with aclosing(documents.watch("c")) as states:  # type: ignore[type-var]
        assert await _next_value(states) == 0
        await documents.delete_if("c/a", version)
        await documents.create("c/b", {"n": 1})
        assert await _next_value(states) == 1


async def _next_value(states: AsyncIterator[Document]) -> int:
    async with asyncio.timeout(5):
        found: int = (await anext(states)).value["n"]
        return found


# --- the lease stands on these promises ------------------------------------------------------------------


def _lease(documents: Documents, clock: ManualClock, holder: str) -> DocumentLease:
    return DocumentLease(documents, clock, holder, life_s=15, margin_s=2)


async def test_only_one_of_many_gets_the_lease(documents: Documents) -> None:
    clock = ManualClock()
    terms = await asyncio.gather(*(_lease(documents, clock, f"p{n}").acquire() for n in range(10)))
    assert len([term for term in terms if term]) == 1


async def test_a_renewal_keeps_the_epoch_and_moves_the_expiry(documents: Documents) -> None:
    clock = ManualClock()
    lease = _lease(documents, clock, "a")
    first = await lease.acquire()
    await clock.advance(5)
    second = await lease.acquire()
    assert first is not None
    assert second is not None
    assert (second.epoch, second.expires_at - first.expires_at) == (first.epoch, 5_000_000)


async def test_a_successor_waits_for_expiry_and_margin_and_gets_a_higher_epoch(documents: Documents) -> None:
    clock = ManualClock()
    first = await _lease(documents, clock, "a").acquire()
    await clock.advance(16)
    assert await _lease(documents, clock, "b").acquire() is None
    await clock.advance(1)
    second = await _lease(documents, clock, "b").acquire()
    assert first is not None
    assert second is not None
    assert second.epoch == first.epoch + 1


async def test_a_holder_that_lapsed_comes_back_in_a_new_epoch(documents: Documents) -> None:
    clock = ManualClock()
    lease = _lease(documents, clock, "a")
    first = await lease.acquire()
    await clock.advance(15)
    second = await lease.acquire()
    assert first is not None
    assert second is not None
    assert second.epoch == first.epoch + 1


async def test_a_released_lease_is_free_at_once_with_a_higher_epoch(documents: Documents) -> None:
    clock = ManualClock()
    lease = _lease(documents, clock, "a")
    await lease.acquire()
    await lease.release()
    term = await _lease(documents, clock, "b").acquire()
    assert term is not None
    assert term.epoch == 2


async def test_releasing_another_holders_lease_changes_nothing(documents: Documents) -> None:
    clock = ManualClock()
    await _lease(documents, clock, "a").acquire()
    await _lease(documents, clock, "b").release()
    assert await _lease(documents, clock, "b").acquire() is None
