"""Cancels everything at the exchange, by itself: ``python -m shared.kill``, or ``arb kill``.

It shares no line with the trading loop, needs no database and no service of ours, and reads its own key:
KALSHI_KILL_KEY_ID with KALSHI_KILL_PRIVATE_KEY_PATH (or KALSHI_KILL_PRIVATE_KEY), else the trading key, from
the environment or ``.env``. Orders are canceled all at once and, where some still rest, one by one, until the
exchange has shown none for longer than its reads lag. Positions stay as they are.

Exit codes: 0 nothing rests, 1 orders still rest when time is up, 2 a person must act (no key, or every key
refused), 3 the exchange has not said what rests.
"""

from __future__ import annotations

import argparse
import base64
import email.utils
import http.client
import json
import os
import random
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

CLEAR, RESTING, CANNOT_ACT, UNKNOWN = 0, 1, 2, 3

BASE_URL = "https://external-api.kalshi.com/trade-api/v2"
# The same exchange by its other name; either was seen down while the other worked.
_OTHER_HOST = {
    "external-api.kalshi.com": "api.elections.kalshi.com",
    "api.elections.kalshi.com": "external-api.kalshi.com",
    "external-api.demo.kalshi.co": "demo-api.kalshi.co",
    "demo-api.kalshi.co": "external-api.demo.kalshi.co",
}
_ORDERS = "/portfolio/events/orders"
_CALL_S = 5.0
_ROUND_S = 1.0
# How long the list may go on showing what a cancel-all has taken, and how many are then taken singly at once.
_LAG_S = 3.0
_EACH_ROUND = 100
_UNASKED = 3
# Account reads were seen to lag by two seconds, on the demo by ten.
SETTLE_S = 12.0
LIMIT_S = 120.0
# A refused key is tried again: a 401 that passes was never recorded, but giving up cannot be taken back.
_REFUSALS = 3
_PAGES = 50
_NAMES = (("KALSHI_KILL_KEY_ID", "KALSHI_KILL_PRIVATE_KEY"), ("KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY"))

Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
# (method, address, headers, seconds) -> (status, headers in lower case, body); raises OSError
Send = Callable[[str, str, Mapping[str, str], float], tuple[int, Mapping[str, str], bytes]]


class CannotActError(Exception):
    """A person must act; the message says how."""


class NoAnswerError(Exception):
    """This call gave no usable answer; the next one may."""


# --- keys --------------------------------------------------------------------------------------------------


def settings(environ: Mapping[str, str], dotenv: Path = Path(".env")) -> dict[str, str]:
    """The environment over the lines of ``.env``; a file that cannot be read counts as empty."""
    found: dict[str, str] = {}
    try:
        lines = dotenv.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found | {name: value for name, value in environ.items() if value}


def keys(given: Mapping[str, str]) -> list[tuple[str, Key]]:
    """Key ids and keys, the kill key first; raises :class:`CannotActError` when none can sign."""
    found, problems = [], []
    for id_name, key_name in _NAMES:
        key_id = given.get(id_name, "")
        if not key_id:
            continue
        try:
            found.append((key_id, _key(given, key_name)))
        except (OSError, ValueError, TypeError) as exc:
            problems.append(f"{key_name}: {type(exc).__name__}")
    if not found:
        why = "; ".join(problems) or "no key is set"
        raise CannotActError(f"{why}: set {_NAMES[0][0]} and {_NAMES[0][1]}_PATH, or the trading key's")
    return found


def _key(given: Mapping[str, str], name: str) -> Key:
    path = given.get(f"{name}_PATH", "")
    pem = Path(path).read_bytes() if path else given.get(name, "").replace("\\n", "\n").encode()
    key = serialization.load_pem_private_key(pem.strip() + b"\n", password=None)
    if not isinstance(key, Key):
        raise TypeError("the exchange takes RSA and Ed25519 keys")
    return key


def _signature(key: Key, message: bytes) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return base64.b64encode(key.sign(message)).decode()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    return base64.b64encode(key.sign(message, pss, hashes.SHA256())).decode()


# --- one call ----------------------------------------------------------------------------------------------


