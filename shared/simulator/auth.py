"""Who is asking: the exchange's signed headers, checked as the real one checks them.

Signed is ``timestamp_ms + METHOD + path`` without query; RSA-PSS (SHA-256, salt 32) or Ed25519. Headers up to
10 s off are accepted and beyond 25 s refused on the real exchange; in between was not measured.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.clock import Clock, Instant
from shared.ids import as_uuid, digest
from shared.simulator.accounts import Account
from shared.simulator.tickets import Refusal

PublicKey = RSAPublicKey | Ed25519PublicKey
_SKEW_MS = 20_000


class AuthError(Exception):
    """A 401 and its ``error`` object."""

    def __init__(self, code: str, message: str, details: str = "") -> None:
        super().__init__(code)
        self.error = {"code": code, "message": message} | ({"details": details} if details else {})


class Keyring:
    """Registered public keys and whose they are."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[PublicKey, Account, tuple[str, ...]]] = {}
        self.skew_ms = _SKEW_MS
        # Where time runs faster than elsewhere, clients that cannot know it sign by their own clock.
        self.outside: Clock | None = None

    def add(self, key_id: str, public_key: PublicKey, account: Account, scopes: tuple[str, ...]) -> None:
        """Register a key; RSA and Ed25519 are known."""
        self._keys[key_id] = public_key, account, scopes

    def of(self, account: Account) -> list[tuple[str, tuple[str, ...]]]:
        """Ids and scopes of an account's keys."""
        return [(key_id, scopes) for key_id, (_, owner, scopes) in self._keys.items() if owner is account]

    def account(self, key_id: str) -> Account | None:
        """Whose key that is."""
        found = self._keys.get(key_id)
        return found[1] if found else None

    def require(self, headers: Mapping[str, str], scopes: frozenset[str]) -> None:
        """Raise :class:`Refusal` 403 unless the key of verified headers has one of ``scopes``."""
        held = self._keys[headers["kalshi-access-key"]][2]
        if not scopes & set(held):
            # A 403 for a missing scope was reported, its body never recorded.
            raise Refusal(403, "insufficient_scope", f"one of {', '.join(sorted(scopes))} is needed")

    def verify(self, headers: Mapping[str, str], method: str, path: str, now: Instant) -> Account:
        """The account behind signed headers (names in lower case); raises :class:`AuthError`."""
        key_id = headers.get("kalshi-access-key", "")
        stamp = headers.get("kalshi-access-timestamp", "")
        signature = headers.get("kalshi-access-signature", "")
        if not (key_id and stamp and signature):
            raise AuthError("signature_is_missing_from_headers", "signature is missing from headers")
        if not (stamp.isascii() and stamp.isdigit() and self._in_time(int(stamp[:20]), now)):
            raise AuthError("header_timestamp_expired", "header timestamp expired")
        if key_id not in self._keys:
            raise AuthError("authentication_error", "authentication_error", "NOT_FOUND")
        key, account, _ = self._keys[key_id]
        if not _signed(key, signature, f"{stamp}{method}{path}".encode()):
            raise AuthError("authentication_error", "authentication_error", "INCORRECT_API_KEY_SIGNATURE")
        return account

    def _in_time(self, stamp_ms: int, now: Instant) -> bool:
        if abs(stamp_ms - now // 1000) <= self.skew_ms:
            return True
        return self.outside is not None and abs(stamp_ms - self.outside.now() // 1000) <= _SKEW_MS


def scopes_for(pattern: str, write: bool) -> frozenset[str]:
    """Scopes of which a key needs one for a route."""
    if not write:
        extra = {"read::portfolio_balance"} if pattern == "/portfolio/balance" else set()
        return frozenset({"read"} | extra)
    return frozenset({"write", "write::transfer" if "transfer" in pattern else "write::trade"})


def _signed(key: PublicKey, signature: str, message: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, Ed25519PublicKey):
            key.verify(raw, message)
        else:
            key.verify(raw, message, PSS(MGF1(hashes.SHA256()), 32), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def demo_key(seed: int) -> tuple[str, Ed25519PrivateKey]:
    """Key id and key of the demo member: derived from the seed, worth nothing outside the simulator."""
    key_id = as_uuid(digest("demo key", str(seed)))
    raw = bytes.fromhex(digest("demo secret a", str(seed)) + digest("demo secret b", str(seed)))
    return key_id, Ed25519PrivateKey.from_private_bytes(raw)


def private_pem(key: Ed25519PrivateKey) -> str:
    """The key in PEM, unencrypted."""
    raw = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return raw.decode()
