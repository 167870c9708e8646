"""Signatures the exchange accepts, and key errors that say what to do."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from shared.clock import Instant
from shared.errors import CredentialsError
from shared.venues.kalshi.sign import Signer, load_private_key

NOW = Instant(1_781_159_360_866_123)
PATH = "/trade-api/v2/portfolio/fills"


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: Any, encryption: Any = None) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            encryption or serialization.NoEncryption(),
        ).decode()
    )


def test_the_signed_text_is_milliseconds_method_and_path_without_query(rsa_key: rsa.RSAPrivateKey) -> None:
    headers = Signer("key-id", rsa_key).headers("get", PATH + "?limit=10", NOW)
    assert headers["KALSHI-ACCESS-KEY"] == "key-id"
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == "1781159360866"
    rsa_key.public_key().verify(
        base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True),
        f"1781159360866GET{PATH}".encode(),
        padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
        hashes.SHA256(),
    )


def test_another_salt_length_does_not_verify(rsa_key: rsa.RSAPrivateKey) -> None:
    signature = base64.b64decode(Signer("k", rsa_key).headers("GET", PATH, NOW)["KALSHI-ACCESS-SIGNATURE"])
    other = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=20)
    with pytest.raises(InvalidSignature):
        rsa_key.public_key().verify(signature, f"1781159360866GET{PATH}".encode(), other, hashes.SHA256())


def test_an_ed25519_key_signs_the_same_text() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    headers = Signer("k", load_private_key(_pem(key))).headers("POST", PATH, NOW)
    key.public_key().verify(
        base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"]), f"1781159360866POST{PATH}".encode()
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pem: pem,
        lambda pem: pem.replace("\n", "\\n"),
        lambda pem: f'"{pem.strip()}"',
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: ("\n\n  " + pem).encode(),
    ],
    ids=["as given", "escaped line ends", "quoted", "windows line ends", "leading blanks, bytes"],
)
def test_a_key_is_loaded_however_the_environment_carried_it(rsa_key: rsa.RSAPrivateKey, spoil: Any) -> None:
    assert isinstance(load_private_key(spoil(_pem(rsa_key))), rsa.RSAPrivateKey)


def test_the_older_rsa_pem_form_is_loaded(rsa_key: rsa.RSAPrivateKey) -> None:
    pem = rsa_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert isinstance(load_private_key(pem), rsa.RSAPrivateKey)


def _bad_keys() -> dict[str, tuple[str, str]]:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - refused below
    good = _pem(ed25519.Ed25519PrivateKey.generate())
    public = (
        ed25519.Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    locked = _pem(ed25519.Ed25519PrivateKey.generate(), serialization.BestAvailableEncryption(b"pw"))
    return {
        "empty": ("", "is empty"),
        "path": ("/home/me/kalshi.key", "KALSHI_PRIVATE_KEY_PATH"),
        "text": ("hello\n" * 100, "not a PEM private key"),
        "public": (public, "public key"),
        "encrypted": (locked, "openssl"),
        "cut off": (good[:60] + "\n-----END PRIVATE KEY-----", "cut off or damaged"),
        "wrong kind": (_pem(ec.generate_private_key(ec.SECP256R1())), "RSA and Ed25519"),
        "too small": (_pem(small), "2048"),
    }


@pytest.mark.parametrize(("pem", "told"), _bad_keys().values(), ids=_bad_keys().keys())
def test_a_bad_key_says_what_to_do_and_never_repeats_itself(pem: str, told: str) -> None:
    with pytest.raises(CredentialsError, match=told) as caught:
        load_private_key(pem)
    middle = pem.replace("\n", "")[30:60]
    assert not middle or middle not in str(caught.value)


def test_an_empty_key_id_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(CredentialsError, match="KALSHI_KEY_ID"):
        Signer(" ", rsa_key)


def test_a_signer_shows_nothing(rsa_key: rsa.RSAPrivateKey) -> None:
    assert repr(Signer("key-id-123", rsa_key)) == "Signer(***)"