def send(
    method: str, address: str, headers: Mapping[str, str], seconds: float
) -> tuple[int, Mapping[str, str], bytes]:
    """One request on a connection of its own; raises ``OSError`` when there is no answer."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        line: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=seconds, context=context
        )
    else:
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        line.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=headers)
        answer = line.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, _body(answer, time.monotonic() + seconds)
    except http.client.HTTPException as exc:
        raise OSError(type(exc).__name__) from exc
    finally:
        line.close()


def _body(answer: http.client.HTTPResponse, end: float) -> bytes:
    """The whole body, unless it trickles in for longer than a call may take."""
    parts = []
    while part := answer.read1(1 << 16):
        parts.append(part)
        if time.monotonic() > end:
            raise TimeoutError
    return b"".join(parts)


class Venue:
    """Signed calls with whichever key, host and clock the exchange accepts."""

    def __init__(
        self, base_url: str, found: list[tuple[str, Key]], send: Send, now: Callable[[], float]
    ) -> None:
        self._bases = [base_url.rstrip("/")]
        parts = urlsplit(self._bases[0])
        if (parts.hostname or "") in _OTHER_HOST:
            self._bases.append(parts._replace(netloc=_OTHER_HOST[parts.hostname or ""]).geturl())
        self._keys, self._send, self._now = found, send, now
        self._refused = 0
        self._ahead_s = 0.0

    def call(self, method: str, path: str, query: str = "") -> tuple[int, Any]:
        """Status and decoded body; raises :class:`NoAnswerError`, or :class:`CannotActError` in the end."""
        base, (key_id, key) = self._bases[0], self._keys[0]
        stamp = str(int((self._now() + self._ahead_s) * 1000))
        signed = f"{stamp}{method}{urlsplit(base).path}{path}".encode()
        headers = {
            "KALSHI-ACCESS-KEY": key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": _signature(key, signed),
        }
        try:
            status, told, body = self._send(method, f"{base}{path}{query}", headers, _CALL_S)
        except OSError as exc:
            self._bases.append(self._bases.pop(0))
            raise NoAnswerError(f"{method} {path}: {type(exc).__name__}") from exc
        if status in (401, 403):
            self._refuse(status, told, body)
        self._refused = 0
        if status >= 500:
            self._bases.append(self._bases.pop(0))
        if status == 429 or status >= 500:
            raise NoAnswerError(f"{method} {path}: {status}")
        return status, _decoded(body)

    def _refuse(self, status: int, told: Mapping[str, str], body: bytes) -> None:
        """Try another clock, then another key, then give up."""
        said = body.decode(errors="replace")[:200]
        if "timestamp" in said and (there := _date(told)) is not None:
            self._ahead_s = there - self._now()
        else:
            self._keys.append(self._keys.pop(0))
        self._refused += 1
        if self._refused >= _REFUSALS * len(self._keys):
            raise CannotActError(f"every key was refused ({status}): {said}")
        raise NoAnswerError(f"refused ({status}): {said}")


def _date(headers: Mapping[str, str]) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return None


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


# --- everything --------------------------------------------------------------------------------------------


class Killer:
    """Cancels until nothing rests. Times in seconds of ``now``."""

    def __init__(
        self,
        venue: Venue,
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._venue, self._say, self._now, self._sleep = venue, say, now, sleep
        self._asked_at: float | None = None  # when the exchange last took a cancel-all
        self.canceled_all = 0
        self.resting: list[dict[str, Any]] | None = None
        self.trouble = ""

    def run(self, limit_s: float = LIMIT_S, settle_s: float = SETTLE_S) -> int:
        """Exit code; see the module. Takes at most ``limit_s`` and a call more."""
        end, clear_since = self._now() + limit_s, None
        while True:
            if self._asked_at is None:
                self._cancel_all()
            self.resting = self._list(end)
            if self.resting:
                clear_since = None
                self._insist(self.resting, end)
            elif self.resting is not None:
                clear_since = self._now() if clear_since is None else clear_since
                # A list alone is believed later than one that follows a cancel-all.
                if self._now() - clear_since >= settle_s * (_UNASKED if self._asked_at is None else 1):
                    return self._ended(CLEAR, "nothing rests")
            if self._now() >= end:
                return self._out_of_time()
            self._sleep(_ROUND_S * (0.5 + random.random()))  # noqa: S311 - a pause, no secret

    def _insist(self, rows: list[dict[str, Any]], end: float) -> None:
        """Cancel one by one, and then all again, what the exchange still shows although it was told."""
        if self._asked_at is None or self._now() - self._asked_at >= _LAG_S:
            self._cancel_each(rows[:_EACH_ROUND], end)
            self._asked_at = None

    def _out_of_time(self) -> int:
        if self.resting:
            return self._ended(RESTING, f"time is up and {len(self.resting)} orders still rest")
        return self._ended(UNKNOWN, f"time is up; what rests is not known {self.trouble}")

    def _ended(self, code: int, text: str) -> int:
        self._say(text)
        return code

    def _cancel_all(self) -> None:
        done = self._try("DELETE", _ORDERS)
        if done is not None and 200 <= done[0] < 300:
            self._asked_at = self._now()
            self.canceled_all += 1
            self._say("canceled all")

    def _list(self, end: float) -> list[dict[str, Any]] | None:
        """Orders the exchange shows as resting, ``None`` if it could not be seen whether there are more."""
        rows: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(_PAGES):
            query = f"?status=resting&limit=1000&cursor={quote(cursor, safe='')}"
            answer = self._try("GET", "/portfolio/orders", query)
            if answer is None or answer[0] != 200 or not isinstance(answer[1], dict):
                return rows or None
            page = answer[1].get("orders")
            if not isinstance(page, list):
                return rows or None
            rows += [row for row in page if isinstance(row, dict)]
            cursor = answer[1].get("cursor") or ""
            if not cursor:
                return rows
            if self._now() >= end:
                break
        return rows or None

    def _cancel_each(self, rows: list[dict[str, Any]], end: float) -> None:
        self._say(f"{len(rows)} orders still rest: canceling one by one")
        for row in rows:
            if self._now() >= end:
                return
            # Without its market or shard, a cancel goes to shard 0 and misses orders elsewhere.
            query = f"?market_ticker={quote(str(row.get('ticker', '')), safe='')}"
            if isinstance(row.get("exchange_index"), int):
                query += f"&exchange_index={row['exchange_index']}"
            self._try("DELETE", f"{_ORDERS}/{quote(str(row.get('order_id', '')), safe='')}", query)

    def _try(self, method: str, path: str, query: str = "") -> tuple[int, Any] | None:
        try:
            return self._venue.call(method, path, query)
        except NoAnswerError as exc:
            self.trouble = f"({exc})"
            self._say(str(exc))
            return None


def main(arguments: list[str] | None = None) -> int:
    """Run as a program; the exit code."""
    parser = argparse.ArgumentParser(prog="kill", description="Cancel every order at the exchange.")
    parser.add_argument("--seconds", type=float, default=LIMIT_S, help="give up after this long")
    parser.add_argument("--settle", type=float, default=SETTLE_S, help="seconds nothing must rest for")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    asked = parser.parse_args(arguments)
    started = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"kill {time.monotonic() - started:6.1f} s  {text}\n")

    given = settings(os.environ)
    killer: Killer | None = None
    try:
        venue = Venue(given.get("KALSHI_BASE_URL") or BASE_URL, keys(given), send, time.time)
        killer = Killer(venue, say)
        code = killer.run(asked.seconds, asked.settle)
    except CannotActError as exc:
        say(str(exc))
        code = CANNOT_ACT
    if asked.json:
        sys.stdout.write(json.dumps(_report(code, killer, time.monotonic() - started)) + "\n")
    return code


def _report(code: int, killer: Killer | None, seconds: float) -> dict[str, Any]:
    rows = (killer.resting if killer else None) or []
    return {
        "outcome": {CLEAR: "clear", RESTING: "resting", CANNOT_ACT: "cannot_act"}.get(code, "unknown"),
        "canceled_all": killer.canceled_all if killer else 0,
        "resting": [str(row.get("order_id", "")) for row in rows],
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
