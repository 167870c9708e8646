"""``arb sim``: the simulated venues on a loopback port."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from shared.cli.output import console
from shared.clock import Clock, Instant, ScaledClock, SystemClock
from shared.errors import ConfigError
from shared.simulator.scenario import Scenario, read
from shared.simulator.schedule import DEMO, REAL_TIME
from shared.simulator.server import serve
from shared.simulator.world import World

# A machine too slow for the speed asked for gets a slower season instead of a late one.
_STRIDE_S = 5.0


def sim_command(port: int, seed: int, speed: float, seconds: float | None, file: Path | None) -> None:
    """Serve until Ctrl-C, or for ``seconds``."""
    # ``not``: no comparison with NaN is true.
    if not 0.1 <= speed <= 600:
        raise ConfigError(f"--speed {speed:g}: choose 0.1 to 600 simulated seconds per second")
    scenario = None if file is None else read(file)
    start = Instant(time.time_ns() // 1000)
    clock: Clock = SystemClock() if speed == 1.0 else ScaledClock(start, speed, _STRIDE_S)
    world = World(seed, start, REAL_TIME if speed == 1.0 else DEMO)
    try:
        asyncio.run(_serve(world, clock, port, seconds, scenario))
    except KeyboardInterrupt:
        console.print("stopped")
    except OSError as exc:
        raise ConfigError(f"port {port} cannot be used ({exc.strerror}); choose another with --port") from exc


async def _serve(
    world: World, clock: Clock, port: int, seconds: float | None, scenario: Scenario | None
) -> None:
    async with serve(world, clock, port=port, scenario=scenario) as urls:
        console.print("simulated venues are up; point any client at them with these settings:")
        for name, value in (
            ("KALSHI_BASE_URL", urls.kalshi_base_url),
            ("KALSHI_WS_URL", urls.kalshi_ws_url),
            ("KALSHI_KEY_ID", urls.key_id),
            ("KALSHI_PRIVATE_KEY", urls.private_key_pem.replace("\n", "\\n")),
            ("ODDS_API_BASE_URL", urls.odds_base_url),
            ("ODDS_API_KEY", urls.odds_api_key),
        ):
            console.print(f"{name}={value}", highlight=False, soft_wrap=True)
        console.print(
            f"faults and the exchange's own books: {urls.control_url}/scenario, {urls.control_url}/truth",
            highlight=False,
            soft_wrap=True,
        )
        await asyncio.sleep(seconds if seconds is not None else float("inf"))
