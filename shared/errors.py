"""The error tree. Each class is named by what the caller must do.

::

    ArbError                     every error of this system
    ├── OperatorError            stop and tell a person; the message says what to do
    │   ├── ConfigError          a setting is missing or makes no sense
    │   ├── CredentialsError     a key is missing, unknown, expired or lacks a scope
    │   ├── QuotaExhaustedError  paid credits are used up; nothing helps before they renew
    │   └── StorageError         disk full, a file locked by another process, a damaged file
    ├── RetryLaterError          nothing was done; the same request may work later
    │   ├── RateLimitedError     the venue asked us to slow down
    │   └── VenueDownError       the venue is paused or unreachable
    ├── OutcomeUnknownError      something may have been done: ask the venue before anything else
    ├── RefusedError             the venue understood and said no; sending it again is useless
    ├── QuarantineError          input that cannot be used: record it, go on with the next
    │   ├── MalformedError       not parseable, wrong types, missing fields
    │   │   └── BadMoneyError    a price, size or amount that is not exact money
    │   ├── FutureSchemaError    a message from a newer version of this system
    │   └── StaleError           older than what has been seen
    ├── ConflictError            a compare-and-set lost the race: read again, try again
    └── AlreadyExistsError       the create was not the first
"""

from __future__ import annotations


class ArbError(Exception):
    """Base of every error raised on purpose."""


class OperatorError(ArbError):
    """A person must act; ``str(error)`` says how."""


class ConfigError(OperatorError):
    """A setting is missing or contradicts another."""


class CredentialsError(OperatorError):
    """A key is missing, unknown, expired or lacks a scope. ``code`` is the venue's own word for it."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class QuotaExhaustedError(OperatorError):
    """Paid credits are used up."""


class StorageError(OperatorError):
    """The disk is full, a file is locked by another process, or a file is damaged."""


class RetryLaterError(ArbError):
    """Nothing was done; the same request may succeed later."""


class RateLimitedError(RetryLaterError):
    """The venue refused for rate; the request was not executed."""


class VenueDownError(RetryLaterError):
    """The venue is paused or unreachable. ``code`` is its own word for it, empty if it said none."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class OutcomeUnknownError(ArbError):
    """A write may or may not have been executed."""


class RefusedError(ArbError):
    """The venue understood the request and refused it. ``code`` is the venue's own word for it."""

    def __init__(self, message: str, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class QuarantineError(ArbError):
    """Input that cannot be used."""


class MalformedError(QuarantineError):
    """Input that does not parse, or parses to something impossible."""


class BadMoneyError(MalformedError, ValueError):
    """A number that is not exact money."""


class FutureSchemaError(QuarantineError):
    """A message written by a newer version of this system."""


class StaleError(QuarantineError):
    """Input older than what has already been seen."""


class ConflictError(ArbError):
    """A compare-and-set found another version than it expected."""


class AlreadyExistsError(ArbError):
    """A create found the document already there."""
