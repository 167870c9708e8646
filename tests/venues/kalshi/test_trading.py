"""Order writes against the simulated exchange: every quirk of its second order interface."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from shared.clock import SECOND, Instant
from shared.errors import (
    ArbError,
    ConfigError,
    CredentialsError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    RetryLaterError,
    VenueDownError,
)
from shared.money import Quantity
from shared.simulator.limits import Limits
from shared.simulator.web import Request
from shared.terms import OrderStatus, Side
from shared.venues.http import Response
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.order_answers import Placed
from shared.venues.kalshi.order_wire import OrderRef, SelfTrade, TimeInForce
from shared.venues.kalshi.trading import NEVER, KalshiTrading
from shared.venues.retry import Retry
from tests.simulator.bench import Bench, quoted
from tests.venues.fakes import Answer, FakeTransport, answer
from tests.venues.kalshi.desk import BASE, TradingDesk, cents, contracts

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
LOST = OrderRef("2597b999-f887-4195-8bac-c3f97a1f2021", "KXA-1", 0)


@pytest.fixture
def desk() -> TradingDesk:
    return TradingDesk()


def _scripted(desk: TradingDesk, *script: Answer) -> tuple[KalshiTrading, FakeTransport]:
    """Trading whose exchange answers from a script; signed with the desk's key."""
    transport = FakeTransport(list(script))
    retry = Retry(desk.clock, lambda: 0.5, attempts=1)
    client = KalshiClient(transport, desk.clock, retry, base_url=BASE, signer=desk.client._signer)
    return KalshiTrading(client, desk.clock), transport


async def _refusal(sending: Awaitable[object]) -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        await sending
    return raised.value


# --- create -----------------------------------------------------------------------------------------------


async def test_a_resting_order_is_told_from_its_counts(desk: TradingDesk) -> None:
    placed = await desk.trading.create(desk.ticket(desk.bench.empty(), count=3))
    assert (placed.status, placed.filled, placed.remaining) == (OrderStatus.RESTING, 0, 300)
    assert placed.average_price is None


async def test_an_immediate_order_is_accepted_and_may_fill_nothing(desk: TradingDesk) -> None:
    placed = await desk.trading.create(desk.ticket(desk.bench.empty(), price=99, time_in_force=IOC))
    assert (placed.status, placed.filled, placed.remaining) == (OrderStatus.CANCELED, 0, 0)


