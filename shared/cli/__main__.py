"""Entry point of ``arb``: names the missing extra when only the core is installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec

# What every command needs beyond the core; a deployed function does without.
_LOCAL = ("duckdb", "rich", "typer")


def main() -> None:
    """Run ``arb``, or say what to install."""
    if missing := [name for name in _LOCAL if find_spec(name) is None]:
        sys.exit(f"arb needs {', '.join(missing)}: pip install 'kalshi-arb[local]'")
    from shared.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
