"""A roll-up as data: every node and relation with its members, so that nothing that is folded is lost."""

from typing import Any

from provkg.rollup import Fold, FoldedRelation, Rollup


def data(rollup: Rollup, title: str, caption: str) -> dict[str, Any]:
    """Return a roll-up as JSON has it: nodes and relations with their members, and the relations inside a node."""
    return {
        "title": title,
        "caption": caption,
        "nodes": [_node(fold, rollup) for fold in rollup.folds.values()],
        "relations": [_relation(each) for each in rollup.relations],
        "inside": [list(each) for each in rollup.inside],
    }


def _node(fold: Fold, rollup: Rollup) -> dict[str, Any]:
    facts = {
        "type": fold.type,
        "label": fold.label,
        "start": fold.start,
        "end": fold.end,
        "statuses": dict(sorted(fold.statuses.items())),
        "marks": dict(sorted(fold.marks.items())),
        "keys": fold.keys,
        "parameters": fold.parameters,
        "differing": fold.differing,
        "focus": fold.count == 1 and fold.iri in rollup.focus,
    }
    members = [member.iri for member in fold.members]
    known = {name: value for name, value in facts.items() if value}
    return {"iri": fold.iri, "kind": fold.kind, "count": fold.count, **known, "members": members}


def _relation(each: FoldedRelation) -> dict[str, Any]:
    ends = {"kind": each.kind, "subject": each.subject, "object": each.object}
    role = {"role": each.role} if each.role else {}
    return {**ends, **role, "count": len(each.members), "members": [[one.subject, one.object] for one in each.members]}
