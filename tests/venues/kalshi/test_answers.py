"""Refusals of the exchange, as recorded, and the error each becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import (
    ArbError,
    CredentialsError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    VenueDownError,
)
from shared.venues.http import Response
from shared.venues.kalshi.answers import error_of
from tests.support.corpus import corpus_path


def _error(status: int, body: Any, *, write: bool = False) -> ArbError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_of(Response(status, {}, data), "GET /x", write=write)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("recording", "code", "fix"),
    [
        ("auth__bad_signature", "INCORRECT_API_KEY_SIGNATURE", "belong together"),
        ("auth__unknown_key_id", "NOT_FOUND", "KALSHI_KEY_ID"),
        ("auth__missing_signature_header", "signature_is_missing_from_headers", "must be signed"),
        ("auth__skew_minus30s", "header_timestamp_expired", "NTP"),
        ("auth__skew_minus5min", "header_timestamp_expired", "NTP"),
        ("auth__skew_plus5min", "header_timestamp_expired", "NTP"),
    ],
)
def test_a_recorded_401_names_the_venues_code_and_the_fix(recording: str, code: str, fix: str) -> None:
    bodies = json.loads(corpus_path("account", "kalshi_demo_api_recorded_responses_202606.json").read_text())
    error = _error(401, bodies[recording])
    assert isinstance(error, CredentialsError)
    assert error.code == code
    assert fix in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error": {"code": "invalid_price", "service": "exchange"}}, RefusedError, "invalid_price"),
        (400, {"code": "bad_request", "details": "json: cannot unmarshal"}, RefusedError, "bad_request"),
        (400, {"msg": "Parameter validation failed"}, RefusedError, ""),
        (404, {"error": {"code": "not_found", "message": "not found"}}, RefusedError, "not_found"),
        (404, b"", RefusedError, ""),
        (410, {"error": {"code": "deprecated_v1"}}, RefusedError, "deprecated_v1"),
        (409, {"error": {"code": "order_already_exists"}}, RefusedError, "order_already_exists"),
    ],
)  # fmt: skip
def test_every_body_shape_of_a_refusal_is_read(status: int, body: Any, kind: type, code: str) -> None:
    error = _error(status, body)
    assert isinstance(error, kind)
    assert isinstance(error, RefusedError)
    assert (error.code, error.status) == (code, status)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"error": "too many requests"}, RateLimitedError),
        (429, {"error": {"code": "too_many_requests"}}, RateLimitedError),
        (429, b"", RateLimitedError),
        (503, {"error": {"code": "service_unavailable"}}, VenueDownError),
        (502, b"<html>bad gateway</html>", VenueDownError),
        (403, b"<html>blocked</html>", VenueDownError),
        (302, b"", VenueDownError),
        (409, {"error": {"code": "trading_is_paused"}}, VenueDownError),
        (409, {"error": {"code": "exchange_is_paused"}}, VenueDownError),
        (403, {"error": {"code": "forbidden"}}, CredentialsError),
    ],
)
def test_a_status_becomes_the_error_that_says_what_to_do(status: int, body: Any, kind: type) -> None:
    assert isinstance(_error(status, body), kind)


def test_a_failed_write_may_have_been_executed() -> None:
    assert isinstance(_error(503, b"", write=True), OutcomeUnknownError)
    assert isinstance(_error(500, {"error": {"code": "internal"}}, write=True), OutcomeUnknownError)


def test_a_refused_write_was_not_executed() -> None:
    assert isinstance(_error(429, b"", write=True), RateLimitedError)
    assert isinstance(_error(400, {"error": {"code": "invalid_price"}}, write=True), RefusedError)


@given(status=st.integers(300, 599), body=st.binary(max_size=200), write=st.booleans())
def test_any_body_at_all_becomes_one_of_our_errors(status: int, body: bytes, write: bool) -> None:
    assert isinstance(error_of(Response(status, {}, body), "GET /x", write=write), ArbError)


@given(value=st.recursive(st.none() | st.booleans() | st.text(), lambda c: st.lists(c) | st.dictionaries(
    st.sampled_from(["error", "code", "message", "msg", "details"]), c), max_leaves=8))  # fmt: skip
def test_any_json_at_all_becomes_one_of_our_errors(value: Any) -> None:
    assert isinstance(_error(400, value), ArbError)
