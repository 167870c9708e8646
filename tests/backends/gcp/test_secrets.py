"""Secrets in pinned versions: rotation, and every way a key can be missing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from shared.backends.gcp.secrets import ManagedSecrets, pinned_versions
from shared.errors import ConfigError, CredentialsError, RetryLaterError
from tests.support.google import Vault, secret_manager

NAME = "KALSHI_PRIVATE_KEY"


@pytest.fixture
def vault() -> Vault:
    return Vault({"kalshi-private-key/4": b"new", "kalshi-private-key/3": b"old"})


@pytest.fixture
async def secrets(vault: Vault) -> AsyncIterator[ManagedSecrets]:
    async with secret_manager(vault) as client:
        yield ManagedSecrets("p", pinned_versions(["kalshi-private-key=4/3"]), client)


async def test_the_newest_pinned_version_is_the_secret(secrets: ManagedSecrets) -> None:
    assert await secrets.get(NAME) == b"new"


async def test_during_a_rotation_both_versions_are_there_newest_first(secrets: ManagedSecrets) -> None:
    assert await secrets.versions(NAME) == [b"new", b"old"]


async def test_only_what_is_pinned_is_asked_for(secrets: ManagedSecrets, vault: Vault) -> None:
    vault.values["kalshi-private-key/5"] = b"nobody deployed this"
    await secrets.versions(NAME)
    assert vault.asked == ["kalshi-private-key/4", "kalshi-private-key/3"]


async def test_a_disabled_version_is_passed_over_and_told_of(
    secrets: ManagedSecrets, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.values["kalshi-private-key/4"] = grpc.StatusCode.FAILED_PRECONDITION
    assert await secrets.get(NAME) == b"old"
    assert "kalshi-private-key version 4 is not used" in caplog.text


async def test_when_every_version_is_disabled_the_error_says_how_to_mend_it(
    secrets: ManagedSecrets, vault: Vault
) -> None:
    for version in (3, 4):
        vault.values[f"kalshi-private-key/{version}"] = grpc.StatusCode.FAILED_PRECONDITION
    with pytest.raises(CredentialsError, match="gcloud secrets versions enable") as caught:
        await secrets.get(NAME)
    assert caught.value.code == "disabled"


async def test_a_version_that_is_not_there_says_how_to_add_it(secrets: ManagedSecrets, vault: Vault) -> None:
    del vault.values["kalshi-private-key/4"]
    with pytest.raises(CredentialsError, match="gcloud secrets versions add kalshi-private-key") as caught:
        await secrets.get(NAME)
    assert caught.value.code == "missing"


async def test_a_missing_permission_names_the_role(secrets: ManagedSecrets, vault: Vault) -> None:
    vault.values["kalshi-private-key/4"] = grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(CredentialsError, match=r"roles/secretmanager\.secretAccessor") as caught:
        await secrets.get(NAME)
    assert caught.value.code == "no_permission"


async def test_a_value_damaged_on_the_way_is_not_used(secrets: ManagedSecrets, vault: Vault) -> None:
    vault.damaged = True
    with pytest.raises(RetryLaterError, match="damaged"):
        await secrets.get(NAME)


async def test_a_secret_that_is_not_pinned_is_not_guessed(secrets: ManagedSecrets) -> None:
    with pytest.raises(ConfigError, match="add odds-api-key=1"):
        await secrets.get("ODDS_API_KEY")


@pytest.mark.parametrize("entry", ["kalshi-private-key", "kalshi-private-key=latest", "=1", "x=1/", "x="])
def test_a_pin_that_is_no_number_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match="SECRET_VERSIONS"):
        pinned_versions([entry])
