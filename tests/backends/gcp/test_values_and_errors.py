"""JSON in Firestore's types, and the errors of Google's services in ours."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions as said
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore_v1 import types
from hypothesis import given
from hypothesis import strategies as st

from shared.backends.gcp.errors import translated
from shared.backends.gcp.values import field_path, fill, plain
from shared.errors import (
    AlreadyExistsError,
    ArbError,
    ConfigError,
    ConflictError,
    CredentialsError,
    MalformedError,
    OutcomeUnknownError,
    RateLimitedError,
    RetryLaterError,
)

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: not (name.startswith("__") and name.endswith("__"))
)


def _maps(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(_NAMES, inner, max_size=4)


# Lists of anything but lists, which Firestore does not hold.
_JSON = st.recursive(
    _SCALARS, lambda inner: _maps(inner) | st.lists(_SCALARS | _maps(inner), max_size=4), max_leaves=20
)


def through(value: dict[str, Any]) -> dict[str, Any]:
    document = types.Document.pb()()
    fill(document.fields, value, "c/a")
    return plain(type(document).FromString(document.SerializeToString()).fields)


@given(_maps(_JSON))
def test_every_json_object_comes_back_as_it_was(value: dict[str, Any]) -> None:
    found = through(value)
    assert found == value
    assert repr(sorted(found)) == repr(sorted(value))


def test_whole_numbers_and_fractions_stay_what_they_are() -> None:
    found = through({"n": 1, "x": 1.0, "b": True})
    assert [type(found[name]) for name in "nxb"] == [int, float, bool]


@pytest.mark.parametrize(
    "value",
    [
        {"x": [[1]]},
        {"x": 2**63},
        {"x": float("nan")},
        {"x": float("inf")},
        {"x": object()},
        {"x": "\ud800"},
        {"": 1},
        {"__id__": 1},
        {"x": {"deep": {1: 2}}},
    ],
)
def test_what_the_store_cannot_hold_is_malformed(value: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="c/a: not a document"):
        through(value)


def test_twenty_levels_are_the_most() -> None:
    value: dict[str, Any] = {}
    for _ in range(20):
        value = {"x": value}
    with pytest.raises(MalformedError, match="levels"):
        through(value)


@pytest.mark.parametrize(("name", "path"), [("a_1", "a_1"), ("a-b", "`a-b`"), ("a`\\", "`a\\`\\\\`")])
def test_a_fields_name_is_quoted_where_it_must_be(name: str, path: str) -> None:
    assert field_path(name) == path


@pytest.mark.parametrize(
    ("cause", "kind", "says"),
    [
        (said.PermissionDenied("no"), CredentialsError, "grant this service account roles/x"),
        (said.Unauthenticated("no"), CredentialsError, "roles/x"),
        (DefaultCredentialsError("none"), CredentialsError, "gcloud auth"),
        (said.NotFound("Topic not found"), ConfigError, "terraform apply"),
        (said.FailedPrecondition("The query requires an index"), ConfigError, "an index is missing"),
        (said.ResourceExhausted("quota"), RateLimitedError, "quota"),
        (said.InvalidArgument("bad"), MalformedError, "bad"),
        (said.ServiceUnavailable("down"), RetryLaterError, "down"),
        (said.DeadlineExceeded("late"), RetryLaterError, "late"),
        (said.RetryError("gave up", None), RetryLaterError, "gave up"),
    ],
)
def test_a_reading_error_says_what_to_do(cause: Exception, kind: type[ArbError], says: str) -> None:
    with pytest.raises(kind, match=says), translated("it", "roles/x"):
        raise cause


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (said.AlreadyExists("there"), AlreadyExistsError),
        (said.FailedPrecondition("version"), ConflictError),
        (said.Aborted("contention"), ConflictError),
        (said.DeadlineExceeded("late"), OutcomeUnknownError),
        (said.ServiceUnavailable("down"), OutcomeUnknownError),
        (said.Unknown("?"), OutcomeUnknownError),
    ],
)
def test_a_write_that_was_cut_off_is_unknown_and_one_that_lost_a_conflict(
    cause: Exception, kind: type[ArbError]
) -> None:
    with pytest.raises(kind), translated("it", "roles/x", writes=True):
        raise cause
