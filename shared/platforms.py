"""Where state lives: the ports of one process, on the engines of one machine or on Google Cloud.

Parts are made when they are first asked for, so a function loads the clients it uses and no others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from shared.clock import Clock
from shared.config import Backend, Secret, Settings
from shared.delivery import Intake, NoGraves
from shared.messages import BY_TOPIC, Message
from shared.ports import Blobs, Bus, Documents, Secrets, Warehouse
from shared.topology import EXECUTION_TOPICS

if TYPE_CHECKING:
    from shared.backends.gcp.blobs import BucketBlobs
    from shared.backends.gcp.bus import PubSubBus
    from shared.backends.gcp.documents import FirestoreDocuments
    from shared.backends.gcp.heard import HeardBus
    from shared.backends.gcp.secrets import ManagedSecrets
    from shared.backends.gcp.warehouse import BigQueryWarehouse
    from shared.backends.local.blobs import FileBlobs
    from shared.backends.local.bus import LocalBus
    from shared.backends.local.documents import SqliteDocuments
    from shared.backends.local.secrets import SettingsSecrets
    from shared.backends.local.warehouse import DuckWarehouse

DOCUMENTS = "documents.sqlite"


class Platform(Protocol):
    """Every port of one process."""

    @property
    def documents(self) -> Documents:
        """State."""
        ...

    @property
    def bus(self) -> Bus:
        """Messages out."""
        ...

    @property
    def heard(self) -> Bus:
        """Messages out, which this process hears too."""
        ...

    @property
    def pull(self) -> Callable[[], Awaitable[None]] | None:
        """What brings the messages of others, until cancelled; ``None`` where they just come."""
        ...

    @property
    def intake(self) -> Intake:
        """Messages in."""
        ...

    @property
    def warehouse(self) -> Warehouse:
        """History."""
        ...

    @property
    def raw(self) -> Blobs | None:
        """Raw payloads; none are kept where no place was named."""
        ...

    @property
    def secrets(self) -> Secrets:
        """Keys."""
        ...

    async def settle(self) -> None:
        """Return when everything published is kept."""
        ...

    async def close(self) -> None:
        """Close what was opened."""
        ...


def open_platform(settings: Settings, clock: Clock, folder: Path) -> Platform:
    """The platform that the settings name; ``folder`` is where the embedded engines keep theirs."""
    if settings.backend is Backend.GCP:
        return CloudPlatform(settings, clock)
    return LocalPlatform(settings, clock, folder)


class LocalPlatform:
    """Embedded engines in one folder; what is published is kept before a call ends."""

    def __init__(self, settings: Settings, clock: Clock, folder: Path) -> None:
        self._settings, self._clock, self._folder = settings, clock, folder
        self._open = AsyncExitStack()

    @cached_property
    def documents(self) -> SqliteDocuments:
        """State, in SQLite."""
        from shared.backends.local.documents import SqliteDocuments

        made = SqliteDocuments(self._folder / DOCUMENTS)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def warehouse(self) -> DuckWarehouse:
        """History, in DuckDB and Parquet."""
        from shared.backends.local.warehouse import DuckWarehouse

        made = DuckWarehouse(self._folder, self._clock)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def bus(self) -> LocalBus:
        """The in-process bus, its every message kept in history."""
        from shared.backends.local.bus import LocalBus

        made, warehouse = LocalBus(self._clock), self.warehouse

        async def keep(message: Message) -> None:
            await warehouse.append([message])

        for topic in BY_TOPIC:
            made.subscribe(topic, "history", keep)
        self._open.push_async_callback(made.close)
        return made

    @property
    def heard(self) -> LocalBus:
        """In one process everything is heard."""
        return self.bus

    @property
    def pull(self) -> None:
        """It just comes."""
        return None

    @cached_property
    def intake(self) -> Intake:
        """Messages in; poison leaves its quarantine record."""
        return Intake(self.bus, self._clock, NoGraves())

    @cached_property
    def raw(self) -> FileBlobs:
        """Raw payloads, as files."""
        from shared.backends.local.blobs import FileBlobs

        return FileBlobs(self._folder)

    @cached_property
    def secrets(self) -> SettingsSecrets:
        """Keys, from the settings."""
        from shared.backends.local.secrets import SettingsSecrets

        return SettingsSecrets(self._settings)

    async def settle(self) -> None:
        """Return when everything published is handled and kept."""
        await self.bus.drain()
        await self.warehouse.flush()

    async def close(self) -> None:
        """Close what was opened, last first."""
        await self._open.aclose()


class CloudPlatform:
    """Google's services, of the project that the settings name."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._project = settings.google_cloud_project
        self._open = AsyncExitStack()

    @cached_property
    def documents(self) -> FirestoreDocuments:
        """State, in Firestore."""
        from shared.backends.gcp.documents import FirestoreDocuments

        made = FirestoreDocuments(self._project, self._settings.firestore_database)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def bus(self) -> PubSubBus:
        """The topics of Pub/Sub; their subscriptions keep history."""
        from shared.backends.gcp.bus import PubSubBus

        made = PubSubBus(self._project, self._clock)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def heard(self) -> HeardBus:
        """The topics of Pub/Sub; what the execution service is to hear of others is pulled."""
        from shared.backends.gcp.heard import HeardBus

        made = HeardBus(self.bus, {(topic, "execution") for topic in EXECUTION_TOPICS})
        self._open.push_async_callback(made.close)
        return made

    @property
    def pull(self) -> Callable[[], Awaitable[None]]:
        """The streaming pulls."""
        return self.bus.run

    @property
    def intake(self) -> Intake:
        """Messages in; poison goes to the dead letters."""
        return self.bus.intake

    @cached_property
    def warehouse(self) -> BigQueryWarehouse:
        """History, in BigQuery, to read."""
        from shared.backends.gcp.warehouse import BigQueryWarehouse

        made = BigQueryWarehouse(self._project, self._settings.bigquery_dataset)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def raw(self) -> BucketBlobs | None:
        """Raw payloads, in the bucket that ``RAW_BUCKET`` names."""
        if not self._settings.raw_bucket:
            return None
        from shared.backends.gcp.blobs import BucketBlobs

        made = BucketBlobs(self._project, self._settings.raw_bucket)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def secrets(self) -> ManagedSecrets:
        """Keys, from Secret Manager, in the pinned versions."""
        from shared.backends.gcp.secrets import ManagedSecrets, pinned_versions

        made = ManagedSecrets(self._project, pinned_versions(self._settings.secret_versions))
        self._open.push_async_callback(made.close)
        return made

    async def settle(self) -> None:
        """Publishing has waited for its acknowledgement already."""

    async def close(self) -> None:
        """Close what was opened, last first."""
        await self._open.aclose()


async def with_secrets(settings: Settings, platform: Platform) -> Settings:
    """The settings with every secret that is pinned and not set yet; raises :class:`CredentialsError`."""
    found = {}
    for entry in settings.secret_versions:
        field = entry.partition("=")[0].strip().replace("-", "_")
        if isinstance(value := getattr(settings, field, None), Secret) and not value:
            found[field] = Secret((await platform.secrets.get(field)).decode().strip("\n"))
    return msgspec.structs.replace(settings, **found) if found else settings
