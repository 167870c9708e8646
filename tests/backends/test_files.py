"""Blobs and secrets of one machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.backends.local.blobs import FileBlobs
from shared.backends.local.secrets import SettingsSecrets
from shared.config import load
from shared.errors import CredentialsError, MalformedError, StorageError


async def test_a_blob_comes_back_as_it_was(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    await blobs.put("kalshi/2026-11-21/markets.json", b"x" * 100_000)
    assert await blobs.get("kalshi/2026-11-21/markets.json") == b"x" * 100_000


async def test_putting_again_replaces(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    await blobs.put("a", b"1")
    await blobs.put("a", b"2")
    assert await blobs.get("a") == b"2"


async def test_an_absent_blob_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="none"):
        await FileBlobs(tmp_path).get("none")


async def test_list_gives_paths_by_prefix_sorted(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    for path in ("k/2.json", "k/1.json", "other/1.json", "kx"):
        await blobs.put(path, b"")
    assert await blobs.list("k/") == ["k/1.json", "k/2.json"]
    assert await blobs.list("") == ["k/1.json", "k/2.json", "kx", "other/1.json"]


@pytest.mark.parametrize("path", ["", "/etc/x", "a//b", "../x", "a/../../x", "a/.", "a\0", "a\\b"])
async def test_a_path_that_could_leave_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(MalformedError):
        await FileBlobs(tmp_path).put(path, b"")


async def test_a_torn_blob_is_a_storage_error(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    await blobs.put("a", b"x" * 1000)
    (tmp_path / "a.gz").write_bytes((tmp_path / "a.gz").read_bytes()[:-5])
    with pytest.raises(StorageError, match="is damaged"):
        await blobs.get("a")


async def test_a_put_that_fails_leaves_no_part_behind(tmp_path: Path) -> None:
    (tmp_path / "a.gz").mkdir()
    (tmp_path / "a.gz" / "full").touch()
    with pytest.raises(StorageError):
        await FileBlobs(tmp_path).put("a", b"x")
    assert os.listdir(tmp_path) == ["a.gz"]


async def test_a_secret_is_read_from_the_settings() -> None:
    settings = load({"ODDS_API_KEY": "k"}, None)
    assert await SettingsSecrets(settings).get("ODDS_API_KEY") == b"k"


async def test_the_private_key_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN PRIVATE KEY-----\n...")
    settings = load({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY_PATH": str(file)}, None)
    assert await SettingsSecrets(settings).get("KALSHI_PRIVATE_KEY") == file.read_bytes()


async def test_a_private_key_on_one_line_gets_its_line_ends_back() -> None:
    text = "-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----"
    settings = load({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY": text}, None)
    key = await SettingsSecrets(settings).get("KALSHI_PRIVATE_KEY")
    assert key.splitlines()[1] == b"abc"


@pytest.mark.parametrize("name", ["ODDS_API_KEY", "KALSHI_PRIVATE_KEY", "NOT_A_SETTING", "DATA_DIR"])
async def test_a_missing_secret_says_where_to_put_it(name: str) -> None:
    with pytest.raises(CredentialsError, match=f"{name} is not set: put it in"):
        await SettingsSecrets(load({}, None)).get(name)


async def test_an_unreadable_key_file_is_named(tmp_path: Path) -> None:
    settings = load({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY_PATH": str(tmp_path / "no.pem")}, None)
    with pytest.raises(CredentialsError, match=r"no\.pem cannot be read"):
        await SettingsSecrets(settings).get("KALSHI_PRIVATE_KEY")


async def test_a_file_that_is_no_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("hunter2")
    settings = load({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY_PATH": str(file)}, None)
    with pytest.raises(CredentialsError, match="not a PEM private key") as refused:
        await SettingsSecrets(settings).get("KALSHI_PRIVATE_KEY")
    assert "hunter2" not in str(refused.value)
