"""What a month on Google Cloud costs: prices of one day, times what was measured, times how it is operated.

Every amount says what it is made of, so that a bill can be held beside it. Money here is an estimate in float
dollars: nothing is traded on it. Prices: list, tier-1 regions of the United States, as collected on
:data:`PRICES_OF`; the odds feed's own fee is not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.errors import MalformedError
from shared.topology import EXECUTION_TOPICS

PRICES_OF = "2026-11-21"
GOAL_USD = 60.0

DAYS = 30
MINUTES = DAYS * 24 * 60
SECONDS = MINUTES * 60
GIB = 2**30
TIB = 2**40


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars. ``free_*`` are what a billing account has free each month (Firestore: each day)."""

    call_vcpu_s: float = 0.000024  # billed while a call is answered
    call_gib_s: float = 0.0000025
    call_million: float = 0.40
    free_call_vcpu_s: float = 180_000
    free_call_gib_s: float = 360_000
    free_calls: float = 2_000_000
    always_vcpu_s: float = 0.000018  # billed for as long as the instance lives
    always_gib_s: float = 0.000002
    free_always_vcpu_s: float = 240_000
    pubsub_tib: float = 40.0
    free_pubsub_bytes: float = 10 * GIB
    least_request_bytes: float = 1_000
    export_tib: float = 50.0  # BigQuery and Cloud Storage subscriptions
    bigquery_gib_month: float = 0.02
    free_bigquery_gib: float = 10.0
    storage_gib_month: float = 0.02
    storage_write_thousand: float = 0.005
    firestore_read_100k: float = 0.06
    firestore_write_100k: float = 0.18
    free_reads_day: float = 50_000
    free_writes_day: float = 20_000
    nat_hour: float = 0.0014
    nat_gib: float = 0.045
    address_hour: float = 0.005
    scheduler_job: float = 0.10
    free_jobs: float = 3
    secret_version: float = 0.06
    registry_gib: float = 0.10


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What was not measured, each on the careful side."""

    slower: float = 1.5  # a shared processor thread in the cloud against the measuring machine
    venue_request_s: float = 0.1  # until a venue has answered, 4 at once
    venue_requests_at_once: float = 4
    burst_s: float = 3.0  # Pub/Sub spreads what is published at once over this time
    other_call_s: float = 1.0  # a turn of a function whose turn was not measured
    executor_nat_gib: float = 10.0  # stream and orders of a month
    image_gib: float = 3.0  # ten versions that share most layers
    executor_reads_minute: float = 20.0
    executor_writes_minute: float = 15.0
    documents_a_call: float = 2.0  # read and written by the lease of a scheduled call
    history_months: float = 1.0  # of history that is stored


@dataclass(frozen=True, slots=True)
class Cycle:
    """Averages of one poll. ``bytes`` are of all messages of a topic together."""

    pace_s: float
    messages: Mapping[str, float]
    bytes: Mapping[str, float]
    cpu_ms: Mapping[str, float] = field(default_factory=dict)
    venue_requests: Mapping[str, float] = field(default_factory=dict)
    document_reads: Mapping[str, float] = field(default_factory=dict)
    document_writes: Mapping[str, float] = field(default_factory=dict)
    objects: float = 0.0
    object_bytes: float = 0.0

    @property
    def a_month(self) -> float:
        """Polls a month."""
        return SECONDS / self.pace_s


@dataclass(frozen=True, slots=True)
class Deployment:
    """What stands: who is pushed to (topic to functions), calls a minute by schedule, jobs, secrets."""

    pushed: Mapping[str, tuple[str, ...]]
    calls_a_minute: Mapping[str, float]
    memory_gib: float
    secrets: int


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill, and what it is made of."""

    name: str
    usd: float
    basis: str


@dataclass(frozen=True, slots=True)
class Bill:
    """A month of one way to operate."""

    mode: str
    items: tuple[Item, ...]

    @property
    def usd(self) -> float:
        """All lines together."""
        return sum(item.usd for item in self.items)


def scaled(cycle: Cycle, factor: float) -> Cycle:
    """The same poll with ``factor`` times the markets; requests to venues and slates stay."""
    if not factor > 0:
        raise MalformedError(f"cost: {factor} times the markets makes no sense")

    def times(counts: Mapping[str, float]) -> dict[str, float]:
        return {name: value * factor for name, value in counts.items()}

    return Cycle(
        pace_s=cycle.pace_s,
        messages=times(cycle.messages),
        bytes=times(cycle.bytes),
        cpu_ms=times(cycle.cpu_ms),
        venue_requests=cycle.venue_requests,
        document_reads=times(cycle.document_reads),
        document_writes=times(cycle.document_writes),
        objects=cycle.objects,
        object_bytes=cycle.object_bytes * factor,
    )


