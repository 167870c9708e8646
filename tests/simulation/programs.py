"""What can be put under simulation, by name."""

from __future__ import annotations

from tests.simulation import service
from tests.simulation.process import Program

PROGRAMS: dict[str, Program] = {"service": service.trade}
