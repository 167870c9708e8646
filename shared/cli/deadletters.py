"""``arb deadletters``: what no handler could use, and having it delivered again once the cause is mended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from shared.cli.output import console, escape, print_json, table
from shared.clock import SystemClock, format_instant
from shared.config import Backend, load
from shared.errors import ConfigError

if TYPE_CHECKING:
    from shared.backends.gcp.dead_letters import DeadLetters, Letter

T = TypeVar("T")

deadletters = typer.Typer(help="Messages that could not be used, in the cloud.", no_args_is_help=True)

Topic = Annotated[str, typer.Option(help="Only letters that were first published on this topic.")]
Event = Annotated[str, typer.Option("--event", help="Only the letter with this event id, or its beginning.")]
Limit = Annotated[int, typer.Option(min=1, help="Look at no more than this many.")]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON instead of tables.")]

_SAMPLE_CHARACTERS = 500


@deadletters.command(name="list")
def list_(topic: Topic = "", event: Event = "", limit: Limit = 1_000, json: Json = False) -> None:
    """What waits, oldest first, with the reason; everything stays where it is."""
    found = [one for one in _with(lambda letters: letters.waiting(limit)) if _matches(one, topic, event)]
    _show(found, "Dead letters", json)


@deadletters.command()
def replay(
    topic: Topic = "",
    event: Event = "",
    limit: Limit = 1_000,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Publish letters on their own topics again and take them out: after the cause was mended."""
    if not yes:
        typer.confirm("Is the cause mended, and should these messages be delivered again?", abort=True)
    done = _with(lambda letters: letters.replay(lambda one: _matches(one, topic, event), limit))
    _show(done, "Delivered again", json)


def _matches(letter: Letter, topic: str, event: str) -> bool:
    return letter.topic.startswith(topic) and letter.event_id.startswith(event)


def _show(letters: list[Letter], title: str, json: bool) -> None:
    if json:
        print_json([_plain(letter) for letter in letters])
        return
    rows = [
        (format_instant(one.buried_at)[:19], one.topic or "?", one.event_id[:12], len(one.data), one.reason)
        for one in letters
    ]
    if rows:
        console.print(table(title, ("buried", "topic", "event", ">bytes", "reason"), rows))
    console.print(escape(f"{len(rows)} letters"))


def _plain(letter: Letter) -> dict[str, object]:
    return {
        "buried_at": format_instant(letter.buried_at),
        "topic": letter.topic,
        "event_id": letter.event_id,
        "trace_id": letter.trace_id,
        "reason": letter.reason,
        "bytes": len(letter.data),
        "sample": letter.data[:_SAMPLE_CHARACTERS].decode(errors="replace"),
    }


def _with(work: Callable[[DeadLetters], Awaitable[T]]) -> T:
    settings = load()
    if settings.backend is not Backend.GCP:
        raise ConfigError(
            "dead letters are kept in the cloud: set BACKEND=gcp and GOOGLE_CLOUD_PROJECT. On one machine"
            " unusable input is in the history's quarantine table"
        )
    from shared.backends.gcp.bus import PubSubBus
    from shared.backends.gcp.dead_letters import DeadLetters

    async def scoped() -> T:
        bus = PubSubBus(settings.google_cloud_project, SystemClock())
        letters = DeadLetters(settings.google_cloud_project, bus)
        try:
            return await work(letters)
        finally:
            await letters.close()
            await bus.close()

    return asyncio.run(scoped())