async def test_a_no_bought_at_45_fills_against_a_yes_bid_at_55(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    desk.other(market, "bid", "0.5500", "2.00")
    placed = await desk.trading.create(desk.ticket(market, Side.NO, 45, 2, time_in_force=IOC))
    assert (placed.status, placed.average_price) == (OrderStatus.FILLED, 450_000)
    assert desk.bench.account.position(market.ticker).lots == -200
    [fill] = (await desk.portfolio.fills(ticker=market.ticker)).rows
    assert (fill.side, fill.price, fill.quantity) == (Side.NO, 450_000, 200)


async def test_a_fill_or_kill_that_cannot_fill_is_refused_and_its_id_is_spent(desk: TradingDesk) -> None:
    ticket = desk.ticket(desk.bench.empty(), price=99, time_in_force=FOK)
    first = await _refusal(desk.trading.create(ticket))
    again = await _refusal(desk.trading.create(ticket))
    assert (first.code, again.code) == ("fill_or_kill_insufficient_resting_volume", "order_already_exists")


async def test_a_spent_id_stays_spent_also_after_a_cancel(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    ticket = desk.ticket(market)
    placed = await desk.trading.create(ticket)
    await desk.trading.cancel(OrderRef(placed.order_id, market.ticker, market.contract.shard))
    assert (await _refusal(desk.trading.create(ticket))).code == "order_already_exists"


async def test_crossing_an_own_order_cancels_the_incoming_one(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    await desk.rest(market, Side.NO, 40)
    placed = await desk.trading.create(desk.ticket(market, Side.YES, 70, self_trade=SelfTrade.TAKER))
    assert (placed.status, placed.filled) == (OrderStatus.CANCELED, 0)
    assert len(desk.bench.account.resting()) == 1


async def test_crossing_an_own_order_may_cancel_the_resting_one_instead(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    old = await desk.rest(market, Side.NO, 40)
    placed = await desk.trading.create(desk.ticket(market, Side.YES, 70, self_trade=SelfTrade.MAKER))
    assert placed.status is OrderStatus.RESTING
    assert await desk.trading.cancel(old) is None


async def test_a_post_only_order_that_would_cross_is_refused(desk: TradingDesk) -> None:
    refused = await _refusal(desk.trading.create(desk.ticket(desk.bench.market(), price=99, post_only=True)))
    assert refused.code == "invalid_order"
    assert "post only cross" in str(refused)


async def test_a_post_only_order_that_is_accepted_and_canceled_is_canceled(desk: TradingDesk) -> None:
    ticket = desk.ticket(desk.bench.empty(), post_only=True)
    body = {"order_id": LOST.order_id, "client_order_id": ticket.client_order_id,
            "fill_count": "0.00", "remaining_count": "0.00"}  # fmt: skip
    trading, _ = _scripted(desk, answer(body, 201))
    assert (await trading.create(ticket)).status is OrderStatus.CANCELED


async def test_an_order_expires_by_itself(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    soon = Instant(desk.clock.now() + 30 * SECOND)
    await desk.trading.create(desk.ticket(market, expires_at=soon))
    desk.bench.wait(40)
    [order] = (await desk.portfolio.orders(ticker=market.ticker)).rows
    assert (order.status, order.expires_at) == (OrderStatus.CANCELED, soon)


async def test_reducing_never_opens_the_other_side(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    desk.other(market, "bid", "0.5000", "10.00")
    await desk.trading.create(desk.ticket(market, Side.NO, 50, 2, time_in_force=IOC))
    desk.other(market, "ask", "0.6000", "10.00")
    closing = desk.ticket(market, Side.YES, 60, 5, time_in_force=IOC, reduce_only=True)
    assert (await desk.trading.create(closing)).filled == contracts(2)
    assert desk.bench.account.position(market.ticker).lots == 0


async def test_cash_of_one_shard_backs_no_order_on_another(desk: TradingDesk) -> None:
    market = desk.bench.empty("MLB")
    assert market.contract.shard == 3
    desk.bench.account.cash[3] = 0
    assert (await _refusal(desk.trading.create(desk.ticket(market)))).code == "insufficient_balance"
    assert (await desk.trading.create(desk.ticket(desk.bench.empty("NFL")))).remaining == contracts(1)


async def test_the_wrong_shard_does_not_know_the_market(desk: TradingDesk) -> None:
    ticket = desk.ticket(desk.bench.empty("MLB"), exchange_index=0)
    assert (await _refusal(desk.trading.create(ticket))).code == "market_not_found"


# --- outcomes ---------------------------------------------------------------------------------------------

_NOTHING_DONE: list[tuple[int, Any, type[ArbError], str]] = [
    (400, {"error": {"code": "insufficient_balance"}}, RefusedError, "insufficient_balance"),
    (400, {"error": {"code": "MARKET_INACTIVE"}}, RefusedError, "MARKET_INACTIVE"),
    (400, {"code": "bad_request", "details": "json: ..."}, RefusedError, "bad_request"),
    (404, {"error": {"code": "user_not_found"}}, RefusedError, "user_not_found"),
    (410, {"error": {"code": "deprecated_v1_order_endpoint"}}, RefusedError, "deprecated_v1_order_endpoint"),
    (409, {"error": {"code": "trading_is_paused"}}, VenueDownError, "trading_is_paused"),
    (409, {"error": {"code": "exchange_is_paused"}}, VenueDownError, "exchange_is_paused"),
    (401, {"error": {"code": "header_timestamp_expired"}}, CredentialsError, "header_timestamp_expired"),
    (403, {"error": {"code": "permission_denied"}}, CredentialsError, "permission_denied"),
    # A refusal was reported inside a 2xx.
    (200, {"error": {"code": "deprecated_v1_order_endpoint"}}, RefusedError, "deprecated_v1_order_endpoint"),
]
_UNKNOWN = [
    Response(500, {}, b""),
    Response(503, {}, b'{"error":{"code":"service_unavailable"}}'),
    Response(502, {}, b"<html>bad gateway</html>"),
    Response(403, {}, b"<html>blocked</html>"),
    Response(404, {}, b"<html>no such page</html>"),
    Response(409, {}, b'{"error":{"code":"order_al'),
    Response(302, {}, b""),
    answer({"error": {"code": "a_code_nobody_has_seen"}}, 409),
    answer({"error": {"code": ""}}, 400),
    answer({"msg": "Parameter validation failed"}, 400),
    answer({}, 201),
    answer({"msg": "accepted"}, 200),
    answer({"error": {"code": "a_code_nobody_has_seen"}}, 200),
    answer(None, 201),
    answer([], 201),
    Response(201, {}, b'{"order_id":"2597b999-f887-4195'),
    Response(201, {}, b"[" * 5000),
    answer({"order_id": LOST.order_id, "client_order_id": "another"}, 201),
    answer({"order_id": LOST.order_id, "fill_count": "2.00", "remaining_count": "0.00"}, 201),
    OutcomeUnknownError("no answer"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), _NOTHING_DONE)
async def test_a_known_refusal_says_that_nothing_was_done(
    desk: TradingDesk, status: int, body: Any, kind: type[ArbError], code: str
) -> None:
    trading, _ = _scripted(desk, answer(body, status))
    with pytest.raises(kind) as raised:
        await trading.create(desk.ticket(desk.bench.empty()))
    assert isinstance(raised.value, RefusedError | VenueDownError | CredentialsError)
    assert raised.value.code == code


@pytest.mark.parametrize("reply", _UNKNOWN)
async def test_any_other_answer_to_a_create_leaves_the_outcome_unknown(
    desk: TradingDesk, reply: Answer
) -> None:
    trading, transport = _scripted(desk, reply)
    with pytest.raises(OutcomeUnknownError):
        await trading.create(desk.ticket(desk.bench.empty()))
    assert len(transport.calls) == 1


async def test_an_order_that_was_throttled_was_not_executed(desk: TradingDesk) -> None:
    desk.bench.faults.throttle_share = 1.0
    with pytest.raises(RateLimitedError):
        await desk.trading.create(desk.ticket(desk.bench.empty()))
    assert desk.bench.account.orders == {}


async def test_a_paused_shard_takes_no_order_and_drops_those_that_asked_for_it(desk: TradingDesk) -> None:
    market = desk.bench.empty("MLB")
    await desk.trading.create(desk.ticket(market))
    kept = await desk.trading.create(desk.ticket(market, cancel_on_pause=False))
    desk.bench.world.orders.pause(3)
    with pytest.raises(VenueDownError) as raised:
        await desk.trading.create(desk.ticket(market))
    assert raised.value.code == "exchange_is_paused"
    assert [order.id for order in desk.bench.account.resting()] == [kept.order_id]


async def test_a_shard_trades_only_if_the_exchange_says_so(desk: TradingDesk) -> None:
    assert await desk.trading.is_trading(3)
    desk.bench.world.orders.pause(3)
    assert not await desk.trading.is_trading(3)
    assert await desk.trading.is_trading(0)
    assert not await desk.trading.is_trading(17)


# --- tokens -----------------------------------------------------------------------------------------------


async def test_each_shard_has_its_own_tokens(desk: TradingDesk) -> None:
    football, baseball = desk.bench.empty("NFL"), desk.bench.empty("MLB")
    for _ in range(10):
        await desk.trading.create(desk.ticket(football))
    with pytest.raises(RateLimitedError, match="not sent"):
        await desk.trading.create(desk.ticket(football))
    sent = len(desk.transport.sent)
    await desk.trading.create(desk.ticket(baseball))
    assert len(desk.transport.sent) == sent + 1


async def test_our_count_of_tokens_is_the_exchanges() -> None:
    desk = TradingDesk(quoted(limits=Limits()))
    football, baseball = desk.bench.empty("NFL"), desk.bench.empty("MLB")
    for market in (football, baseball):
        refs = [await desk.rest(market) for _ in range(8)]
        for ref in refs:
            await desk.trading.cancel(ref)  # two tokens each: all of it fits into one second's hundred
    with pytest.raises(RateLimitedError, match="not sent"):
        await desk.trading.create(desk.ticket(football))
    desk.bench.wait(0.1)
    await desk.trading.create(desk.ticket(football))


async def test_a_batch_is_billed_to_the_common_bucket_and_must_fit_into_it(desk: TradingDesk) -> None:
    market = desk.bench.empty("MLB")
    await desk.trading.create_batch([desk.ticket(market) for _ in range(10)])
    assert not desk.buckets.write.try_take(1)
    assert desk.buckets.writes(3).try_take(100)
    with pytest.raises(ConfigError, match="more than the bucket holds"):
        await desk.trading.create_batch([desk.ticket(market) for _ in range(11)])


async def test_a_cancel_waits_for_its_tokens(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    ref = await desk.rest(market)
    desk.buckets.write.try_take(90)
    before = desk.clock.now()
    assert await desk.trading.cancel(ref) == contracts(1)
    assert desk.clock.now() > before


async def test_limits_of_the_account_reach_the_bucket_of_every_shard(desk: TradingDesk) -> None:
    desk.bench.api.limits = Limits(enforced=False)
    early = desk.buckets.writes(3)
    desk.buckets.configure(await _limits(desk, 300))
    assert early.try_take(100)
    for bucket in (early, desk.buckets.writes(2)):
        desk.bench.wait(10)
        assert bucket.try_take(300)


async def _limits(desk: TradingDesk, write: int) -> Any:
    limits = await desk.client.account_limits()
    return type(limits)(read=limits.read, write=type(limits.write)(refill_rate=write, bucket_capacity=write))


# --- cancel, decrease, amend ------------------------------------------------------------------------------


async def test_a_cancel_tells_how_much_was_resting(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    ref = await desk.rest(market, Side.NO, 40, 5)
    desk.other(market, "bid", "0.6000", "2.00")
    assert await desk.trading.cancel(ref) == contracts(3)


async def test_a_404_to_a_cancel_means_only_not_resting_here(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    filled = await desk.rest(market, Side.NO, 40, 2)
    desk.other(market, "bid", "0.6000", "2.00")
    assert await desk.trading.cancel(filled) is None
    assert await desk.trading.cancel(LOST) is None
    assert (await desk.portfolio.order(filled)).status is OrderStatus.FILLED


async def test_a_cancel_on_the_wrong_shard_does_not_find_a_resting_order(desk: TradingDesk) -> None:
    ref = await desk.rest(desk.bench.empty("MLB"))
    assert await desk.trading.cancel(OrderRef(ref.order_id, ref.ticker, 0)) is None
    assert await desk.trading.cancel(ref) == contracts(1)


@pytest.mark.parametrize(
    "reply",
    [
        answer({"order_id": "00000000-0000-0000-0000-000000000000", "reduced_by": "1.00"}),
        answer({"reduced_by": "1.00"}),
        answer({"order_id": LOST.order_id}),
        answer({"order_id": LOST.order_id, "reduced_by": 1}),
        answer({"error": {"code": "novel"}}, 404),
        Response(404, {}, b""),
        Response(200, {}, b""),
    ],
)
async def test_a_cancel_answered_about_another_order_or_unreadably_is_unknown(
    desk: TradingDesk, reply: Answer
) -> None:
    trading, _ = _scripted(desk, reply)
    with pytest.raises(OutcomeUnknownError):
        await trading.cancel(LOST)


async def test_a_decrease_keeps_what_rests(desk: TradingDesk) -> None:
    ref = await desk.rest(desk.bench.empty(), count=5)
    assert await desk.trading.decrease(ref, by=contracts(2)) == contracts(3)
    assert await desk.trading.decrease(ref, to=contracts(1)) == contracts(1)
    assert await desk.trading.cancel(ref) == contracts(1)


async def test_a_decrease_of_what_does_not_rest_is_refused(desk: TradingDesk) -> None:
    assert (await _refusal(desk.trading.decrease(LOST, by=contracts(1)))).code == "not_found"


async def test_an_amend_counts_what_has_filled_and_what_shall_rest(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    ref = await desk.rest(market, Side.NO, 40, 5)
    desk.other(market, "bid", "0.6000", "2.00")
    amended = await desk.trading.amend(ref, Side.NO, cents(35), contracts(6), new_client_order_id="0a")
    assert (amended.filled, amended.remaining, amended.client_order_id) == (contracts(2), contracts(4), "0a")
    seen = await desk.portfolio.order(ref)
    assert (seen.side, seen.price, seen.initial) == (Side.NO, cents(35), contracts(6))
    assert (seen.client_order_id, seen.status) == ("0a", OrderStatus.PARTIAL)


async def test_an_amend_can_set_move_and_take_away_the_expiry(desk: TradingDesk) -> None:
    ref = await desk.rest(desk.bench.empty(), Side.YES, 20, 5)
    soon = Instant(desk.clock.now() + 30 * SECOND)
    one = cents(20), contracts(5)
    await desk.trading.amend(ref, Side.YES, *one, expires_at=soon)
    assert (await desk.portfolio.order(ref)).expires_at == soon
    await desk.trading.amend(ref, Side.YES, *one)
    assert (await desk.portfolio.order(ref)).expires_at == soon
    await desk.trading.amend(ref, Side.YES, *one, expires_at=NEVER)
    desk.bench.wait(60)
    assert await desk.trading.cancel(ref) == contracts(5)


@pytest.mark.parametrize("what", ["amend", "decrease"])
@pytest.mark.parametrize(
    "body",
    [
        {"order_id": "00000000-0000-0000-0000-000000000000", "remaining_count": "1.00"},
        {"order_id": LOST.order_id, "remaining_count": "x"},
        [],
    ],
)
async def test_an_amend_or_decrease_answered_about_another_order_is_unknown(
    desk: TradingDesk, what: str, body: Any
) -> None:
    trading, _ = _scripted(desk, answer(body))
    sending: dict[str, Callable[[], Awaitable[object]]] = {
        "amend": lambda: trading.amend(LOST, Side.YES, cents(20), contracts(1)),
        "decrease": lambda: trading.decrease(LOST, by=contracts(1)),
    }
    with pytest.raises(OutcomeUnknownError):
        await sending[what]()


# --- many at once -----------------------------------------------------------------------------------------


async def test_each_order_of_a_batch_succeeds_or_fails_by_itself(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    good, bad, crossing = desk.ticket(market), desk.ticket(market), desk.ticket(market, price=2)
    spent = desk.ticket(market, client_order_id=good.client_order_id)
    await desk.trading.create(good)
    results = await desk.trading.create_batch([spent, bad, crossing])
    assert [type(result) for result in results] == [RefusedError, Placed, Placed]
    assert isinstance(results[1], Placed)
    assert results[1].client_order_id == bad.client_order_id


async def test_answers_of_a_batch_in_another_order_find_their_orders(desk: TradingDesk) -> None:
    tickets = [desk.ticket(desk.bench.empty()) for _ in range(2)]
    rows = [
        {"order_id": f"{number}" * 20, "client_order_id": ticket.client_order_id,
         "fill_count": "0.00", "remaining_count": "1.00"}
        for number, ticket in enumerate(tickets)
    ]  # fmt: skip
    trading, _ = _scripted(desk, answer({"orders": rows[::-1]}, 201))
    results = await trading.create_batch(tickets)
    assert [result.order_id[0] for result in results if isinstance(result, Placed)] == ["0", "1"]


async def test_an_order_a_batch_does_not_speak_of_is_unknown(desk: TradingDesk) -> None:
    tickets = [desk.ticket(desk.bench.empty()) for _ in range(2)]
    row = {"error": {"code": "insufficient_balance"}}
    trading, _ = _scripted(desk, answer({"orders": [row]}, 201))
    assert [type(result) for result in await trading.create_batch(tickets)] == [OutcomeUnknownError] * 2


async def test_an_error_of_a_batch_nobody_knows_is_unknown(desk: TradingDesk) -> None:
    rows = [{"error": {"code": "novel"}}, {"error": {"code": "trading_is_paused"}}]
    trading, _ = _scripted(desk, answer({"orders": rows}, 201))
    results = await trading.create_batch([desk.ticket(desk.bench.empty()) for _ in range(2)])
    assert [type(result) for result in results] == [OutcomeUnknownError, VenueDownError]


async def test_a_batch_cancel_tells_each_orders_fate(desk: TradingDesk) -> None:
    football, baseball = desk.bench.empty("NFL"), desk.bench.empty("MLB")
    refs = [await desk.rest(football, count=2), LOST, await desk.rest(baseball, count=3)]
    assert await desk.trading.cancel_batch(refs) == [contracts(2), None, contracts(3)]


async def test_cancel_all_reaches_every_shard(desk: TradingDesk) -> None:
    await desk.rest(desk.bench.empty("NFL"))
    await desk.rest(desk.bench.empty("MLB"))
    await desk.trading.cancel_all()
    assert desk.bench.account.resting() == []


@pytest.mark.parametrize("lost", [False, True])
async def test_nothing_is_placed_for_a_minute_after_a_cancel_all(desk: TradingDesk, lost: bool) -> None:
    desk.bench.faults.lost_reply_share = float(lost)
    try:
        await desk.trading.cancel_all()
    except OutcomeUnknownError:
        assert lost
    desk.bench.faults.lost_reply_share = 0.0
    for seconds in (0, 59):
        desk.bench.wait(seconds)
        with pytest.raises(RetryLaterError, match="not sent"):
            await desk.trading.create(desk.ticket(desk.bench.empty()))
    desk.bench.wait(1)
    assert (await desk.trading.create(desk.ticket(desk.bench.empty()))).remaining


# --- the place is always named ----------------------------------------------------------------------------


async def test_every_write_about_an_order_names_its_market_and_its_shard(desk: TradingDesk) -> None:
    market = desk.bench.empty("MLB")
    ref = await desk.rest(market, count=5)
    await desk.trading.create_batch([desk.ticket(market)])
    await desk.trading.amend(ref, Side.YES, cents(2), contracts(5))
    await desk.trading.decrease(ref, by=contracts(1))
    await desk.trading.cancel_batch([ref])
    await desk.trading.cancel(ref)
    places = [_place(request) for request in desk.transport.sent]
    assert places == [(market.ticker, 3)] * 6


def _place(request: Request) -> tuple[Any, Any]:
    body = json.loads(request.body) if request.body else {}
    said = dict(parse_qsl(request.query)) | (body["orders"][0] if "orders" in body else body)
    return said.get("ticker") or said.get("market_ticker"), int(said["exchange_index"])


async def test_the_simulated_exchange_bills_a_write_that_names_no_shard_on_every_shard() -> None:
    bench = Bench(limits=Limits())
    bench.wait(120)
    market = bench.empty("MLB")
    for _ in range(10):
        assert bench.order(market.ticker, "bid", "0.0100", "1.00")[0] == 201
    assert bench.order(market.ticker, "bid", "0.0100", "1.00", exchange_index=3)[0] == 429


async def test_quantities_of_a_hundredth_are_traded(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    desk.other(market, "bid", "0.5500", "0.03")
    ticket = desk.ticket(market, Side.NO, 45, quantity=Quantity(2), time_in_force=IOC)
    assert (await desk.trading.create(ticket)).filled == 2
