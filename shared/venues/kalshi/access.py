"""What our keys may do: scopes, and until when the account's location is attested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.clock import SECOND, Instant
from shared.venues.kalshi import wire
from shared.venues.kalshi.client import KalshiClient

READS = frozenset({"read"})
TRADES = frozenset({"write", "write::trade"})


class _Key(wire.Wire, frozen=True, kw_only=True):
    api_key_id: str
    scopes: list[str] | None = None
    subaccount: int | None = None


class _Keys(wire.Wire, frozen=True, kw_only=True):
    api_keys: list[_Key] | None = None
    api_key_region_expiration_ts: int | None = None


@dataclass(frozen=True, slots=True)
class KeyAccess:
    """One key. ``subaccount`` is the only one it may touch, ``None`` for all."""

    scopes: frozenset[str]
    subaccount: int | None = None

    @property
    def may_read(self) -> bool:
        """Whether it may read orders, fills and positions."""
        return bool(self.scopes & READS)

    @property
    def may_trade(self) -> bool:
        """Whether it may place and cancel orders."""
        return bool(self.scopes & TRADES)


@dataclass(frozen=True, slots=True)
class Access:
    """Keys of the account by id. Past ``region_expires`` none may trade sports; ``None``: never attested."""

    keys: Mapping[str, KeyAccess]
    region_expires: Instant | None


async def read_access(client: KalshiClient) -> Access:
    """What the account's keys may do, as the exchange says; the key must be allowed to read."""
    answer = await client.get(_Keys, "/api_keys", signed=True)
    expires = answer.api_key_region_expiration_ts
    return Access(
        {
            row.api_key_id: KeyAccess(frozenset(row.scopes or ()), row.subaccount)
            for row in answer.api_keys or ()
        },
        None if expires is None else Instant(expires * SECOND),
    )
