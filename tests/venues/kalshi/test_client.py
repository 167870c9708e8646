"""The REST client against a scripted transport: pages, signatures, budgets, repeats and refusals."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from shared.clock import ManualClock, parse_instant
from shared.errors import (
    ArbError,
    ConfigError,
    CredentialsError,
    MalformedError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    VenueDownError,
)
from shared.venues.http import Response
from shared.venues.kalshi import wire
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.sign import Signer
from shared.venues.retry import Retry
from tests.support.corpus import corpus_path
from tests.venues.fakes import Answer, Call, FakeTransport, answer
from tests.venues.kalshi.rows import MARKET, NOW

BASE = "https://exchange.example/trade-api/v2"


def _client(
    *script: Answer,
    signed: bool = False,
    transport: FakeTransport | None = None,
    clock: ManualClock | None = None,
) -> tuple[KalshiClient, FakeTransport]:
    transport = transport or FakeTransport(list(script))
    clock = clock or ManualClock(NOW)
    signer = Signer("the-key-id", ed25519.Ed25519PrivateKey.generate()) if signed else None
    retry = Retry(clock, lambda: 0.5, attempts=1)
    return KalshiClient(transport, clock, retry, base_url=BASE, signer=signer), transport


def _page(cursor: Any, *tickers: str) -> Response:
    body: dict[str, Any] = {"markets": [MARKET | {"ticker": ticker} for ticker in tickers]}
    return answer(body if cursor is ... else body | {"cursor": cursor})


@pytest.mark.parametrize("last", ["", None, ...], ids=["empty", "null", "absent"])
async def test_pages_are_followed_until_the_cursor_ends(last: Any) -> None:
    client, transport = _client(_page("c1", "A-1"), _page("c2", "A-2"), _page(last, "A-3"))
    result = await client.markets(series_ticker="A")
    assert [m.ticker for m in result.rows] == ["A-1", "A-2", "A-3"]
    assert [call.params.get("cursor") for call in transport.calls] == [None, "c1", "c2"]
    assert result.quarantined == []


async def test_a_cursor_that_repeats_stops_the_listing_and_says_so() -> None:
    client, transport = _client(_page("c1", "A-1"), _page("c1", "A-2"))
    result = await client.markets(series_ticker="A")
    assert [m.ticker for m in result.rows] == ["A-1", "A-2"]
    assert "cursor repeats" in result.quarantined[0].reason
    assert len(transport.calls) == 2


async def test_pages_without_end_are_cut_off_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.venues.kalshi.client._MAX_PAGES", 3)
    pages = iter(range(1000))
    transport = FakeTransport(decide=lambda call: _page(f"c{next(pages)}", "A-1"))
    client, _ = _client(transport=transport)
    result = await client.markets(series_ticker="A")
    assert len(transport.calls) == 3
    assert "more than 3 pages" in result.quarantined[0].reason


async def test_a_page_without_rows_is_an_empty_listing() -> None:
    client, _ = _client(answer({"cursor": "", "markets": None}))
    assert (await client.markets(series_ticker="A")).rows == []


async def test_public_reads_are_not_signed_even_with_a_key() -> None:
    client, transport = _client(_page("", "A-1"), signed=True)
    await client.markets(series_ticker="A")
    assert not [name for name in transport.calls[0].headers if name.startswith("KALSHI")]


async def test_account_reads_are_signed_over_the_full_path_and_set_the_budget() -> None:
    limits = {"usage_tier": "advanced", "read": {"refill_rate": 300, "bucket_capacity": 900},
              "write": {"refill_rate": 300, "bucket_capacity": 900}, "grants": []}  # fmt: skip
    clock = ManualClock(NOW)
    client, transport = _client(answer(limits), signed=True, clock=clock)
    with pytest.raises(ConfigError):
        await client.buckets.write.take(900)
    await client.account_limits()
    assert transport.calls[0].headers["KALSHI-ACCESS-KEY"] == "the-key-id"
    wait = asyncio.create_task(client.buckets.write.take(900))
    await asyncio.sleep(0)
    assert not wait.done()
    await clock.advance(3)
    await wait


async def test_an_account_read_without_a_key_says_which_settings_are_missing() -> None:
    client, transport = _client(answer({}))
    with pytest.raises(CredentialsError, match="KALSHI_KEY_ID"):
        await client.account_limits()
    assert transport.calls == []


async def test_combos_are_left_out_unless_asked_for() -> None:
    client, transport = _client(_page("", "A-1"))
    await client.markets(status="open")
    await client.markets(status="open", combos=True)
    assert [call.params.get("mve_filter") for call in transport.calls] == ["exclude", None]


async def test_events_bring_their_markets_with_titles_fees_and_starts() -> None:
    event = {"event_ticker": MARKET["event_ticker"], "series_ticker": "KXNFLGAME", "title": "PHI vs CHI",
             "sub_title": "PHI vs CHI (Sep 28)", "mutually_exclusive": True, "markets": [MARKET]}  # fmt: skip
    client, transport = _client(answer({"events": [event], "cursor": ""}))
    start = parse_instant("2026-09-29T00:15:00Z")
    assert start is not None
    series = wire.Series(ticker="KXNFLGAME", fee_multiplier=0.5)
    result = await client.events(
        "KXNFLGAME", series={"KXNFLGAME": series}, starts={MARKET["event_ticker"]: start}
    )
    market = result.rows[0]
    assert (market.event_title, market.mutually_exclusive, market.starts_at) == ("PHI vs CHI", True, start)
    assert market.fee_multiplier_micro == 500_000
    assert transport.calls[0].params["with_nested_markets"] == "true"


@pytest.mark.parametrize("nested", [True, False])
async def test_one_event_is_read_with_its_markets_inside_or_beside(nested: bool) -> None:
    event: dict[str, Any] = {"event_ticker": MARKET["event_ticker"], "title": "T"}
    body = (
        {"event": event | {"markets": [MARKET]}, "markets": []}
        if nested
        else {"event": event, "markets": [MARKET]}
    )
    client, _ = _client(answer(body))
    assert [m.event_title for m in (await client.event(MARKET["event_ticker"])).rows] == ["T"]


async def test_books_are_asked_for_a_hundred_at_a_time_with_repeated_tickers() -> None:
    def decide(call: Call) -> Answer:
        asked = [value for name, value in call.all_params if name == "tickers"]
        books = [
            {"ticker": t, "orderbook_fp": {"yes_dollars": [["0.10", "1.00"]]}} for t in asked if t != "T-7"
        ]
        return answer({"orderbooks": books})

    client, transport = _client(transport=FakeTransport(decide=decide))
    result = await client.books([f"T-{n}" for n in range(150)])
    assert [len(call.all_params) for call in transport.calls] == [100, 50]
    assert len(result.rows) == 149
    assert "no usable book for T-7" in result.quarantined[0].reason


async def test_a_ticker_cannot_leave_its_place_in_the_path() -> None:
    client, transport = _client(answer({"orderbook_fp": {}}))
    with pytest.raises(ArbError):
        await client.book("../portfolio/orders?x=1 ")
    assert transport.calls[0].url == f"{BASE}/markets/..%2Fportfolio%2Forders%3Fx%3D1%20/orderbook"


async def test_candles_and_trades_ask_in_unix_seconds() -> None:
    client, transport = _client(answer({"candlesticks": [{"end_period_ts": 60}], "trades": [], "cursor": ""}))
    assert len(await client.candles("S", "S-1", NOW, NOW, 60)) == 1
    await client.trades(ticker="S-1", since=NOW)
    assert transport.calls[0].params["start_ts"] == str(NOW // 1_000_000)
    assert transport.calls[1].params["min_ts"] == str(NOW // 1_000_000)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (answer({"error": {"code": "not_found", "message": "not found"}}, 404), RefusedError),
        (answer({"error": {"code": "deprecated_v1_order_endpoint"}}, 410), RefusedError),
        (answer({"error": "too many requests"}, 429), RateLimitedError),
        (Response(502, {}, b"<html>"), VenueDownError),
        (Response(200, {}, b"<html>maintenance</html>"), MalformedError),
        (Response(200, {}, b""), MalformedError),
        (Response(200, {}, b'{"market": [[[' * 10_000), MalformedError),
    ],
)
async def test_a_refusal_becomes_our_error(refusal: Response, kind: type[ArbError]) -> None:
    client, _ = _client(refusal)
    with pytest.raises(kind):
        await client.market("A-1")


async def test_a_read_is_repeated_after_a_429_and_a_write_never_is() -> None:
    clock = ManualClock(NOW)
    transport = FakeTransport([answer({}, 429), answer({"market": MARKET})])
    client = KalshiClient(transport, clock, Retry(clock, lambda: 0.0), base_url=BASE)
    task = asyncio.create_task(client.market(MARKET["ticker"]))
    while not task.done():
        await clock.advance(1)
    assert task.result().ticker == MARKET["ticker"]

    writer, sent = _client(Response(503), signed=True)
    with pytest.raises(OutcomeUnknownError):
        await writer.call("POST", "/portfolio/events/orders", body=b"{}")
    assert len(sent.calls) == 1


async def test_calls_wait_for_the_budget() -> None:
    clock = ManualClock(NOW)
    transport = FakeTransport([answer({"market": MARKET})])
    client = KalshiClient(transport, clock, Retry(clock, lambda: 0.0), base_url=BASE)
    tasks = [asyncio.create_task(client.market("A-1")) for _ in range(70)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(transport.calls) == 60
    await clock.advance(0.5)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(transport.calls) == 70
    await asyncio.gather(*tasks)


async def test_the_status_is_read_even_from_a_503() -> None:
    client, _ = _client(answer({"exchange_active": False, "trading_active": False}, 503))
    assert (await client.status()).exchange_active is False
    down, _ = _client(Response(503, {}, b"<html>"))
    with pytest.raises(VenueDownError):
        await down.status()


async def test_a_client_shows_no_key() -> None:
    client, _ = _client(answer({}), signed=True)
    assert "the-key-id" not in repr(client) + repr(vars(client))


@pytest.mark.corpus
async def test_recorded_answers_of_the_demo_exchange_are_read() -> None:
    recorded = json.loads(
        corpus_path("account", "kalshi_demo_api_recorded_responses_202606.json").read_text()
    )
    status, _ = _client(answer(recorded["exchange__status"]))
    assert (await status.status()).trading_active
    changes, _ = _client(answer(recorded["series__fee_changes"]))
    assert await changes.series_fee_changes() == []
    book, _ = _client(answer(recorded["orderbook__base"]))
    assert [level.price for level in (await book.book("A-1")).no_bids] == [480_000]
    page = recorded["trades__public_recorded"]
    trades, _ = _client(answer(page | {"cursor": ""}))
    assert len((await trades.trades()).rows) == len(page["trades"]) == 12
    over, _ = _client(answer(recorded["markets__limit_over_max"], 400))
    with pytest.raises(RefusedError, match="Limit"):
        await over.markets()
    paged, _ = _client(
        *(answer(recorded[f"markets__{name}"]) for name in ("page1", "single_filter_lastpage"))
    )
    expected = len(recorded["markets__page1"]["markets"]) + 1
    assert len((await paged.markets()).rows) == expected


@pytest.mark.corpus
async def test_recorded_answers_of_january_are_read() -> None:
    path = corpus_path("account", "kalshi_api_golden_responses_202601.json.gz")
    recorded = {k: v["response"] for k, v in json.loads(gzip.decompress(path.read_bytes())).items()}
    schedule, _ = _client(answer(recorded["exchange_schedule_response"]))
    assert (await schedule.schedule()).standard_hours
    series, _ = _client(answer(recorded["series_single_response"]))
    assert (await series.series("CO2")).ticker == "CO2"
    stones, _ = _client(answer(recorded["milestones_list_response"] | {"cursor": ""}))
    result = await stones.milestones()
    assert len(result.rows) == len(recorded["milestones_list_response"]["milestones"])
    assert result.quarantined == []
    book, _ = _client(answer(recorded["orderbook_response"]))
    assert (await book.book("A-1")).yes_bids == ()
    candles, _ = _client(answer(recorded["series_candlesticks_response"]))
    made = await candles.candles("S", "S-1", NOW, NOW, 1440)
    assert len(made) == len(recorded["series_candlesticks_response"]["candlesticks"])
    stamp, _ = _client(answer(recorded["user_data_timestamp_response"]))
    assert await stamp.user_data_as_of() == parse_instant("2026-01-15T14:02:18.848643Z")
