"""What the props processor keeps between runs: the memory of rows, and the lines that are served.

``prop_changes/{day}_{part}`` remembers what was written (:mod:`shared.props.changes`), split so that no
document grows large; ``prop_lines/{day}_{player}`` holds each prop's lines.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from shared.cas import Change, update_each
from shared.clock import Clock, Instant
from shared.errors import ConflictError
from shared.ids import digest
from shared.ports import Documents, Value
from shared.props import changes
from shared.props.serving import PropLines, merged

CHANGES, LINES = "prop_changes", "prop_lines"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """One row to be judged: where its memory is, which row it is, when it was seen, what it says."""

    part: str
    key: str
    at: Instant
    content: str


class ChangeMemory:
    """Memory of what was written, a day at a time."""

    def __init__(self, documents: Documents, clock: Clock, rng: random.Random) -> None:
        self._documents, self._clock, self._rng = documents, clock, rng

    async def news(self, day: str, rows: Sequence[T], item_of: Callable[[T], Item]) -> list[T]:
        """The rows that say something new, in their order."""
        found: list[T] = []
        for members in _by_part(rows, item_of).values():
            document = await self._documents.get(_path(day, members[0][0].part))
            held = document.value["rows"] if document else {}
            found += [
                row
                for item, row in members
                if changes.is_news(held.get(_key(item), ()), item.at, item.content)
            ]
        return found

    async def remember(self, day: str, rows: Iterable[T], item_of: Callable[[T], Item]) -> None:
        """Note that these rows have been written."""

        def noting(items: Sequence[Item]) -> Change:
            def noted(held: Value | None) -> Value:
                memory = dict(held["rows"]) if held else {}
                for item in items:
                    key = _key(item)
                    memory[key] = list(changes.remembered(memory.get(key, ()), item.at, item.content))
                return {"day": day, "rows": memory}

            return noted

        parts = _by_part(rows, item_of).items()
        noted = {_path(day, part): noting([item for item, _ in members]) for part, members in parts}
        await update_each(self._documents, noted, clock=self._clock, rng=self._rng)

    async def purge(self, before: str) -> int:
        """Forget the days before ``before``; gives how many documents went."""
        gone = 0
        for collection in (CHANGES, LINES):
            for document in await self._documents.query(collection, limit=100_000):
                if document.value["day"] < before:
                    with suppress(ConflictError):
                        await self._documents.delete_if(document.path, document.version)
                        gone += 1
        return gone


def _by_part(rows: Iterable[T], item_of: Callable[[T], Item]) -> dict[str, list[tuple[Item, T]]]:
    found: dict[str, list[tuple[Item, T]]] = {}
    for row in rows:
        item = item_of(row)
        found.setdefault(item.part, []).append((item, row))
    return found


def _path(day: str, part: str) -> str:
    return f"{CHANGES}/{day}_{part}"


def _key(item: Item) -> str:
    return digest(item.key)[:12]


class LineStore:
    """The served lines of each player and day."""

    def __init__(self, documents: Documents, clock: Clock, rng: random.Random) -> None:
        self._documents, self._clock, self._rng = documents, clock, rng

    async def keep(self, day: str, lines: Mapping[str, Mapping[str, PropLines]]) -> None:
        """Add what is new about each player, by lookup; of two sightings the later counts."""

        def keeping(player: str, props: Mapping[str, PropLines]) -> Change:
            def kept(held: Value | None) -> Value | None:
                known = msgspec.convert(held["props"], dict[str, PropLines]) if held else {}
                news = known | {prop: merged(known.get(prop), said) for prop, said in props.items()}
                if held and news == known:
                    return None
                return {"day": day, "player": player, "props": msgspec.to_builtins(news)}

            return kept

        kept = {f"{LINES}/{day}_{player}": keeping(player, props) for player, props in lines.items()}
        await update_each(self._documents, kept, clock=self._clock, rng=self._rng)

    async def of(self, day: str, player_lookup: str) -> dict[str, PropLines]:
        """Lines of one player by prop; empty when nothing is known."""
        document = await self._documents.get(f"{LINES}/{day}_{player_lookup}")
        return msgspec.convert(document.value["props"], dict[str, PropLines]) if document else {}
