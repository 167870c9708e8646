"""The account's token buckets, set to what the exchange says it grants."""

from __future__ import annotations

from shared.clock import Clock
from shared.venues.kalshi import wire
from shared.venues.rate import TokenBucket


class Buckets:
    """Token buckets of one account, and of this address for unsigned calls.

    They start at the smallest tier (read 200 tokens a second, write 100; burst measured at three seconds for
    reads) until :meth:`configure` has the account's own figures. Unsigned calls: about 20 a second with a
    burst of 60 were measured. The balance endpoint allows one call a second, without a burst.
    """

    def __init__(self, clock: Clock) -> None:
        self.public = TokenBucket(clock, per_second=200, capacity=600)
        self.read = TokenBucket(clock, per_second=200, capacity=200)
        self.write = TokenBucket(clock, per_second=100, capacity=100)
        self.balance = TokenBucket(clock, per_second=10, capacity=10)

    def configure(self, limits: wire.AccountLimits) -> None:
        """Take over what the exchange grants this account."""
        for bucket, granted in ((self.read, limits.read), (self.write, limits.write)):
            bucket.configure(per_second=granted.refill_rate, capacity=granted.bucket_capacity)
