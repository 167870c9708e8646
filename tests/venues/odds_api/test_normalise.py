"""The feed's events into ours: decimal odds, real times, placeholders gone, impossible prices refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.messages import OddsSeen
from shared.venues.odds_api import wire
from shared.venues.odds_api.normalise import PriceFormat, decimal_price, guess_format, odds_event, odds_seen

NOW = Instant(1_789_000_000_000_000)

EVENT: dict[str, Any] = {
    "id": "bda33adca828c09dc3cac3a856aef176",
    "sport_key": "soccer_epl",
    "sport_title": "EPL",
    "commence_time": "2026-11-22T00:10:00Z",
    "home_team": "Arsenal",
    "away_team": "Everton",
}


def _event(markets: list[dict[str, Any]], **changes: Any) -> wire.Event:
    book = {"key": "pinnacle", "last_update": "2026-11-21T06:00:00Z", "markets": markets}
    return wire.decode(wire.Event, json.dumps(EVENT | {"bookmakers": [book]} | changes).encode())


def _market(key: str, *prices: Any, **fields: Any) -> dict[str, Any]:
    names = ("Arsenal", "Everton", "Draw")
    outcomes = [{"name": name, "price": price} for name, price in zip(names, prices, strict=False)]
    return {"key": key, "outcomes": outcomes} | fields


def _seen(*markets: dict[str, Any], price_format: PriceFormat = PriceFormat.DECIMAL) -> OddsSeen:
    return odds_seen(_event(list(markets)), NOW, price_format)


def test_an_event_keeps_its_identity_and_its_third_outcome() -> None:
    seen = _seen(_market("h2h", 1.5, 7.0, 4.2))
    assert (seen.odds_event_id, seen.home, seen.away) == (EVENT["id"], "Arsenal", "Everton")
    assert seen.starts_at == parse_instant(EVENT["commence_time"])
    assert [o.name for o in seen.quotes[0].outcomes] == ["Arsenal", "Everton", "Draw"]


def test_the_markets_own_time_goes_before_the_bookmakers() -> None:
    seen = _seen(_market("h2h", 2.0, last_update="2026-11-21T07:00:00Z"), _market("totals", 2.0))
    assert [q.last_update for q in seen.quotes] == [
        parse_instant("2026-11-21T07:00:00Z"),
        parse_instant("2026-11-21T06:00:00Z"),
    ]
    assert seen.source_at == parse_instant("2026-11-21T07:00:00Z")


def test_lay_prices_stay_their_own_market() -> None:
    seen = _seen(_market("h2h", 2.0, 2.1), _market("h2h_lay", 2.05, 2.15))
    assert [q.market for q in seen.quotes] == ["h2h", "h2h_lay"]


@pytest.mark.parametrize("placeholder", [1.0, 1, 0.0, 0.5, None])
def test_a_placeholder_price_is_dropped_and_an_empty_market_with_it(placeholder: Any) -> None:
    seen = _seen(_market("h2h", placeholder, 1.9), _market("totals", placeholder))
    assert [[o.price for o in q.outcomes] for q in seen.quotes] == [[1.9]]


def test_a_prop_keeps_player_and_line() -> None:
    prop = {
        "key": "player_points",
        "outcomes": [{"name": "Over", "description": "Jayson Tatum", "price": 1.87, "point": 27.5}],
    }
    outcome = _seen(prop).quotes[0].outcomes[0]
    assert (outcome.description, outcome.point) == ("Jayson Tatum", 27.5)


@pytest.mark.parametrize(
    ("american", "decimal"), [(-230, 1 + 100 / 230), (100, 2.0), (-100, 2.0), (190, 2.9)]
)
def test_american_prices_become_decimal(american: int, decimal: float) -> None:
    assert decimal_price(american, PriceFormat.AMERICAN) == pytest.approx(decimal)


@pytest.mark.parametrize(
    ("price", "price_format"),
    [
        (math.nan, PriceFormat.DECIMAL),
        (math.inf, PriceFormat.DECIMAL),
        (-110.0, PriceFormat.DECIMAL),
        (math.nan, PriceFormat.AMERICAN),
        (1.91, PriceFormat.AMERICAN),
        (-99.0, PriceFormat.AMERICAN),
    ],
)
def test_what_no_bookmaker_quotes_is_malformed(price: float, price_format: PriceFormat) -> None:
    with pytest.raises(MalformedError):
        decimal_price(price, price_format)


@given(st.floats(100, 1e6) | st.floats(-1e6, -100))
def test_an_american_price_keeps_its_implied_probability(price: float) -> None:
    decimal = decimal_price(price, PriceFormat.AMERICAN)
    implied = 100 / (price + 100) if price > 0 else -price / (100 - price)
    assert 1 / decimal == pytest.approx(implied)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([1.5, 7.0], PriceFormat.DECIMAL),
        ([1.01, 251], PriceFormat.DECIMAL),
        ([-230, 190], PriceFormat.AMERICAN),
        ([100, 100], PriceFormat.AMERICAN),
        ([], PriceFormat.DECIMAL),
    ],
)
def test_the_format_of_a_recording_is_told_by_its_prices(prices: list[Any], expected: PriceFormat) -> None:
    assert guess_format(_event([_market("h2h", *prices)])) is expected


def test_unix_times_and_missing_times_are_read() -> None:
    assert odds_event(_event([], commence_time=60)).starts_at == 60_000_000
    assert odds_event(_event([], commence_time=None)).starts_at is None


def test_an_outright_has_no_teams() -> None:
    event = odds_event(_event([], home_team=None, away_team=None))
    assert (event.home, event.away) == ("", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "x" * 1000},
        {"id": "a\nb"},
        {"commence_time": "soon"},
        {"home_team": "x" * 10_000_000},
    ],
    ids=["no id", "long id", "line end in id", "no time", "huge name"],
)
def test_an_impossible_event_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        odds_seen(_event([], **changes), NOW)
