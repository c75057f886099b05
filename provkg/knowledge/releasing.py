"""What the library releases: a copy without private data, through a gate, with a manifest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from provkg.errors import StoreError
from provkg.knowledge.exchange import Exchange
from provkg.store import EmbeddedStore

if TYPE_CHECKING:  # each is imported by the call that needs it
    from provkg.releasing import Leak, Policy, Redaction


class Release(NamedTuple):
    """What came of a release.

    Args:
        redaction: what was replaced.
        leaks: what the gate found; where there is any, nothing was written.
        manifest: what was removed, as JSON; empty where nothing was written.
    """

    redaction: Redaction
    leaks: list[Leak]
    manifest: dict[str, Any]


class _Stopped(Exception):
    """The gate is closed: nothing of the transaction becomes visible."""


def _stop_at(found: list[Leak]) -> None:
    if found:
        raise _Stopped


class Releasing(Exchange):
    """A store of which a copy may be told to everybody."""

    def release(self, policy: str | Path, folder: str | Path) -> Release:
        """Write a copy of the store without private data; see :mod:`provkg.releasing`.

        Args:
            policy: a TOML file that says what is done with each kind.
            folder: another embedded store; what was in it is replaced, at once, if the gate finds nothing.

        Raises:
            InputError: the policy cannot be read, or two names would become one.
            StoreError: the folder cannot be written, or is this store.
        """
        from provkg.knowledge.checks import index_again
        from provkg.releasing import leaks, manifest, read_policy, redacted

        said, graph, target = read_policy(policy), self.graph(), Path(folder)
        if isinstance(self.store, EmbeddedStore) and target.resolve() == self.store.path.resolve():
            raise StoreError(f"{folder} is the store itself", hint="name another folder")
        rows = self.ask("private-data", kinds="*")
        pairs = [(str(row["kind"]), str(row["what"])) for row in rows]
        found: list[Leak] = []
        try:
            with EmbeddedStore(target, replace(self.config, base=graph.base)).write() as writing:
                redaction = redacted(graph, pairs, said, writing)
                found = leaks(writing.graph, said, redaction.values)
                _stop_at(found)
                index_again(writing)
                facts = self._facts(writing.graph.digest(), graph.base)
        except _Stopped:
            return Release(redaction, found, {})
        return Release(redaction, [], manifest(redaction, said, facts))

    def leaks(self, policy: str | Path | None = None) -> list[Leak]:
        """Return what a gate finds in the store as it is: by a policy, or by one that keeps nothing.

        Raises:
            InputError: the policy cannot be read.
        """
        from provkg.releasing import Policy, leaks, read_policy

        said: Policy = read_policy(policy) if policy is not None else Policy({})
        rows = self.ask("private-data", kinds="*")
        pairs = [(str(row["kind"]), str(row["what"])) for row in rows if row["kind"] != "environment"]
        return leaks(self.graph(), said, [pair for pair in pairs if said.action(pair[0]) != "keep"])

    def _facts(self, digest: str, base: str) -> dict[str, Any]:
        from importlib.metadata import version  # slow to import

        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"digest": digest, "base": base, "provkg": version("provkg"), "released": when}
