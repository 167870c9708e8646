"""No secret leaves: every shape in which one has been seen to travel, and what must stay readable."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.config import load
from shared.service.redact import MASK, SHAPES, Redactor, secrets_of

redact = Redactor()
HIDDEN = "hunter2hunter2"

PEM = (
    ed25519.Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://api.example/v4/odds?regions=us&apiKey={HIDDEN}&markets=h2h",
        f"GET https://api.example/v4/odds?apikey={HIDDEN}",
        f"https%3A%2F%2Fapi.example%3FapiKey%3D{HIDDEN}",
        f"Authorization: Bearer {HIDDEN}",
        f"authorization: Basic {HIDDEN}",
        f"Proxy-Authorization: {HIDDEN}",
        f"{{'Authorization': 'Bearer {HIDDEN}', 'Accept': '*/*'}}",
        f"<CIMultiDict('Authorization': 'Bearer {HIDDEN}')>",
        f"[(b'Authorization', b'Bearer {HIDDEN}'), (b'Host', b'x')]",
        f'{{"headers": {{"authorization": "Bearer {HIDDEN}"}}}}',
        f'"{{\\"apiKey\\": \\"{HIDDEN}\\", \\"n\\": 1}}"',
        f"KALSHI-ACCESS-SIGNATURE: {HIDDEN}",
        f"KALSHI-ACCESS-KEY={HIDDEN}",
        f"{{'KALSHI-ACCESS-SIGNATURE': '{HIDDEN}', 'KALSHI-ACCESS-TIMESTAMP': '1'}}",
        f"X-Api-Key: {HIDDEN}",
        f"sig={HIDDEN}",
        f"sent with bearer {HIDDEN}, refused",
        f"ODDS_API_KEY={HIDDEN}",
        f"API_TOKEN = {HIDDEN}",
        f"SMTP_PASSWORD='it\\'s {HIDDEN}'",
        f'password: "two words {HIDDEN}"',
        f'{{"client_secret":"a\\"{HIDDEN}"}}',
        f"Cookie: session={HIDDEN}; theme=dark",
        f"Set-Cookie: id={HIDDEN}; HttpOnly",
        f"postgres://trader:{HIDDEN}@db.example/x",
        f"https://{HIDDEN}@git.example/x",
        f"POST https://hooks.slack.com/services/T000/B000/{HIDDEN}",
        f"POST https://chat.example/api/webhooks/1/{HIDDEN}",
        f"ALERT_WEBHOOK_URL=https://x.example/{HIDDEN}",
        f"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n{HIDDEN}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\\nMIIE\\n{HIDDEN}\\n-----END PRIVATE KEY-----",
        f"cut off: -----BEGIN EC PRIVATE KEY-----\nMIIE{HIDDEN}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{HIDDEN}",
        f"AIza{HIDDEN}{HIDDEN}{HIDDEN}",
        "a signature without a name " + HIDDEN * 7 + "==",
    ],
)
def test_a_shape_that_carries_a_secret_loses_it(text: str) -> None:
    cleaned = redact(text)
    assert HIDDEN not in cleaned
    assert MASK in cleaned


@pytest.mark.parametrize(
    "name",
    [
        *("api key", "apikey", "api-key", "api_key", "access-key", "access_key", "secret-key", "private_key"),
        *(
            "privatekey",
            "client_secret",
            "secret",
            "password",
            "passwd",
            "passphrase",
            "pwd",
            "signature",
            "sig",
        ),
        *("token", "webhook_url", "webhookurl", "API_TOKEN", "KALSHI-ACCESS-SIGNATURE", "X-Auth-Token"),
    ],
)
def test_a_name_that_means_a_secret_hides_its_value_in_every_spelling(name: str) -> None:
    for spelt in (name, name.upper(), name.title()):
        for text in (
            f"{spelt}={HIDDEN}",
            f"{spelt}: {HIDDEN}",
            f'"{spelt}": "{HIDDEN}"',
            f"('{spelt}', '{HIDDEN}')",
        ):
            assert HIDDEN not in redact(text), text


@pytest.mark.parametrize(
    "text",
    [
        "signal_id: 9f8e7d6c",
        "order 0123456789abcdef0123456789abcdef filled: 10 yes at 0.52",
        "digest " + "0123456789abcdef" * 4,
        "the token bucket is empty: 5 tokens in 0.2 s",
        "credentials refused (401): INCORRECT_API_KEY_SIGNATURE",
        "https://external-api.kalshi.com/trade-api/v2/markets?limit=1000&status=open",
        "KXNFLGAME-26SEP28PHICHI-PHI at 12:30:05",
        "arb.log: cannot be written (disk full)",
    ],
)
def test_what_carries_no_secret_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_only_the_secret_goes_and_its_neighbours_stay() -> None:
    text = redact("GET /odds?regions=us&apiKey=abc&markets=h2h failed, then 'token': 'x', 'status': 500")
    assert (
        text == f"GET /odds?regions=us&apiKey={MASK}&markets=h2h failed, then 'token': {MASK}, 'status': 500"
    )


def test_every_secret_setting_is_known_by_its_value_in_any_shape() -> None:
    settings = load(
        {
            "KALSHI_KEY_ID": "id",
            "KALSHI_PRIVATE_KEY": PEM.replace("\n", "\\n"),
            "ODDS_API_KEY": "odds/key+1",
            "API_TOKEN": "t" * 30,
            "ALERT_WEBHOOK_URL": "https://hooks.example/in/AAAABBBB",
            "SMTP_PASSWORD": "pass phrase",
        },
        None,
    )
    clean = Redactor(secrets_of(settings))
    body = PEM.splitlines()[1]
    for value in (
        "odds/key+1",
        "odds%2Fkey%2B1",
        "t" * 30,
        "https://hooks.example/in/AAAABBBB",
        "pass phrase",
    ):
        assert value not in clean(f"seen {value} there")
    assert body not in clean(f"one line of it: {body}")


def test_a_short_value_is_no_reason_to_mask_ordinary_words() -> None:
    assert Redactor(["", "a", "no"])("not a word is lost") == "not a word is lost"


@given(st.text(alphabet=st.sampled_from("abZ0+/_-.~"), min_size=6, max_size=60), st.text(), st.text())
def test_a_known_value_never_survives(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret])(before + secret + after).replace(MASK, "\n")


# Pieces of every shape, to be put together in any order.
_PIECES = (
    *("-----BEGIN X-----", "-----END X-----", "Cookie", "set-cookie: ", "Authorization", "Bearer ", "basic "),
    *(
        "api_key",
        "APIKEY",
        "private key",
        "access-key",
        "Secret",
        "passphrase",
        "pwd",
        "sig",
        "signature",
        "Token",
    ),
    *(
        "webhook_url",
        "://",
        "u:p@",
        "hooks.slack.com/",
        "/api/webhooks/",
        "eyJ",
        "AIza",
        "a" * 40,
        "=",
        ": ",
        "%3D",
    ),
    *('"', "'", "\\", " ", ",", ".", "\u017f", "\u212a", "\u0130", "x"),
)


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_looking_for_hints_first_misses_nothing(text: str) -> None:
    for shape in SHAPES:
        if shape.pattern.search(text):
            assert any(hint in text.lower() for hint in shape.hints)


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    once = redact(text)
    assert redact(redact(once)) == redact(once)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 50_000,
        "token" * 10_000,
        "://" * 15_000,
        "eyJ" * 15_000,
        "\\" * 50_000,
        'token="' + "\\\\" * 20_000,
        "-----BEGIN A-----" * 3_000,
        "authorization " * 4_000,
        "api_key" + " " * 50_000,
        '"\\' * 25_000,
    ],
)
def test_a_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    started = time.perf_counter()
    redact(text)
    # Measured 5 to 40 ms; a pattern that backtracks needs minutes.
    assert time.perf_counter() - started < 2