@dataclass(frozen=True, slots=True)
class Model:
    """Bills of one deployment at one set of prices.

    ``framework_ms`` is the processor time of a push before its handler runs.
    """

    deployment: Deployment
    framework_ms: float
    prices: Prices = Prices()
    assumed: Assumptions = Assumptions()

    def functions(self, mode: str, cycle: Cycle) -> Bill:
        """Scheduled and pushed functions, and one executor that is always on."""
        return self._bill(
            mode,
            cycle,
            always=1,
            called=self._called(cycle),
            pushed=self.deployment.pushed,
            pulled=EXECUTION_TOPICS,
        )

    def one_worker(self, mode: str, cycle: Cycle, *, beside: bool = True) -> Bill:
        """Polling, mapping and detection in one process; topics only keep history.

        With ``beside`` it has an instance of its own next to the executor's, else it is the executor's.
        """
        rest = {
            name: calls for name, calls in self.deployment.calls_a_minute.items() if name not in cycle.cpu_ms
        }
        turns = {name: (calls * MINUTES, self.assumed.other_call_s) for name, calls in rest.items()}
        pulled = EXECUTION_TOPICS if beside else ()
        return self._bill(mode, cycle, always=1 + beside, called=turns, pushed={}, pulled=pulled)

    def _bill(
        self,
        mode: str,
        cycle: Cycle,
        always: int,
        called: Mapping[str, tuple[float, float]],
        pushed: Mapping[str, tuple[str, ...]],
        pulled: Sequence[str],
    ) -> Bill:
        return Bill(
            mode,
            (
                self._always_on(always),
                *self._calls(called, self._pushes(cycle, pushed)),
                *self._topics(cycle, [*pulled, *(topic for topic, names in pushed.items() for _ in names)]),
                self._history(cycle),
                self._raw(cycle),
                self._documents(cycle),
                self._network(),
                self._small(),
            ),
        )

    def _called(self, cycle: Cycle) -> dict[str, tuple[float, float]]:
        """Calls a month and billed seconds of each, by function: its schedule, then what it is pushed."""
        found = {
            name: (calls * MINUTES, self._turn_s(name, cycle))
            for name, calls in self.deployment.calls_a_minute.items()
        }
        for name in sorted({one for names in self.deployment.pushed.values() for one in names}):
            found[f"{name}, pushed"] = (cycle.a_month, self._pushed_s(name, cycle))
        return found

    def _turn_s(self, name: str, cycle: Cycle) -> float:
        if name not in cycle.venue_requests:
            return self.assumed.other_call_s
        waits = (
            cycle.venue_requests[name] * self.assumed.venue_request_s / self.assumed.venue_requests_at_once
        )
        return waits + cycle.cpu_ms.get(name, 0.0) / 1_000 * self.assumed.slower

    def _pushed_s(self, name: str, cycle: Cycle) -> float:
        """Time an instance is busy with one poll's messages: its work, and no less than they take to come."""
        count = sum(
            cycle.messages.get(topic, 0) for topic, names in self.deployment.pushed.items() if name in names
        )
        work = (count * self.framework_ms + cycle.cpu_ms.get(name, 0.0)) / 1_000 * self.assumed.slower
        return max(work, self.assumed.burst_s) if count >= 1 else work

    def _pushes(self, cycle: Cycle, pushed: Mapping[str, tuple[str, ...]]) -> float:
        return cycle.a_month * sum(
            cycle.messages.get(topic, 0) * len(names) for topic, names in pushed.items()
        )

    def _always_on(self, count: int) -> Item:
        p = self.prices
        vcpu = max(0.0, count * SECONDS - p.free_always_vcpu_s)
        usd = vcpu * p.always_vcpu_s + count * SECONDS * self.deployment.memory_gib * p.always_gib_s
        what = "executor" if count == 1 else "executor and worker"
        return Item("always on", usd, f"{what}: {count} x 1 vCPU, {self.deployment.memory_gib:g} GiB")

    def _calls(self, called: Mapping[str, tuple[float, float]], pushes: float) -> Iterable[Item]:
        p = self.prices
        busy = sum(calls * seconds for calls, seconds in called.values())
        scheduled = sum(calls for name, (calls, _) in called.items() if not name.endswith(", pushed"))
        vcpu = max(0.0, busy - p.free_call_vcpu_s) * p.call_vcpu_s
        memory = max(0.0, busy * self.deployment.memory_gib - p.free_call_gib_s) * p.call_gib_s
        yield Item("functions: time", vcpu + memory, f"{busy:,.0f} s busy, {p.free_call_vcpu_s:,.0f} free")
        calls = scheduled + pushes
        usd = max(0.0, calls - p.free_calls) / 1e6 * p.call_million
        yield Item("functions: calls", usd, f"{calls / 1e6:,.1f} million, {p.free_calls / 1e6:g} free")

    def _topics(self, cycle: Cycle, subscribed: Sequence[str]) -> Iterable[Item]:
        """``subscribed`` has a topic once for each subscription that delivers it, its history's apart."""
        p = self.prices
        published = sum(cycle.bytes.values()) * cycle.a_month
        delivered = cycle.a_month * sum(self._at_least(cycle, topic) for topic in subscribed)
        usd = max(0.0, published + delivered - p.free_pubsub_bytes) / TIB * p.pubsub_tib
        yield Item(
            "Pub/Sub",
            usd,
            f"{published / GIB:,.0f} GiB published, {delivered / GIB:,.0f} GiB delivered, 10 free",
        )
        yield Item(
            "Pub/Sub to history", published / TIB * p.export_tib, f"{published / GIB:,.0f} GiB written"
        )

    def _at_least(self, cycle: Cycle, topic: str) -> float:
        """Bytes of a topic, each message counted as the least that is billed."""
        return max(
            cycle.bytes.get(topic, 0.0), cycle.messages.get(topic, 0.0) * self.prices.least_request_bytes
        )

    def _history(self, cycle: Cycle) -> Item:
        stored = sum(cycle.bytes.values()) * cycle.a_month * self.assumed.history_months / GIB
        usd = max(0.0, stored - self.prices.free_bigquery_gib) * self.prices.bigquery_gib_month
        return Item("BigQuery storage", usd, f"{stored:,.0f} GiB, 10 free; queries below 1 TiB are free")

    def _raw(self, cycle: Cycle) -> Item:
        gib, objects = cycle.object_bytes * cycle.a_month / GIB, cycle.objects * cycle.a_month
        usd = gib * self.prices.storage_gib_month + objects / 1_000 * self.prices.storage_write_thousand
        return Item("Cloud Storage", usd, f"{gib:,.1f} GiB in {objects:,.0f} objects")

    def _documents(self, cycle: Cycle) -> Item:
        p, day = self.prices, cycle.a_month / DAYS
        leases = sum(self.deployment.calls_a_minute.values()) * self.assumed.documents_a_call
        own_reads = (self.assumed.executor_reads_minute + leases) * MINUTES / DAYS
        own_writes = (self.assumed.executor_writes_minute + leases) * MINUTES / DAYS
        reads = sum(cycle.document_reads.values()) * day + own_reads
        writes = sum(cycle.document_writes.values()) * day + own_writes
        usd = DAYS * (
            max(0.0, reads - p.free_reads_day) / 1e5 * p.firestore_read_100k
            + max(0.0, writes - p.free_writes_day) / 1e5 * p.firestore_write_100k
        )
        return Item(
            "Firestore", usd, f"{reads:,.0f} reads and {writes:,.0f} writes a day, 50,000 and 20,000 free"
        )

    def _network(self) -> Item:
        p, gib = self.prices, self.assumed.executor_nat_gib
        usd = (p.nat_hour + p.address_hour) * 24 * DAYS + gib * p.nat_gib
        return Item("static address", usd, f"NAT for one instance, one address, {gib:g} GiB")

    def _small(self) -> Item:
        p = self.prices
        jobs = len(self.deployment.calls_a_minute)
        usd = max(0.0, jobs - p.free_jobs) * p.scheduler_job
        usd += self.deployment.secrets * p.secret_version + self.assumed.image_gib * p.registry_gib
        return Item(
            "scheduler, secrets, registry", usd, f"{len(self.deployment.calls_a_minute)} jobs, 3 free"
        )


