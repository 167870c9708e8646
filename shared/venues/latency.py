"""How far the venues are from here: time to open a line, and time of one question on a line that is open.

Any answer counts, also a refusal: what is measured is the way, not the venue's mood. Run it from every region
that is in question before state is put anywhere; a database cannot be moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from urllib.parse import urlsplit

from shared.config import Settings
from shared.errors import ArbError
from shared.venues.http import Transport

LINES, QUESTIONS = 5, 20
_MS = 1_000_000
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, and by which name it is told of."""

    name: str
    url: str

    @property
    def host(self) -> str:
        """Host of the address."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds to one target; ``None`` where nothing was answered. ``error`` is the last one seen."""

    name: str
    host: str
    connect_ms: float | None
    median_ms: float | None
    p90_ms: float | None
    answered: int
    failed: int
    error: str = ""


def targets(settings: Settings) -> tuple[Target, ...]:
    """The venues of ``settings``: orders and listings, the book stream's host, odds, the second exchange."""
    stream = urlsplit(settings.kalshi_ws_url)
    scheme = "http" if stream.scheme == "ws" else "https"
    return (
        Target("kalshi", f"{settings.kalshi_base_url}/exchange/status"),
        Target("kalshi stream", f"{scheme}://{stream.netloc}/"),
        Target("odds api", f"{settings.odds_api_base_url}/sports"),
        Target("polymarket", f"{settings.polymarket_clob_url}/time"),
    )


async def measure(
    target: Target,
    open_line: Callable[[], Transport],
    ticks: Callable[[], int],
    lines: int = LINES,
    questions: int = QUESTIONS,
) -> Latency:
    """Open ``lines`` lines one after the other and ask ``questions`` times on each, the first not counted.

    ``ticks`` counts nanoseconds and never runs backwards.
    """
    opened: list[float] = []
    asked: list[float] = []
    errors: list[str] = []
    for _ in range(lines):
        transport = open_line()
        try:
            opened.append(await _timed(transport, target.url, ticks))
            asked += [await _timed(transport, target.url, ticks) for _ in range(questions)]
        except ArbError as exc:
            errors.append(str(exc))
        finally:
            await transport.close()
    return Latency(
        name=target.name,
        host=target.host,
        connect_ms=_rounded(median(opened)) if opened else None,
        median_ms=_rounded(median(asked)) if asked else None,
        p90_ms=_rounded(_p90(asked)) if asked else None,
        answered=len(opened) + len(asked),
        failed=len(errors),
        error=errors[-1] if errors else "",
    )


async def _timed(transport: Transport, url: str, ticks: Callable[[], int]) -> float:
    start = ticks()
    await transport.request("GET", url, seconds=_SECONDS)
    return (ticks() - start) / _MS


def _p90(values: Sequence[float]) -> float:
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]


def _rounded(value: float) -> float:
    return round(value, 2)
