"""Cloud Storage and BigQuery through the real client libraries, against servers on loopback."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from shared.backends.gcp.blobs import BucketBlobs
from shared.backends.gcp.warehouse import BigQueryWarehouse
from shared.errors import (
    ConfigError,
    CredentialsError,
    MalformedError,
    QuotaExhaustedError,
    StorageError,
)
from tests.support.backends import tick
from tests.support.google import Cloud, serving


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    made = Cloud()
    with serving(made) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
        yield made


@pytest.fixture
async def blobs(cloud: Cloud) -> AsyncIterator[BucketBlobs]:
    made = BucketBlobs("p", "raw")
    yield made
    await made.close()


@pytest.fixture
async def warehouse(cloud: Cloud) -> AsyncIterator[BigQueryWarehouse]:
    made = BigQueryWarehouse("p", "arb", max_bytes=1_000)
    yield made
    await made.close()


async def test_a_blob_comes_back_as_it_was_and_lies_there_as_gzip(blobs: BucketBlobs, cloud: Cloud) -> None:
    await blobs.put("kalshi/2026-11-21/markets.json", b"x" * 100_000)
    assert await blobs.get("kalshi/2026-11-21/markets.json") == b"x" * 100_000
    [(name, packed)] = cloud.objects.items()
    assert name == "kalshi/2026-11-21/markets.json.gz"
    assert gzip.decompress(packed) == b"x" * 100_000


async def test_putting_again_replaces(blobs: BucketBlobs) -> None:
    await blobs.put("a", b"1")
    await blobs.put("a", b"2")
    assert await blobs.get("a") == b"2"


async def test_an_absent_blob_is_a_key_error(blobs: BucketBlobs) -> None:
    with pytest.raises(KeyError, match="none"):
        await blobs.get("none")


async def test_list_gives_paths_by_prefix_sorted(blobs: BucketBlobs) -> None:
    for path in ("k/2.json", "k/1.json", "other/1.json", "kx"):
        await blobs.put(path, b"")
    assert await blobs.list("k/") == ["k/1.json", "k/2.json"]
    assert await blobs.list("") == ["k/1.json", "k/2.json", "kx", "other/1.json"]


@pytest.mark.parametrize("path", ["", "/etc/x", "a//b", "../x", "a/.", "a\0", "a\\b"])
async def test_a_path_that_is_no_name_is_refused(blobs: BucketBlobs, path: str) -> None:
    with pytest.raises(MalformedError):
        await blobs.put(path, b"")


async def test_a_damaged_object_is_a_storage_error(blobs: BucketBlobs, cloud: Cloud) -> None:
    cloud.objects["a.gz"] = gzip.compress(b"x" * 1000)[:-5]
    with pytest.raises(StorageError, match="is damaged"):
        await blobs.get("a")


async def test_a_bucket_without_permission_names_the_role(blobs: BucketBlobs, cloud: Cloud) -> None:
    cloud.refuse = (403, "forbidden")
    with pytest.raises(CredentialsError, match=r"roles/storage\.objectUser"):
        await blobs.put("a", b"")


async def test_rows_come_back_as_their_types(warehouse: BigQueryWarehouse, cloud: Cloud) -> None:
    cloud.schema = [
        {"name": "ticker", "type": "STRING"},
        {"name": "pnl", "type": "INTEGER"},
        {"name": "at", "type": "TIMESTAMP"},
    ]
    cloud.rows = [["KX", "-120", "1790000000000000"]]
    found = await warehouse.query("SELECT 1")
    assert found == [{"ticker": "KX", "pnl": -120, "at": datetime.fromtimestamp(1_790_000_000, UTC)}]


async def test_parameters_travel_typed_and_the_query_may_not_read_everything(
    warehouse: BigQueryWarehouse, cloud: Cloud
) -> None:
    await warehouse.query("SELECT ?", [True, 2, 0.5, "x", None, [1, 2], datetime(2026, 1, 1, tzinfo=UTC)])
    [asked] = cloud.queries
    kinds = [one["parameterType"] for one in asked["queryParameters"]]
    assert [kind["type"] for kind in kinds] == [
        "BOOL",
        "INT64",
        "FLOAT64",
        "STRING",
        "STRING",
        "ARRAY",
        "TIMESTAMP",
    ]
    assert kinds[5]["arrayType"] == {"type": "INT64"}
    assert asked["maximumBytesBilled"] == "1000"
    assert asked["defaultDataset"] == {"projectId": "p", "datasetId": "arb"}


async def test_a_query_that_reads_too_much_says_what_to_do(
    warehouse: BigQueryWarehouse, cloud: Cloud
) -> None:
    cloud.refuse = (400, "bytesBilledLimitExceeded")
    with pytest.raises(QuotaExhaustedError, match="filter by observed_at"):
        await warehouse.query("SELECT * FROM fills")


async def test_a_wrong_statement_is_malformed(warehouse: BigQueryWarehouse, cloud: Cloud) -> None:
    cloud.refuse = (400, "invalidQuery")
    with pytest.raises(MalformedError):
        await warehouse.query("SELEC 1")


@pytest.mark.parametrize("value", [object(), [1, "x"], {"a": 1}])
async def test_what_is_no_parameter_is_refused(warehouse: BigQueryWarehouse, value: object) -> None:
    with pytest.raises(MalformedError, match="parameter"):
        await warehouse.query("SELECT ?", [value])


async def test_rows_are_not_inserted_by_code(warehouse: BigQueryWarehouse) -> None:
    with pytest.raises(ConfigError, match="by being published on kalshi-ticks"):
        await warehouse.append([tick(1)])
    await warehouse.append([])
    await warehouse.flush()
