"""Execution: the always-on service. It holds live books, trades signals, follows every order to its end.

Run as ``python -m functions.execution.main``. It ends at SIGTERM within ten seconds: nothing new is taken in,
what rests is canceled, what is known is stored, the lease is given up.
"""

from __future__ import annotations

import asyncio

from shared.executor import serve


def main() -> None:
    """Entry point of the container: serve until told to end."""
    asyncio.run(serve())


if __name__ == "__main__":
    main()
