"""Keys, clocks and budgets: who may ask, how the refusals read, and when it is too much."""

from __future__ import annotations

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import SECOND
from shared.simulator.kalshi_http import PREFIX
from shared.simulator.limits import Limits
from shared.simulator.web import Request
from tests.simulator.bench import Bench

_PATH = "/portfolio/positions"


def _ask(bench: Bench, headers: dict[str, str]) -> tuple[int, bytes]:
    answer = bench.api.handle(Request("GET", PREFIX + _PATH, "limit=1", headers))
    return answer.status, answer.body


def test_a_signed_request_is_answered_and_the_query_is_not_signed() -> None:
    bench = Bench()
    assert _ask(bench, bench.sign("GET", _PATH))[0] == 200


@pytest.mark.parametrize(
    ("salt", "accepted"), [(32, True), (padding.PSS.MAX_LENGTH, False)], ids=["salt 32", "longest salt"]
)
def test_rsa_needs_the_salt_of_the_digests_length(salt: int, accepted: bool) -> None:
    bench, key = Bench(), rsa.generate_private_key(65537, 2048)
    bench.api.add_key("rsa-key", key.public_key(), bench.account)
    headers = bench.sign("GET", _PATH)
    message = f"{headers['kalshi-access-timestamp']}GET{PREFIX}{_PATH}".encode()
    signature = key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
    headers |= {
        "kalshi-access-key": "rsa-key",
        "kalshi-access-signature": base64.b64encode(signature).decode(),
    }
    assert (_ask(bench, headers)[0] == 200) is accepted


def test_missing_headers_read_as_recorded() -> None:
    status, body = _ask(Bench(), {})
    assert status == 401
    assert body == (
        b'{"error":{"code":"signature_is_missing_from_headers",'
        b'"message":"signature is missing from headers"}}'
    )


def test_a_wrong_signature_reads_as_recorded() -> None:
    bench = Bench()
    headers = bench.sign("GET", _PATH, Ed25519PrivateKey.generate())
    status, body = _ask(bench, headers)
    assert status == 401
    assert body == (
        b'{"error":{"code":"authentication_error","message":"authentication_error",'
        b'"details":"INCORRECT_API_KEY_SIGNATURE"}}'
    )


def test_an_unknown_key_reads_as_recorded() -> None:
    bench = Bench()
    headers = bench.sign("GET", _PATH) | {"kalshi-access-key": "nobody"}
    assert _ask(bench, headers) == (
        401,
        b'{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}',
    )


@pytest.mark.parametrize(("skew", "status"), [(-10, 200), (10, 200), (-30, 401), (60, 401)])
def test_clocks_may_differ_by_ten_seconds_and_not_by_thirty(skew: int, status: int) -> None:
    bench = Bench()
    answer = _ask(bench, bench.sign("GET", _PATH, skew_s=skew))
    assert answer[0] == status
    assert status == 200 or b"header_timestamp_expired" in answer[1]


def test_hostile_headers_are_refused() -> None:
    bench = Bench()
    good = bench.sign("GET", _PATH)
    for name, value in (
        ("timestamp", "9" * 400),
        ("timestamp", "²"),
        ("signature", "not base64 ¡"),
        ("key", ""),
    ):
        assert _ask(bench, good | {f"kalshi-access-{name}": value})[0] == 401


def test_first_version_order_endpoints_are_gone() -> None:
    answer = Bench().raw("POST", "/portfolio/orders", {}, signed=True)
    assert answer.status == 410
    assert msgspec.json.decode(answer.body)["error"]["code"] == "deprecated_v1_order_endpoint"


def test_strangers_get_sixty_requests_at_once_then_twenty_a_second() -> None:
    bench = Bench(limits=Limits())
    statuses = [bench.raw("GET", "/exchange/status").status for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    bench.wait(1)
    statuses = [bench.raw("GET", "/exchange/status").status for _ in range(21)]
    assert statuses == [200] * 20 + [429]


def test_a_429_has_the_recorded_body_and_no_headers_to_pace_by() -> None:
    bench = Bench(limits=Limits())
    answers = [bench.raw("GET", "/portfolio/balance", signed=True) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert answers[1].body == b'{"error":{"code":"too_many_requests","message":"too many requests"}}'
    assert set(answers[1].headers) == {"content-type"}


def test_a_batch_must_fit_into_the_write_budget() -> None:
    bench = Bench(limits=Limits())
    items = [{"order_id": f"none-{index}"} for index in range(51)]
    status, _ = bench.send("DELETE", "/portfolio/events/orders/batched", {"orders": items})
    assert status == 429
    status, body = bench.send("DELETE", "/portfolio/events/orders/batched", {"orders": items[:50]})
    assert status == 200
    assert {row["error"]["code"] for row in body["orders"]} == {"not_found"}


def test_limits_and_costs_are_published() -> None:
    bench = Bench()
    assert bench.get("/account/limits", signed=True)["write"] == {"bucket_capacity": 100, "refill_rate": 100}
    costs = {
        (row["method"], row["path"]): row["cost"]
        for row in bench.get("/account/endpoint_costs")["endpoint_costs"]
    }
    assert costs["DELETE", "/trade-api/v2/portfolio/events/orders"] == 2


def test_a_key_may_do_what_its_scopes_say() -> None:
    bench = Bench()
    bench.api.add_key("reader", bench.key.public_key(), bench.account, ("read",))
    bench.api.add_key("trader", bench.key.public_key(), bench.account, ("write::trade",))
    bench.api.add_key("purse", bench.key.public_key(), bench.account, ("read::portfolio_balance",))
    seen = {}
    for bench.key_id in ("reader", "trader", "purse"):
        seen[bench.key_id] = (
            bench.send("GET", "/portfolio/orders")[0],
            bench.send("GET", "/portfolio/balance")[0],
            bench.send("DELETE", "/portfolio/events/orders")[0],
            bench.send("POST", "/portfolio/intra_exchange_instance_transfer", {})[0],
        )
    assert seen == {
        "reader": (200, 200, 403, 403),
        "trader": (403, 403, 204, 403),
        "purse": (403, 200, 403, 403),
    }


def test_keys_are_listed_with_scopes_and_the_end_of_the_location_attestation() -> None:
    bench = Bench()
    bench.api.add_key("reader", bench.key.public_key(), bench.account, ("read",))
    body = bench.get("/api_keys", signed=True)
    assert [(row["api_key_id"], row["scopes"]) for row in body["api_keys"]] == [
        (bench.key_id, ["read", "write"]),
        ("reader", ["read"]),
    ]
    assert "api_key_region_expiration_ts" not in body
    bench.account.region_expires = bench.clock.now()
    body = bench.get("/api_keys", signed=True)
    assert body["api_key_region_expiration_ts"] == bench.clock.now() // SECOND
