"""Venues that say no, and clocks that jump: what a run makes of each."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from shared.analytics import history as answers
from shared.clock import MINUTE, Instant, ScaledClock
from shared.config import Secret
from shared.errors import CredentialsError
from shared.pipeline.kalshi_scrape import KalshiScraper
from shared.pipeline.odds_scrape import OddsScraper
from shared.pipeline.places import MAPPINGS
from shared.runtime.local import Parts
from shared.venues.http import Response
from shared.venues.kalshi.client import KalshiClient
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.retry import Retry
from tests.support.backends import rng
from tests.support.rig import SPEED, history, parts, run_until, simulated, system
from tests.venues.fakes import Call, FakeTransport, answer

NFL = "americanfootball_nfl"


def retry(made: Parts) -> Retry:
    return Retry(made.clock, lambda: 0.5, attempts=1)


def with_exchange(made: Parts, refusal: Response) -> Parts:
    """An exchange that answers everything with ``refusal``."""
    client = KalshiClient(
        FakeTransport([refusal]), made.clock, retry(made), base_url="https://exchange.example/v2"
    )
    made.scraper = KalshiScraper(client, made.bus, made.clock)
    return made


async def with_feed(made: Parts, refusal: Response) -> Parts:
    """A feed that refuses prices for the one game that is mapped, and an exchange that lists nothing."""

    def decide(call: Call) -> Response:
        if call.url.endswith("/sports"):
            return answer([{"key": NFL, "active": True}], x_requests_remaining="100")
        return answer([], x_requests_remaining="100") if call.url.endswith("/events") else refusal

    client = OddsApiClient(
        FakeTransport(decide=decide),
        made.clock,
        retry(made),
        base_url="https://feed.example/v4",
        key=Secret("k" * 32),
    )
    made.odds = OddsScraper(client, made.documents, made.bus, made.clock, rng(0), (NFL,), 100)
    start = Instant(made.clock.now() + 60 * MINUTE)
    value = {
        "sport_key": NFL, "odds_event_id": "e", "starts_at": start, "league": "NFL", "markets": {},
    }  # fmt: skip
    await made.documents.create(f"{MAPPINGS}/E", value)
    return with_exchange(made, answer({"series": [], "milestones": [], "cursor": ""}))


async def ended_with(made: Parts) -> CredentialsError:
    with pytest.raises(CredentialsError) as ended:
        await asyncio.wait_for(system(made).run(), 10)
    return ended.value


@pytest.mark.parametrize(
    ("details", "fix"),
    [
        ("INCORRECT_API_KEY_SIGNATURE", "check that KALSHI_KEY_ID and the private key belong together"),
        ("NOT_FOUND", "check KALSHI_KEY_ID"),
        ("signature_is_missing_from_headers", "set KALSHI_KEY_ID and a private key"),
        ("header_timestamp_expired", "synchronise it with NTP"),
        ("a_code_of_tomorrow", "check the key id, the private key"),
    ],
)
async def test_a_401_of_the_exchange_ends_the_run_with_its_fix(
    tmp_path: Path, details: str, fix: str
) -> None:
    body = {"error": {"code": "authentication_error", "message": "no", "details": details}}
    error = await ended_with(with_exchange(parts(tmp_path), answer(body, 401)))
    assert details in str(error)
    assert fix in str(error)


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("INVALID_KEY", "check ODDS_API_KEY"),
        ("MISSING_KEY", "set ODDS_API_KEY"),
        ("DEACTIVATED_KEY", "renew the plan"),
        ("A_CODE_OF_TOMORROW", "check ODDS_API_KEY and the plan"),
    ],
)
async def test_a_401_of_the_feed_ends_the_run_with_its_fix(tmp_path: Path, code: str, fix: str) -> None:
    refusal = answer({"message": "no", "error_code": code}, 401)
    error = await ended_with(await with_feed(parts(tmp_path), refusal))
    assert error.code == code
    assert fix in str(error)
    assert "k" * 32 not in str(error)


@pytest.mark.parametrize(
    ("status", "code", "alert", "said"),
    [
        (401, "OUT_OF_USAGE_CREDITS", "odds", "credits renew on the first of the month"),
        (429, "EXCEEDED_FREQ_LIMIT", "sports", "429 EXCEEDED_FREQ_LIMIT"),
        (503, "", "sports", "503"),
        (422, "INVALID_MARKET", "sports", "INVALID_MARKET"),
    ],
)
async def test_what_may_pass_by_itself_is_an_alert_and_the_run_goes_on(
    tmp_path: Path, status: int, code: str, alert: str, said: str
) -> None:
    refusal = answer({"message": "no", "error_code": code}, status)
    made = await with_feed(parts(tmp_path), refusal)
    await run_until(system(made), lambda: said in made.stats.alerts.get(alert, ""))


@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"", b"{", b"[1, 2]", b'{"series": 7}'])
async def test_a_page_that_is_no_page_is_an_alert(tmp_path: Path, body: bytes) -> None:
    made = with_exchange(parts(tmp_path), Response(200, {}, body))
    await run_until(system(made), lambda: "listing" in made.stats.alerts)


def jump(clock: ScaledClock, minutes: int) -> None:
    """What an operator or NTP does to a machine's clock."""
    clock._start = Instant(clock._start + minutes * MINUTE)


# So many listings are told in the half hour before the last game begins.
_ENOUGH = 1_700


@pytest.mark.e2e
@pytest.mark.parametrize("minutes", [-60, 7])
async def test_a_clock_that_jumps_stops_no_loop_and_spoils_no_books(tmp_path: Path, minutes: int) -> None:
    for seed in (1, 2, 3):
        folder = tmp_path / str(seed)
        made = await _run_over_a_jump(folder, minutes, seed)
        # Not every small world offers an edge before its games begin.
        if made.executor.account.fees:
            break
    account = made.executor.account
    query = lambda statement, parameters: history(folder, statement, *parameters)  # noqa: E731
    totals = answers.totals(answers.daily(query), answers.unsettled(query))
    assert totals["fees"] == account.fees > 0
    assert totals["open_cost"] == account.open_cost


async def _run_over_a_jump(folder: Path, minutes: int, seed: int) -> Parts:
    """Run until listings go on after the clock has jumped: after the first fill, or without one."""
    async with simulated(seed) as rig:
        ours = ScaledClock(rig.clock.now(), SPEED)
        made = parts(folder, rig.venues, ours)
        stats = made.stats
        jumped_at = 0

        def listed_after_the_jump() -> bool:
            nonlocal jumped_at
            if not jumped_at and (stats.fills or stats.listings > _ENOUGH):
                jump(ours, minutes)
                jumped_at = stats.listings
            return bool(jumped_at) and stats.listings > jumped_at + 200

        await run_until(system(made), listed_after_the_jump)
    return made
