"""Go on watching: wait for changes, read them, let others write between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from provkg.errors import StoreError, StoreLocked
from provkg.ingest.summary import Summary
from provkg.store import Session, Store
from provkg.watch.changes import Changes
from provkg.watch.rules import Alarm, Rules
from provkg.watch.watching import Batch, Watching

_WAIT_SECONDS = 1.0  # without a change, until another process may write
_TURN_SECONDS = 0.1  # in which another process that waits takes its turn
_MOST_WAIT_SECONDS = 30.0  # between two tries to write a store that cannot be written


def run(
    store: Store, paths: Sequence[Path], *, poll: bool, stop: Event, rules: Rules | None = None
) -> Iterator[Batch | Alarm | StoreError]:
    """Read what is there, then what comes, until it is told to stop; a batch that has begun is ended.

    Args:
        store: the store to write.
        paths: files that are there, and folders.
        poll: look at each file again and again, whatever the file system is.
        stop: ends it.
        rules: speak up when they see trouble.

    Yields:
        what each transaction did; the alarms of the rules; an error where the store could not be written, which is
        tried again.

    Raises:
        InputError: a path is not there.
    """
    changes, watching, writer = Changes(paths, poll=poll, stop=stop), Watching(store, paths), _Writer(store)
    rules = rules or Rules(frozenset())
    waiting = changes.wait(_WAIT_SECONDS)
    pending = next(waiting, set())  # what changes from here on is told of, so all that is there can be looked at
    pending |= watching.everything()
    if not pending:
        yield Batch(Summary())
    try:
        while not stop.is_set():
            if pending:
                found = writer.batch(watching, pending)
                if isinstance(found, StoreError):
                    if not isinstance(found, StoreLocked):
                        yield found
                    stop.wait(writer.patience)
                    continue
                pending = set()
                yield found
                if found.summary.touched:
                    yield from rules.look(store.read(), found.summary.activities, found.summary.sessions)
            changed = next(waiting, None)
            if changed is None:
                break
            if not changed or store.wanted():
                writer.close()
            changed |= watching.left() if not changed else set()
            if store.wanted():
                stop.wait(_TURN_SECONDS)
            pending |= changed
            if rules.running:
                yield from rules.tick(store.read())
    finally:
        writer.close()
        watching.close()


class _Writer:
    """Is the one who writes a store, while there is something to write; ``patience`` is how long to wait in seconds."""

    def __init__(self, store: Store) -> None:
        self.store, self.open = store, ExitStack()
        self.opened: Session | None = None
        self.patience = 0.0

    def batch(self, watching: Watching, pending: set[Path]) -> Batch | StoreError:
        """Write a batch; return the error where that could not be done, and is to be tried again."""
        try:
            if self.opened is None:
                self.opened = self.open.enter_context(self.store.session())
            found = watching.batch(self.opened, pending)
        except StoreError as error:
            self.close()
            self.patience = min(_MOST_WAIT_SECONDS, 2 * self.patience or 0.1)
            return error
        self.patience = 0.0
        return found

    def close(self) -> None:
        """Let others write."""
        self.open.close()
        self.opened = None
