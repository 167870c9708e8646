"""The feed's client against a scripted transport: the key, the credits, the refusals, the parameters."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

import pytest

from shared.clock import ManualClock, parse_instant
from shared.config import Secret
from shared.errors import (
    ArbError,
    CredentialsError,
    QuotaExhaustedError,
    RateLimitedError,
    RefusedError,
    VenueDownError,
)
from shared.venues.http import Response
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.odds_api.credits import Ledger
from shared.venues.odds_api.normalise import PriceFormat
from shared.venues.retry import Retry
from tests.venues.fakes import Answer, Call, FakeTransport, answer
from tests.venues.odds_api.test_normalise import EVENT, NOW

KEY = "0123456789abcdef0123456789abcdef"
PRICED = EVENT | {
    "bookmakers": [{"key": "b", "markets": [{"key": "h2h", "outcomes": [{"name": "Arsenal", "price": 1.5}]}]}]
}


def _client(
    *script: Answer, ledger: Ledger | None = None, transport: FakeTransport | None = None, key: str = KEY
) -> tuple[OddsApiClient, FakeTransport]:
    transport = transport or FakeTransport(list(script))
    clock = ManualClock(NOW)
    retry = Retry(clock, lambda: 0.5, attempts=1)
    client = OddsApiClient(
        transport, clock, retry, base_url="https://feed.example/v4", key=Secret(key), ledger=ledger
    )
    return client, transport


def _refusal(status: int, code: str) -> Response:
    return answer({"message": "Usage quota has been reached", "error_code": code}, status)


async def test_an_answer_carries_events_and_what_it_cost() -> None:
    priced_page = answer([PRICED, {"id": 5}], x_requests_last="1", x_requests_remaining="499")
    client, transport = _client(priced_page, ledger=Ledger(500))
    page = await client.odds("soccer_epl", ["h2h"], regions=["us"])
    assert [(e.odds_event_id, e.credits_used, e.credits_remaining) for e in page.events] == [
        (EVENT["id"], 1, 499)
    ]
    assert len(page.quarantined) == 1
    assert client.ledger is not None
    assert client.ledger.available == 499
    assert transport.calls[0].url == "https://feed.example/v4/sports/soccer_epl/odds"


async def test_lists_have_no_spaces_times_no_fractions_and_bookmakers_win() -> None:
    client, transport = _client(answer([]))
    start = parse_instant("2026-11-22T00:10:00.5Z")
    await client.odds("s", ["h2h", " totals "], regions=["us"], bookmakers=["a", "b"], starts_from=start)
    params = transport.calls[0].params
    assert (params["markets"], params["bookmakers"]) == ("h2h,totals", "a,b")
    assert "regions" not in params
    assert params["commenceTimeFrom"] == "2026-11-22T00:10:00Z"


async def test_one_events_odds_are_one_object() -> None:
    client, _ = _client(answer(PRICED))
    page = await client.event_odds("s", EVENT["id"], ["player_points"], regions=["us"])
    assert [e.odds_event_id for e in page.events] == [EVENT["id"]]


async def test_american_prices_are_asked_for_and_read_as_such() -> None:
    priced = {"key": "h2h", "outcomes": [{"name": "Arsenal", "price": -200}]}
    client, transport = _client(answer([EVENT | {"bookmakers": [{"key": "b", "markets": [priced]}]}]))
    page = await client.odds("s", ["h2h"], regions=["us"], price_format=PriceFormat.AMERICAN)
    assert transport.calls[0].params["oddsFormat"] == "american"
    assert page.events[0].quotes[0].outcomes[0].price == 1.5


async def test_sports_events_and_scores_are_read() -> None:
    sports, _ = _client(answer([{"key": "s", "title": "S", "active": True}]))
    assert [s.key for s in await sports.sports(everything=True)] == ["s"]
    events, _ = _client(answer([EVENT, {"bad": 1}]))
    good, bad = await events.events("s")
    assert ([e.home for e in good], len(bad)) == (["Arsenal"], 1)
    score = {"id": "e", "completed": False, "scores": None, "last_update": None}
    scores, transport = _client(answer([score, score | {"scores": [{"name": "A", "score": "21"}]}]))
    assert [s.scores and s.scores[0].score for s in await scores.scores("s", 2)] == [None, "21"]
    assert transport.calls[0].params["daysFrom"] == "2"


@pytest.mark.parametrize(
    ("response", "kind", "told"),
    [
        (_refusal(401, "INVALID_KEY"), CredentialsError, "ODDS_API_KEY"),
        (_refusal(401, "MISSING_KEY"), CredentialsError, "ODDS_API_KEY"),
        (_refusal(401, "DEACTIVATED_KEY"), CredentialsError, "renew"),
        (_refusal(401, "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN"), CredentialsError, "paid plan"),
        (_refusal(401, "OUT_OF_USAGE_CREDITS"), QuotaExhaustedError, "first of the month"),
        (_refusal(429, "EXCEEDED_FREQ_LIMIT"), RateLimitedError, "429"),
        (Response(429), RateLimitedError, "429"),
        (_refusal(404, "UNKNOWN_SPORT"), RefusedError, "UNKNOWN_SPORT"),
        (_refusal(404, "EVENT_NOT_FOUND"), RefusedError, "EVENT_NOT_FOUND"),
        (_refusal(422, "INVALID_MARKET"), RefusedError, "INVALID_MARKET"),
        (_refusal(422, "INVALID_REGION"), RefusedError, "INVALID_REGION"),
        (Response(500, {}, b"<html>"), VenueDownError, "500"),
        (Response(302), VenueDownError, "302"),
    ],
)
async def test_every_refusal_becomes_the_error_that_says_what_to_do(
    response: Response, kind: type[ArbError], told: str
) -> None:
    client, _ = _client(response)
    with pytest.raises(kind, match=told):
        await client.odds("s", ["h2h"], regions=["us"])


async def test_a_call_that_could_overspend_is_not_made() -> None:
    client, transport = _client(answer([]), ledger=Ledger(5))
    with pytest.raises(QuotaExhaustedError, match="costs up to 6 credits, 5 are left"):
        await client.odds("s", ["h2h", "spreads", "totals"], regions=["us", "eu"])
    assert transport.calls == []


async def test_after_the_feed_said_out_of_credits_only_free_calls_are_made() -> None:
    client, transport = _client(_refusal(401, "OUT_OF_USAGE_CREDITS"), answer([]), ledger=Ledger(100))
    for _ in range(3):
        with pytest.raises(QuotaExhaustedError):
            await client.odds("s", ["h2h"], regions=["us"])
    assert len(transport.calls) == 1
    await client.sports()
    assert len(transport.calls) == 2


async def test_a_failed_call_counts_as_spent_until_the_feed_says_otherwise() -> None:
    client, _ = _client(VenueDownError("x"), answer([], x_requests_remaining="100"), ledger=Ledger(100))
    with pytest.raises(VenueDownError):
        await client.odds("s", ["h2h"], regions=["us"])
    assert client.ledger is not None
    assert client.ledger.available == 99
    await client.sports()
    assert client.ledger.available == 100


async def test_at_most_four_calls_are_under_way() -> None:
    running: list[int] = []

    class Slow(FakeTransport):
        async def request(self, method: str, url: str, **given: Any) -> Response:
            running.append(1)
            highest.append(len(running))
            for _ in range(5):
                await asyncio.sleep(0)
            running.pop()
            return answer([])

    highest: list[int] = []
    client, _ = _client(transport=Slow())
    await asyncio.gather(*(client.events(f"s{n}") for n in range(20)))
    assert max(highest) == 4


@pytest.mark.parametrize("text", ["", "abc", "-5", "9" * 50, "٣"])
async def test_a_senseless_counter_is_no_counter(text: str) -> None:
    client, _ = _client(answer([], x_requests_remaining=text))
    assert (await client.odds("s", ["h2h"], regions=["us"])).credits_remaining is None


async def test_no_key_says_which_setting_is_missing() -> None:
    client, transport = _client(answer([]), key="")
    with pytest.raises(CredentialsError, match="ODDS_API_KEY"):
        await client.sports()
    assert transport.calls == []


async def test_the_key_is_in_the_query_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []

    def decide(call: Call) -> Answer:
        assert call.params["apiKey"] == KEY
        assert KEY not in call.url + str(call.headers)
        return _refusal(422, "INVALID_MARKET")

    client, _ = _client(transport=FakeTransport(decide=decide))
    try:
        await client.odds("s", ["h2h"], regions=["us"])
    except RefusedError as exc:
        shown += [str(exc), repr(exc), "".join(traceback.format_exception(exc))]
    own = {name: value for name, value in vars(client).items() if name != "_transport"}
    shown += [repr(client), str(client), repr(own)]
    assert len(shown) == 6
    assert KEY not in "".join(shown) + caplog.text
