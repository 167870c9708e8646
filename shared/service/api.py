"""The HTTP API of one run: on the loopback address only, closed to everyone without the token.

``/health`` alone is open. Everything else asks for ``Authorization: Bearer <API_TOKEN>`` before it says
whether a path exists. A caller on another machine comes through an SSH tunnel or a proxy that adds TLS.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

from shared.config import MAKE_TOKEN, Secret
from shared.errors import ArbError, ConfigError, MalformedError
from shared.service.answers import Body
from shared.service.desk import Desk
from shared.service.routes import JSON, ROUTES, Call, Reply, Route, refusal

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - behind a platform that lets in only known callers
MAX_BODY_BYTES = 8 * 1024
# A body comes at once or not at all; a question of history is answered in well under a second.
_BODY_S = 5.0
_ANSWER_S = 10.0
# How long answers under way may take when the run ends.
_GRACE_S = 1.0

# A page in a browser may resolve its own name to this address: only our own names are answered.
_OUR_NAME = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "arb",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_STATUSES = {
    404: ("not_found", "there is no such path; /openapi.json lists them"),
    405: ("method_not_allowed", "this path takes another method; /openapi.json lists them"),
    413: ("too_large", f"the body is over {MAX_BODY_BYTES} bytes"),
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The request is answered with this."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer.status)
        self.answer = answer


@asynccontextmanager
async def serving(desk: Desk, token: Secret, port: int, *, behind_proxy: bool = False) -> AsyncIterator[int]:
    """Serve inside the block; gives the port, which the system picks for 0.

    ``behind_proxy`` listens on every address and answers to any name: only where a platform in front lets in
    none but known callers, and adds TLS. The token is asked for all the same.

    Raises :class:`ConfigError` without a token, or when the port is taken.
    """
    runner = web.AppRunner(
        application(desk, token, behind_proxy=behind_proxy),
        handle_signals=False,
        access_log=None,
        shutdown_timeout=_GRACE_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, _EVERYWHERE if behind_proxy else HOST, port).start()
        except OSError as exc:
            raise ConfigError(
                f"the API cannot listen on port {port} ({exc.strerror}): choose another"
            ) from exc
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def application(desk: Desk, token: Secret, *, behind_proxy: bool = False) -> web.Application:
    """Every route behind one guard; raises :class:`ConfigError` without a token."""
    check_token(token)
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_guard(token, behind_proxy)])
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _handler(desk, route), name=_name(route))
    app.on_response_prepare.append(_add_headers)
    return app


def check_token(token: Secret) -> None:
    """Raise :class:`ConfigError` when there is no token."""
    if not token:
        raise ConfigError(f"the API needs API_TOKEN, a secret its callers send; make one with: {MAKE_TOKEN}")


def _name(route: Route) -> str:
    return "open" if route.is_open else f"{route.method}.{route.path.strip('/')}"


def _guard(token: Secret, behind_proxy: bool) -> Middleware:
    expected = hashlib.sha256(token.reveal().encode()).digest()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not behind_proxy:
                _check_host(request)
            if request.match_info.route.name != "open":
                _check_caller(request, expected)
            async with asyncio.timeout(_ANSWER_S):
                return await handler(request)
        except _Refused as refused:
            return _response(refused.answer)
        except web.HTTPException as exc:
            return _http(exc)
        except TimeoutError:
            return _response(refusal(503, "slow", "no answer in time: ask again"))
        except ArbError as exc:
            _log.warning("%s %s: %s", request.method, request.path, exc)
            return _response(refusal(503, "unavailable", "the run cannot answer now; its log says why"))
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return _response(refusal(500, "internal", "something is broken; the run's log says what"))

    return guard


def _check_host(request: web.Request) -> None:
    if len(request.headers.getall("Host", ())) != 1 or not _OUR_NAME.fullmatch(request.headers["Host"]):
        message = f"this server is {HOST} or localhost; a proxy in front of it must say so in Host"
        raise _Refused(refusal(421, "wrong_host", message))


def _check_caller(request: web.Request, expected: bytes) -> None:
    """Compare digests of equal length in constant time; exactly one header counts."""
    given = request.headers.getall("Authorization", ())
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
    if not hmac.compare_digest(digest, expected) or scheme.lower() != "bearer":
        _log.warning("a request without the right token: %s %s", request.method, request.path)
        raise _Refused(refusal(401, "unauthorized", "send Authorization: Bearer and the value of API_TOKEN"))


def _handler(desk: Desk, route: Route) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            call = Call(_query(request, route), await _body(request, route))
            return _response(await route.handler(desk, call))
        except MalformedError as exc:
            raise _Refused(refusal(400, "malformed", str(exc))) from exc

    return answer


def _query(request: web.Request, route: Route) -> dict[str, str]:
    """Known parameters, each at most once; raises :class:`MalformedError` that says which are taken."""
    known = {parameter.name: parameter for parameter in route.parameters}
    found: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known or name in found:
            takes = ", ".join(known) or "none"
            raise MalformedError(f"query: each parameter once, and only known ones ({takes})")
        if not re.fullmatch(known[name].pattern, value):
            raise MalformedError(f"query: {name} must be {msgspec.json.encode(known[name].schema).decode()}")
        found[name] = value
    return found


async def _body(request: web.Request, route: Route) -> Body | None:
    if route.body is None:
        return None
    # Anything else could be sent by a form on a web page.
    if request.content_type != JSON or len(request.headers.getall("Content-Type", ())) != 1:
        raise _Refused(refusal(415, "not_json", f"send Content-Type: {JSON}"))
    try:
        async with asyncio.timeout(_BODY_S):
            data = await request.read()
        return msgspec.json.decode(data, type=route.body)
    except TimeoutError:
        raise _Refused(refusal(408, "slow_body", "the body did not come in time")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MalformedError(f"body: {exc}; /openapi.json describes it") from exc


def _http(exc: web.HTTPException) -> web.Response:
    """The framework's own refusals, in our words."""
    code, message = _STATUSES.get(exc.status, ("refused", exc.reason))
    answer = _response(refusal(exc.status, code, message))
    if "Allow" in exc.headers:
        answer.headers["Allow"] = exc.headers["Allow"]
    return answer


def _response(answer: Reply) -> web.Response:
    made = web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})
    if answer.status == 401:
        made.headers["WWW-Authenticate"] = "Bearer"
    return made


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
