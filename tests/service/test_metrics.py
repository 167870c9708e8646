"""What a system measures, read back from its metrics page."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.books.book import OrderBook
from shared.clock import SECOND, Instant
from shared.lease import DocumentLease
from shared.money import Price, Quantity
from shared.ports import Term
from shared.runtime.local import Parts
from shared.runtime.stats import BUCKETS_NS, Latency
from shared.service.exposition import render
from shared.service.facts import BUDGET_NS
from shared.service.metrics import collect, lease_of
from shared.terms import OrderStatus
from tests.service.conftest import Api
from tests.service.messages import fill, order, quarantined
from tests.service.test_exposition import Read, read

MS = 1_000_000


@pytest.fixture
def parts(api: Api) -> Parts:
    return api.system.parts


def page(parts: Parts, term: Term | None = None) -> dict[str, Read]:
    return read(render(collect(parts, term)))


def value(pages: dict[str, Read], name: str, **labels: str) -> float:
    return pages[name.removesuffix("_count").removesuffix("_bucket")].samples[
        (name, tuple(sorted(labels.items())))
    ]


async def test_messages_are_counted_by_what_they_say(parts: Parts) -> None:
    for message in (
        order(OrderStatus.FILLED),
        order(OrderStatus.REJECTED, reasons=("daily_loss: over", "halt: ann: no")),
        fill(),
        quarantined(7),
    ):
        await parts.stats.hear(message)
    found = page(parts)
    assert value(found, "arb_orders_total", status="filled") == 1
    assert value(found, "arb_refusals_total", control="daily_loss") == 1
    assert value(found, "arb_refusals_total", control="halt") == 1
    assert value(found, "arb_filled_contracts_total") == 10
    assert value(found, "arb_quarantined_total") == 7


async def test_books_are_counted_by_state_and_old_ones_are_stale(parts: Parts) -> None:
    now, keeper = parts.clock.now(), parts.floor.keeper
    quotes = [(Price(400_000), Quantity(100))]
    for ticker, at in (("FRESH", now), ("OLD", now - 3600 * SECOND), ("GAP", now), ("HALTED", now)):
        keeper.books[ticker] = OrderBook(ticker)
        keeper.books[ticker].apply_snapshot(quotes, quotes, Instant(at))
    keeper.books["GAP"].mark_gap()
    keeper.halted.add("HALTED")
    found = page(parts)
    for state in ("live", "stale", "gap", "halted"):
        assert value(found, "arb_books", state=state) == 1


async def test_a_stage_has_a_histogram_quantiles_and_its_ceiling(parts: Parts) -> None:
    for ms in range(1, 101):
        parts.stats.latency("look to durable", ms * MS)
    found = page(parts)
    stage = {"stage": "look to durable"}
    assert value(found, "arb_stage_seconds_count", **stage) == 100
    assert value(found, "arb_stage_seconds_bucket", **stage, le="0.05") == 50
    assert value(found, "arb_stage_quantile_seconds", **stage, quantile="0.5") == pytest.approx(0.051)
    assert value(found, "arb_stage_quantile_seconds", **stage, quantile="0.99") == pytest.approx(0.1)
    assert value(found, "arb_stage_budget_seconds", **stage) == 0.05


def test_every_ceiling_is_a_bucket_so_that_what_broke_it_can_be_counted() -> None:
    assert set(BUDGET_NS.values()) <= set(BUCKETS_NS)


@pytest.mark.parametrize(("ns", "bucket"), [(0, 0), (10_000, 0), (10_001, 1), (10**12, len(BUCKETS_NS))])
def test_a_sample_falls_into_the_bucket_whose_bound_it_does_not_exceed(ns: int, bucket: int) -> None:
    latency = Latency()
    latency.add(ns)
    assert latency.counts.index(1) == bucket


async def test_money_is_in_dollars(parts: Parts) -> None:
    await parts.execution.stored.open(parts.bankroll)
    assert value(page(parts), "arb_account_usd", part="cash") == 10_000


async def test_a_halt_and_a_failing_loop_show(parts: Parts) -> None:
    parts.executor.account.halted = "ann: look"
    parts.stats.alerts["odds"] = "no answer"
    found = page(parts)
    assert value(found, "arb_halted") == 1
    assert value(found, "arb_failing", part="odds") == 1


async def test_a_flood_of_reasons_stays_one_page_and_no_line_goes_down(parts: Parts) -> None:
    before: dict[str, float] = {}
    for turn in (1, 2, 3):
        parts.stats.rejections.update({f"reason {n}": n % 7 + turn for n in range(100 * turn)})
        family = page(parts)["arb_rejections_total"]
        now = {labels[0][1]: count for (_, labels), count in family.samples.items()}
        assert len(now) == 51
        assert all(now[reason] >= count for reason, count in before.items())
        before = now


async def test_the_lease_names_its_holder_and_epoch(parts: Parts, tmp_path: Path) -> None:
    assert await lease_of(parts.documents) is None
    await DocumentLease(parts.documents, parts.clock, "executor-1", life_s=10_000).acquire()
    found = page(parts, await lease_of(parts.documents))
    assert value(found, "arb_lease_held", holder="executor-1") == 1
    assert value(found, "arb_lease_epoch") == 1


async def test_a_lease_that_ran_out_is_held_by_nobody(parts: Parts) -> None:
    found = page(parts, Term("executor-1", 3, Instant(0)))
    assert value(found, "arb_lease_held", holder="executor-1") == 0
