"""What a Google service says, turned into the error that names what the caller, or a person, must do.

Permissions, missing things and quotas are a person's business; the rest passes or is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions as said
from google.auth.exceptions import GoogleAuthError

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

_NO_CREDENTIALS = (
    "no Google credentials: on Google Cloud give the service its own service account, elsewhere run"
    " gcloud auth application-default login"
)


@contextmanager
def translated(what: str, role: str, *, writes: bool = False) -> Iterator[None]:
    """Turn what Google raises inside the block into an :class:`ArbError` about ``what``.

    ``role`` is the permission that is missing when it refuses. With ``writes``, an answer that does not say
    whether it was done is an :class:`OutcomeUnknownError`, else a :class:`RetryLaterError`.
    """
    try:
        yield
    except GoogleAuthError as exc:
        raise CredentialsError(f"{what}: {_NO_CREDENTIALS} ({_short(exc)})", code="no_credentials") from exc
    except said.GoogleAPIError as exc:
        raise arb_error(exc, what, role, writes=writes) from exc


def arb_error(cause: Exception, what: str, role: str, *, writes: bool) -> ArbError:
    """The error of ours that says what ``cause`` means for ``what``."""
    text = f"{what}: {_short(cause)}"
    match cause:
        case said.AlreadyExists():
            return AlreadyExistsError(text)
        case said.FailedPrecondition() if not writes:
            return ConfigError(f"{text}; an index is missing: terraform apply makes it")
        case said.Aborted() | said.FailedPrecondition() | said.PreconditionFailed():
            return ConflictError(text)
        case said.Forbidden() | said.Unauthenticated() | said.Unauthorized():
            return CredentialsError(f"{text}; grant this service account {role}", code="no_permission")
        case said.NotFound():
            return ConfigError(f"{text}; terraform apply makes it, GOOGLE_CLOUD_PROJECT says where")
        case said.TooManyRequests():
            return RateLimitedError(text)
        case said.InvalidArgument() | said.BadRequest():
            return MalformedError(text)
        case _:
            return OutcomeUnknownError(text) if writes else RetryLaterError(text)


def _short(cause: Exception) -> str:
    """One line of what was said, without the request that it repeats."""
    return " ".join(str(cause).split())[:300]
