"""What SQLite adds to the contract: several processes, crashes, and disks that refuse."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from shared.backends.local.documents import SqliteDocuments
from shared.backends.local.errors import storage_error
from shared.errors import MalformedError, StorageError
from shared.ports import Document, Value
from tests.support.processes import finish, lines_until_killed, start

_INCREMENT = """
import asyncio, sys
from pathlib import Path
from shared.backends.local.documents import SqliteDocuments
from tests.support.backends import increment

async def main():
    documents = SqliteDocuments(Path(sys.argv[1]))
    await increment(documents, "c/hot", int(sys.argv[2]), seed=int(sys.argv[3]))
    await documents.close()

asyncio.run(main())
"""

_CREATE_FOR_EVER = """
import asyncio, itertools, sys
from pathlib import Path
from shared.backends.local.documents import SqliteDocuments

async def main():
    documents = SqliteDocuments(Path(sys.argv[1]))
    for n in itertools.count():
        await documents.create(f"c/{n:06}", {"n": n})
        print(n, flush=True)

asyncio.run(main())
"""


@pytest.mark.e2e
async def test_four_processes_lose_no_increment(tmp_path: Path) -> None:
    path = tmp_path / "documents.db"
    for process in [start(_INCREMENT, path, 200, seed) for seed in range(4)]:
        finish(process)
    assert await _value(path, "c/hot") == {"n": 800}


@pytest.mark.e2e
async def test_a_killed_process_loses_no_acknowledged_document(tmp_path: Path) -> None:
    path = tmp_path / "documents.db"
    acknowledged = lines_until_killed(start(_CREATE_FOR_EVER, path), 200)
    documents = SqliteDocuments(path)
    stored = {found.value["n"] for found in await documents.query("c", limit=1_000_000)}
    await documents.close()
    assert {int(line) for line in acknowledged} <= stored


@pytest.mark.e2e
async def test_a_watcher_sees_what_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "documents.db"
    documents = SqliteDocuments(path)
    async with aclosing(documents.watch("c")) as states:
        waiting = asyncio.create_task(_first(states, 5))
        await asyncio.to_thread(finish, start(_INCREMENT, path, 5, 0))
        assert await asyncio.wait_for(waiting, 10) == [{"n": n} for n in range(1, 6)]
    await documents.close()


async def _first(states: AsyncIterator[Document], count: int) -> list[Value]:
    return [(await anext(states)).value for _ in range(count)]


async def test_a_watcher_that_fell_too_far_behind_gets_the_present_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.backends.local.documents._CHANGES_KEPT", 5)
    monkeypatch.setattr("shared.backends.local.documents._PRUNE_EVERY", 1)
    documents = SqliteDocuments(tmp_path / "documents.db")
    version = await documents.create("c/a", {"n": 0})
    async with aclosing(documents.watch("c")) as states:
        await anext(states)
        for n in range(1, 20):
            version = await documents.replace_if("c/a", {"n": n}, version)
        assert (await asyncio.wait_for(anext(states), 5)).value == {"n": 19}
    await documents.close()


async def test_a_full_disk_is_a_storage_error_and_what_was_stored_stays(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "documents.db")
    version = await documents.create("c/kept", {"n": 1})
    documents._db.execute("PRAGMA max_page_count = 12")
    with pytest.raises(StorageError, match="disk is full: free space"):
        await documents.create("c/large", {"text": "x" * 100_000})
    found = await documents.get("c/kept")
    assert found is not None
    assert found.version == version
    assert await documents.get("c/large") is None
    await documents.close()


async def test_a_write_lock_held_too_long_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "documents.db"
    documents = SqliteDocuments(path, busy_timeout_s=0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process keeps"):
        await documents.create("c/a", {})
    other.execute("ROLLBACK")
    other.close()
    await documents.create("c/a", {})
    await documents.close()


def test_a_damaged_file_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "documents.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(StorageError, match="is damaged: move it away"):
        SqliteDocuments(path)


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be opened"):
        SqliteDocuments(tmp_path / "file" / "documents.db")


def test_a_read_only_file_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "documents.db"
    sqlite3.connect(path).close()
    read_only = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as refused:
        read_only.execute("CREATE TABLE t (x)")
    read_only.close()
    assert "is not writable: give this user write access" in str(storage_error(path, refused.value))


@pytest.mark.parametrize("value", [{"x": float("nan")}, {"x": {1, 2}}, {"x": float("inf")}])
async def test_a_value_json_cannot_hold_is_refused(tmp_path: Path, value: dict[str, object]) -> None:
    documents = SqliteDocuments(tmp_path / "documents.db")
    with pytest.raises(MalformedError, match="c/a: not a JSON object"):
        await documents.create("c/a", value)
    await documents.close()


@pytest.mark.parametrize("path", ["a", "/a", "c/", ""])
async def test_a_path_without_collection_or_id_is_refused(tmp_path: Path, path: str) -> None:
    documents = SqliteDocuments(tmp_path / "documents.db")
    with pytest.raises(MalformedError, match="collection/id"):
        await documents.create(path, {})
    await documents.close()


async def test_a_reopened_file_holds_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "documents.db"
    documents = SqliteDocuments(path)
    await documents.create("c/a", {"n": 1})
    await documents.close()
    assert await _value(path, "c/a") == {"n": 1}


async def _value(path: Path, document: str) -> object:
    documents = SqliteDocuments(path)
    found = await documents.get(document)
    await documents.close()
    return found and found.value
