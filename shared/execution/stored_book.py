"""The stored risk book: one document an account, read whole, changed by compare-and-set, never guessed.

A book that is missing or makes no sense is an error to whoever reads it: nothing is assumed in its place.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from shared import cas
from shared.clock import Clock, Instant
from shared.errors import AlreadyExistsError, ConfigError, ConflictError
from shared.money import ZERO_USD, Usd
from shared.ports import Create, Document, Documents, Replace, Value, Write
from shared.risk.book import Book, Holding, Reservation, decode_book, encode_book
from shared.risk.breaker import Person

# The account that an executor trades for, unless it is told another.
ACCOUNT = "main"
# What has happened must be booked, whoever else is writing. Measured with eight processes that do nothing but
# write: thirty races in a row are lost once in ten thousand times.
FACT_ATTEMPTS = 10 * cas.ATTEMPTS


class StoredBook:
    """The book of one account at ``risk/{account}``."""

    def __init__(self, documents: Documents, account: str, clock: Clock, rng: random.Random) -> None:
        self.documents, self.account, self.clock, self._rng = documents, account, clock, rng
        self.path = f"risk/{account}"
        # As this process last saw it; before that, an account without money.
        self.seen = Book(ZERO_USD, confirmed_at=Instant(0), deposits=ZERO_USD)
        # The same with the document it stands in; ``None`` when what is stored is not known.
        self.latest: tuple[Book, Document] | None = None
        # When this process last saw money move.
        self.moved_at = clock.now()

    async def open(
        self, cash: Usd, holdings: Mapping[str, Holding] | None = None, stated_at: Instant = Instant(0)
    ) -> bool:
        """Start a book with what the account has; ``False`` if there is one, which stays as it is.

        ``stated_at`` is up to when the venue's fills are in these numbers.
        """
        now = self.clock.now()
        held = holdings or {}
        cost = sum(one.position.cost for one in held.values())
        deposits = Usd(cash + cost)
        book = Book(cash, now, deposits, stated_at=stated_at, holdings=held).rolled(now)
        try:
            await self.documents.create(self.path, encode_book(book))
        except AlreadyExistsError:
            await self.read()
            return False
        self._note(book)
        return True

    async def read(self) -> Book:
        """The book as it is stored; raises an ``ArbError`` when it cannot be read or trusted."""
        return (await self.found())[0]

    async def unfinished(self) -> dict[str, Reservation]:
        """Every order that may still spend, by client order id: what recovery asks the venue about."""
        return dict((await self.read()).reserved)

    async def confirm(self) -> None:
        """The venue has just agreed with the book; without this no order passes after a while."""
        await self._change(lambda book: replace(book, confirmed_at=self.clock.now()))

    async def exists(self) -> bool:
        """Whether the account was ever opened."""
        return await self.documents.get(self.path) is not None

    async def resume(self, at: Instant) -> None:
        """A person let trading go on at ``at``: the run of losses before it is over."""
        if not await self.exists():
            return  # nothing was lost yet
        await self._change(lambda book: book.resumed(at))

    async def fence(self, epoch: int) -> None:
        """From now on no executor of an earlier lease epoch can reserve."""
        await self._change(lambda book: replace(book, epoch=max(book.epoch, epoch)))

    async def deposit(self, amount: Usd) -> None:
        """The venue has ``amount`` more cash than was traded: money put in, or interest."""
        await self._change(
            lambda book: replace(book, cash=Usd(book.cash + amount), deposits=Usd(book.deposits + amount))
        )

    async def restate(
        self,
        seq: int,
        cash: Usd,
        holdings: dict[str, Holding],
        by: Person,
        reason: str,
        stated_at: Instant = Instant(0),
    ) -> None:
        """Make the book say what the venue says, on a person's word; kept in ``risk-corrections``.

        ``seq`` is that of the book the person compared; raises :class:`ConflictError` if it changed since.
        """
        book, found = await self.found()
        if book.seq != seq:
            raise ConflictError(f"{self.path} is at {book.seq}, not {seq}: compare again")
        correction: Value = {
            "account": self.account,
            "at": self.clock.now(),
            "actor": by.name,
            "reason": reason,
            "before": found.value,
        }
        path = f"risk-corrections/{self.account}-{seq:012}"
        cost = sum(one.position.cost for one in holdings.values())
        # What the venue has beyond what was traded is money put in, or taken out.
        deposits = Usd(cash + cost - book.pnl)
        stated_at = max(book.stated_at, stated_at)
        after = replace(book, cash=cash, holdings=holdings, deposits=deposits, stated_at=stated_at)
        await self.batch([Create(path, correction), self.write(after, found)], after)

    # --- for steps that change the book together with other documents ---------------------------------------

    async def found(self) -> tuple[Book, Document]:
        """The book and the document it stands in."""
        found = await self.documents.get(self.path)
        if found is None:
            raise ConfigError(f"{self.path} does not exist: open it with the account's cash first")
        book = decode_book(found.value)
        self._note(book)
        self._keep(book, found)
        return book, found

    async def batch(self, writes: Sequence[Write], after: Book) -> None:
        """Write ``after``, by :meth:`write`, together with other documents: all or nothing."""
        self.latest = None
        versions = await self.documents.batch(writes)
        made = replace(after, seq=after.seq + 1)
        self._note(made)
        for write, version in zip(writes, versions, strict=True):
            if isinstance(write, Replace) and write.path == self.path:
                self._keep(made, Document(self.path, write.value, version))

    def write(self, book: Book, found: Document) -> Replace:
        """The write of ``book`` as the next state after ``found``."""
        return Replace(self.path, encode_book(replace(book, seq=book.seq + 1)), found.version)

    async def retried(self, step: Callable[[], Awaitable[cas.T]], attempts: int = FACT_ATTEMPTS) -> cas.T:
        """Run a step until it loses no race; it must read by :meth:`found` what it writes by."""

        async def once() -> cas.T:
            remembered = self.latest is not None
            try:
                return await step()
            except ConflictError:
                if not remembered:
                    raise
                # What was remembered was old, and is forgotten: no race was lost yet.
                return await step()

        return await cas.retried(once, self.path, clock=self.clock, rng=self._rng, attempts=attempts)

    def _keep(self, book: Book, found: Document) -> None:
        if self.latest is None or found.version >= self.latest[1].version:
            self.latest = book, found

    def _note(self, book: Book) -> None:
        before, self.seen = self.seen, book
        if (book.cash, book.deposits, book.pnl) != (before.cash, before.deposits, before.pnl):
            self.moved_at = self.clock.now()

    async def _change(self, change: Callable[[Book], Book]) -> None:
        async def step() -> None:
            book, found = await self.found()
            after = change(book)
            if after != book:
                await self.batch([self.write(after, found)], after)

        await self.retried(step)
