"""Signs requests to the exchange, and loads the private key with errors that say what to do.

Signed bytes: ``timestamp_ms + METHOD + path`` with the full path (``/trade-api/v2/...``), without host, query
and body. RSA keys sign with PSS over SHA-256 and a salt as long as the digest; Ed25519 keys sign plainly.
Any other padding, salt, unit or path gives the same 401. (API documentation, "API keys".)
"""

from __future__ import annotations

import base64

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from shared.clock import SECOND, Instant
from shared.errors import CredentialsError

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
_SHA256 = hashes.SHA256()
_SMALLEST_RSA_BITS = 2048
# A timestamp 10 s off was taken, and machines' clocks may be 5 s apart before anybody is alarmed.
_YOUNG = 2 * SECOND
_NEW_KEY = "create an API key on the exchange's account page and use the private key file it offers"


class Signer:
    """Signs with one key. ``repr`` shows neither the key nor its id."""

    __slots__ = ("_key", "_key_id", "_ready")

    def __init__(self, key_id: str, key: PrivateKey) -> None:
        if not key_id.strip():
            raise CredentialsError("the key id is empty: set KALSHI_KEY_ID to the id shown beside the key")
        self._key_id, self._key = key_id.strip(), key
        self._ready: dict[tuple[str, str], tuple[Instant, dict[str, str]]] = {}

    def headers(self, method: str, path: str, now: Instant) -> dict[str, str]:
        """The three headers of one request. A query on ``path`` is left out of what is signed.

        Headers made ahead by :meth:`prepare` are used, once, while they are young.
        """
        made_at, ready = self._ready.pop((method, path), (None, None))
        if made_at is not None and ready is not None and 0 <= now - made_at <= _YOUNG:
            return ready
        return self._made(method, path, now)

    def prepare(self, method: str, path: str, now: Instant) -> None:
        """Sign a request ahead of its time, if none is ready that will last: the body is not signed."""
        made_at = self._ready.get((method, path), (None, None))[0]
        if made_at is None or not 0 <= now - made_at <= _YOUNG // 2:
            self._ready[method, path] = now, self._made(method, path, now)

    def _made(self, method: str, path: str, now: Instant) -> dict[str, str]:
        timestamp = str(now // 1000)
        message = f"{timestamp}{method.upper()}{path.partition('?')[0]}".encode()
        return {
            "KALSHI-ACCESS-KEY": self._key_id,
            "KALSHI-ACCESS-TIMESTAMP": timestamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(self._sign(message)).decode(),
        }

    def _sign(self, message: bytes) -> bytes:
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, _PSS, _SHA256)

    def __repr__(self) -> str:
        return "Signer(***)"


def load_private_key(pem: str | bytes) -> PrivateKey:
    """The key in ``pem`` (text of the file; escaped line ends and quotes around it are undone).

    Raises :class:`CredentialsError` that says what is wrong and how to mend it, without repeating the text.
    """
    data = _tidy(pem)
    if b"PRIVATE KEY" not in data:
        raise CredentialsError(_not_a_private_key(data))
    if b"ENCRYPTED" in data:
        raise CredentialsError(
            "the private key is encrypted: decrypt it once, for instance with "
            "'openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem', and use the new file"
        )
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if key is None:
        raise CredentialsError(f"the private key does not decode: it is cut off or damaged; {_NEW_KEY}")
    return _accepted(key)


def _accepted(key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _SMALLEST_RSA_BITS:
            raise CredentialsError(f"the RSA key has {key.key_size} bits, 2048 are needed; {_NEW_KEY}")
        return key
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    raise CredentialsError(f"the exchange takes RSA and Ed25519 keys, not {type(key).__name__}; {_NEW_KEY}")


def _tidy(pem: str | bytes) -> bytes:
    data = pem.encode() if isinstance(pem, str) else pem
    data = data.strip().strip(b"\"'").replace(b"\\r", b"").replace(b"\\n", b"\n").replace(b"\r\n", b"\n")
    return data.strip() + b"\n"


def _not_a_private_key(data: bytes) -> str:
    if not data.strip():
        return f"the private key is empty; {_NEW_KEY}"
    if b"PUBLIC KEY" in data:
        return "this is a public key: give the private key file that was downloaded when the key was made"
    if b"\n" not in data.strip() and len(data) < 300:
        return "this looks like a path or an id, not a key: give a path as KALSHI_PRIVATE_KEY_PATH"
    return f"this is not a PEM private key (no BEGIN ... PRIVATE KEY line); {_NEW_KEY}"
