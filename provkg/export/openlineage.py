"""Steps as OpenLineage run events, one JSON object in a line: for Marquez, DataHub and others.

A step is a run of the job of its type; what it read and made are datasets with the version that it was. A step of which
no time is known cannot be told: events have a time. Source: https://openlineage.io/spec/2-0-2/OpenLineage.json
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from provkg.identity import printable
from provkg.rollup import ACTIVITY, ENTITY, Fold, Rollup

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets/"
_VERSION = _FACETS + "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
_PARAMETERS = _FACETS + "1-0-0/ExecutionParametersRunFacet.json#/$defs/ExecutionParametersRunFacet"
_PARENT = _FACETS + "1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet"
_ENDED = {"completed": "COMPLETE", "failed": "FAIL", "interrupted": "ABORT"}
_PRODUCER = "https://w3id.org/provkg/ns"


def write_openlineage(rollups: Iterable[Rollup], output: BinaryIO, *, site: str = "site") -> int:
    """Write the start and the end of each step, and return how many steps have no time and are left out.

    Args:
        rollups: that fold nothing.
        output: where to.
        site: of the absolute paths.
    """
    left_out, told = 0, set()
    for rollup in rollups:
        used, made = defaultdict(list), defaultdict(list)
        for each in rollup.relations:
            if each.kind == "used":
                used[each.subject].append(each.object)
            elif each.kind == "wasGeneratedBy":
                made[each.object].append(each.subject)
        for fold in rollup.folds.values():
            if fold.kind != ACTIVITY or fold.iri in told:
                continue
            told.add(fold.iri)
            inputs = [_dataset(rollup.folds[name], site) for name in sorted({*used[fold.iri]})]
            outputs = [_dataset(rollup.folds[name], site) for name in sorted({*made[fold.iri]})]
            events = [*_events(fold, rollup.base, inputs, outputs)]
            left_out += not events
            for event in events:
                line = json.dumps(event, ensure_ascii=False)
                output.write(f"{line}\n".encode("utf-8", "backslashreplace"))
    return left_out


def _events(fold: Fold, base: str, inputs: list[Any], outputs: list[Any]) -> Iterator[dict[str, Any]]:
    """Give the events of a step: at its start and at its end, as far as they are known."""
    status = next(iter(fold.statuses), "")
    job = {"namespace": base, "name": printable(fold.type or "unknown")}
    run = {"runId": run_id(fold.iri), "facets": _run_facets(fold, base)}
    times = (("START", fold.start), (_ENDED.get(status, "OTHER"), fold.end))
    for kind, time in times:
        if time:
            yield {
                "eventType": kind,
                "eventTime": time,
                "run": run,
                "job": job,
                "inputs": inputs,
                "outputs": outputs if kind != "START" else [],
                "producer": _PRODUCER,
                "schemaURL": _SPEC,
            }


def run_id(iri: str) -> str:
    """Return the UUID of a step: the one that it has, as ctapipe's do, else one made of its IRI.

    >>> run_id("https://a.example/activity/ctapipe/a906922f-a4b9-49c4-b753-a1eef0836085")
    'a906922f-a4b9-49c4-b753-a1eef0836085'
    """
    last = iri.rpartition("/")[2]
    try:
        return str(uuid.UUID(last)) if len(last) == 36 else str(uuid.uuid5(uuid.NAMESPACE_URL, iri))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, iri))


def _run_facets(fold: Fold, base: str) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    if fold.parameters:
        parameters = [{"key": printable(name), "value": value} for name, value in fold.parameters.items()]
        facets["executionParameters"] = {"_producer": _PRODUCER, "_schemaURL": _PARAMETERS, "parameters": parameters}
    session = fold.members[0].session
    if session:
        parent = {"run": {"runId": run_id(session)}, "job": {"namespace": base, "name": session}}
        facets["parent"] = {"_producer": _PRODUCER, "_schemaURL": _PARENT, **parent}
    return facets


def _dataset(fold: Fold, site: str) -> dict[str, Any]:
    """Return a product: where it lies, and which version of that it is."""
    path = fold.label if fold.kind == ENTITY and fold.label.startswith("/") else ""
    facet = {"_producer": _PRODUCER, "_schemaURL": _VERSION, "datasetVersion": fold.iri}
    where = (f"file://{site}", path) if path else (_PRODUCER, fold.iri)
    return {"namespace": where[0], "name": where[1], "facets": {"version": facet}}
