"""The account's token buckets, set to what the exchange says it grants."""

from __future__ import annotations

from shared.clock import Clock
from shared.venues.kalshi import wire
from shared.venues.rate import TokenBucket


class Buckets:
    """Token buckets of one account, and of this address for unsigned calls.

    They start at the smallest tier (read 200 tokens a second, write 100; burst measured at three seconds for
    reads) until :meth:`configure` has the account's own figures. Unsigned calls: about 20 a second with a
    burst of 60 were measured. The balance endpoint allows one call a second, without a burst. A write that
    names a shard other than 0 is billed to that shard's own bucket; each has the account's full budget.
    """

    def __init__(self, clock: Clock) -> None:
        self.public = TokenBucket(clock, per_second=200, capacity=600)
        self.read = TokenBucket(clock, per_second=200, capacity=200)
        self.write = TokenBucket(clock, per_second=100, capacity=100)
        self.balance = TokenBucket(clock, per_second=10, capacity=10)
        self._clock = clock
        self._granted = {"per_second": 100, "capacity": 100}
        self._shards: dict[int, TokenBucket] = {}

    def writes(self, exchange_index: int) -> TokenBucket:
        """The bucket of writes to one shard; batches are billed to :attr:`write` whatever they hold."""
        if exchange_index == 0:
            return self.write
        if exchange_index not in self._shards:
            self._shards[exchange_index] = TokenBucket(self._clock, **self._granted)
        return self._shards[exchange_index]

    def configure(self, limits: wire.AccountLimits) -> None:
        """Take over what the exchange grants this account."""
        self.read.configure(per_second=limits.read.refill_rate, capacity=limits.read.bucket_capacity)
        self._granted = {"per_second": limits.write.refill_rate, "capacity": limits.write.bucket_capacity}
        for bucket in (self.write, *self._shards.values()):
            bucket.configure(**self._granted)