@dataclass(frozen=True, slots=True)
class Saving:
    """A change that is not made, and the bill with it (and with those before it, where it says so)."""

    change: str
    usd: float


def savings(model: Model, cycle: Cycle) -> tuple[Saving, ...]:
    """What would bring one-minute operation down, dearest first; ``cycle`` is that of the bill."""
    quiet, remembered = _changes_alone(cycle), _remembered(cycle)
    in_one = model.one_worker("", remembered, beside=False)
    return (
        Saving("unchanged listings told in one message a series", model.functions("", quiet).usd),
        Saving("and mappings remembered by the odds scraper", model.functions("", _remembered(quiet)).usd),
        Saving("or all in the executor's process, mappings remembered", in_one.usd),
        Saving("both", model.one_worker("", _remembered(quiet), beside=False).usd),
    )


def _changes_alone(cycle: Cycle) -> Cycle:
    """Listings only where quotes moved: as many as there are ticks."""
    listed, moved = cycle.messages.get("kalshi-markets", 0.0), cycle.messages.get("kalshi-ticks", 0.0)
    share = min(1.0, moved / listed) if listed else 1.0
    return replace(
        cycle,
        messages={**cycle.messages, "kalshi-markets": listed * share},
        bytes={**cycle.bytes, "kalshi-markets": cycle.bytes.get("kalshi-markets", 0.0) * share},
    )


def _remembered(cycle: Cycle) -> Cycle:
    """The odds scraper reads its mappings once in an hour instead of at every poll."""
    reads = dict(cycle.document_reads)
    reads["odds_scraper"] = reads.get("odds_scraper", 0.0) * cycle.pace_s / 3600
    return replace(cycle, document_reads=reads)
