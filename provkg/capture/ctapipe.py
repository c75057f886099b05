"""ctapipe's tools with digests: what :class:`ctapipe.core.Provenance` records of files gets size and content digest.

A tool that is yours::

    class MyTool(WithDigests, Tool): ...

Tools that are not, in a process that runs them::

    provkg.capture.ctapipe.install()

The digests stand in ctapipe's own records, as ``digest``, ``size`` and ``undigested`` of each input and output, and
``provkg ingest`` reads them.
"""

import functools
from importlib import import_module
from typing import Any

from provkg.capture.digesting import Digests, Policy
from provkg.capture.facts import file_facts
from provkg.capture.warned import warn

_KINDS = {"input": "used", "output": "generated"}


class WithDigests:
    """A mix-in before ``ctapipe.core.Tool``; ``digests`` says which files and how."""

    digests = Digests(Policy())

    def write_provenance(self) -> None:
        """Add digests to all activities that are finished, and write them as ctapipe does."""
        add_digests(self.digests)
        super().write_provenance()  # type: ignore[misc]


def install(policy: Policy | None = None) -> None:
    """Add digests to what all tools of this process write; a second time changes nothing."""
    tool: Any = import_module("ctapipe.core").Tool
    if getattr(tool.write_provenance, "by_provkg", False):
        return
    digests, original = Digests(policy or Policy()), tool.write_provenance

    @functools.wraps(original)
    def write_provenance(self: Any) -> None:
        add_digests(digests)
        original(self)

    write_provenance.by_provkg = True  # type: ignore[attr-defined]
    tool.write_provenance = write_provenance


def add_digests(digests: Digests) -> None:
    """Add what is missing to the records of the activities that this process has finished."""
    try:
        for activity in import_module("ctapipe.core").Provenance().finished_activities:
            for key, kind in _KINDS.items():
                for entry in getattr(activity, key) if digests.policy.wants(kind) else ():
                    if "digest" not in entry and "undigested" not in entry:
                        entry.update(_facts(str(entry.get("url") or ""), digests))
    except Exception as error:  # noqa: BLE001 - the tool that is watched goes on
        warn(f"provkg could not add digests to ctapipe's records: {error!r}", level=4)


def _facts(path: str, digests: Digests) -> dict[str, Any]:
    facts = file_facts(path)
    if "size" not in facts:
        return {"undigested": "it is not there"}
    return {"size": facts["size"], **digests.of(facts)}
