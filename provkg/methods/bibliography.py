"""What to cite for a product: itself, the software and the data that it was made with, as BibTeX, CFF or CSL JSON."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from provkg.errors import InputError
from provkg.histories import History, recipes_of
from provkg.identity import harmless, one_line

SHIPPED = Path(__file__).parent / "software.yaml"
_FIELDS = ("title", "authors", "year", "journal", "booktitle", "volume", "pages", "doi", "url")
_TYPES = ("article", "inproceedings", "software", "misc")
_SPECIAL = {
    **{each: "\\" + each for each in "&%$#_"},
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_CFF = {
    "article": "article",
    "inproceedings": "conference-paper",
    "software": "software",
    "dataset": "data",
    "misc": "generic",
}
_CSL = {
    "article": "article-journal",
    "inproceedings": "paper-conference",
    "software": "software",
    "dataset": "dataset",
    "misc": "document",
}
Known = dict[str, list[dict[str, Any]]]


class Entry(NamedTuple):
    """Something to cite: ``fields`` are pairs of a field of BibTeX and its text; an author in braces is no person."""

    key: str
    kind: str
    authors: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Citations:
    """What to cite for a product; ``unknown`` are programs of which no citation is on record."""

    entries: tuple[Entry, ...]
    accounts: tuple[str, ...]
    unknown: tuple[str, ...]

    def bibtex(self) -> str:
        """Return BibTeX; what stands in records is escaped."""
        return "\n".join(map(_bibtex, self.entries))

    def cff(self) -> str:
        """Return a CITATION.cff 1.2.0 of the product, with the others as references."""
        first, *others = (_cff(each) for each in self.entries)
        facts = {
            "cff-version": "1.2.0",
            "message": "Cite this data and what it was made with.",
            "type": "dataset",
            **{key: value for key, value in first.items() if key != "type"},
            "references": others,
        }
        return str(yaml.safe_dump(facts, sort_keys=False, allow_unicode=True))

    def csl(self) -> str:
        """Return CSL JSON. https://citeproc-js.readthedocs.io/en/latest/csl-json/markup.html."""
        return json.dumps([_csl(each) for each in self.entries], ensure_ascii=False, indent=1)


def read_known(paths: Iterable[str | Path] = ()) -> Known:
    """Read how software is cited: ours, then files of the user's, which win.

    Raises:
        InputError: a file is no YAML of that form.
    """
    found: Known = {}
    for path in (SHIPPED, *map(Path, paths)):
        try:
            data = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
            raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
        if not isinstance(data, dict):
            raise InputError(f"{path}: no mapping of programs to citations", hint="name: [{title: …, doi: …}]")
        for name, entries in data.items():
            found[str(name).lower()] = [_checked(path, str(name), each) for each in _list(entries)]
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _checked(path: Path, name: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict) or not entry.get("title"):
        raise InputError(f"{path}: a citation of {name} without a title")
    if entry.get("type", "misc") not in _TYPES:
        raise InputError(f"{path}: {name}: type {entry['type']!r} is none of {', '.join(_TYPES)}")
    return entry


def citations(history: History, known: Known, *, packages: bool = False) -> Citations:
    """Return what to cite for the first target of a history.

    Args:
        history: how it was made.
        known: how software is cited; see :func:`read_known`.
        packages: also the packages of all environments, of which a citation is known.
    """
    programs = {each for step in history.steps for each in step.process.software}
    installed = {each for some in history.packages.values() for each in some if each[0].lower() in known}
    used = sorted(programs | (installed if packages else set()))
    entries = [_product(history), *(each for name in used for each in _software(*name, known)), *_data(history)]
    unknown = sorted({name for name, _ in programs if name.lower() not in known})
    accounts = sorted({agent for step in history.steps for agent in step.process.agents})
    return Citations(tuple(_with_keys(entries)), tuple(accounts), tuple(unknown))


def _product(history: History) -> Entry:
    target = history.products[history.targets[0]]
    makers = history.makers.get(target.iri, [])
    year = max((step.end[:4] or step.start[:4] for step in makers), default="")
    notes = [
        f"recipe digest {recipes_of(history).products[target.iri]}",
        *(f"content {each}" for each in target.digests),
    ]
    accounts = sorted({agent for step in makers for agent in step.process.agents})
    notes += [f"made under the account {', '.join(accounts)}"] if accounts else []
    title = target.location.rpartition("/")[2] or target.shown
    fields = (("title", title), ("year", year), ("url", target.iri), ("note", "; ".join(notes)))
    return Entry(f"product {title}", "dataset", (), tuple((key, value) for key, value in fields if value))


def _software(name: str, version: str, known: Known) -> Iterator[Entry]:
    """Give the entries of a program in a version; one without a known citation has its name and version only."""
    for each in known.get(name.lower()) or [{"title": name, "type": "software"}]:
        fields = [(key, str(each[key])) for key in _FIELDS if key != "authors" and each.get(key)]
        fields += [("version", version)] if each.get("type", "misc") in ("software", "misc") else []
        fields += [("note", f"{name} {version} was used")] if each.get("type") not in ("software", "misc") else []
        authors = tuple(map(str, _list(each.get("authors") or [])))
        yield Entry(f"{name} {version} {each.get('year', '')}", str(each.get("type", "misc")), authors, tuple(fields))


def _data(history: History) -> Iterator[Entry]:
    """Give an entry for the raw data of each level and folder."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for product in history.outside():
        if product.is_raw:
            folder, _, name = product.location.rpartition("/")
            groups[max(product.levels), folder].append(name)
    for (level, folder), names in sorted(groups.items()):
        title = f"{level} data in {folder or 'an unknown place'}"
        note = f"{len(names)} files: {min(names)} to {max(names)}" if len(names) > 1 else names[0]
        yield Entry(f"data {level} {folder.rpartition('/')[2]}", "dataset", (), (("title", title), ("note", note)))


def _with_keys(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Give each entry a key of plain letters of its own."""
    seen: Counter[str] = Counter()
    for each in entries:
        plain = re.sub(r"[^A-Za-z0-9]+", "-", each.key).strip("-").lower() or "entry"
        seen[plain] += 1
        yield each._replace(key=plain if seen[plain] == 1 else f"{plain}-{seen[plain]}")


# Formats


def _tex(text: str) -> str:
    return "".join(_SPECIAL.get(each, each) for each in one_line(harmless(text)))


def _author(text: str) -> str:
    return f"{{{_tex(text[1:-1])}}}" if text.startswith("{") and text.endswith("}") else _tex(text)


def _bibtex(entry: Entry) -> str:
    kind = entry.kind if entry.kind in ("article", "inproceedings") else "misc"
    fields = [("author", " and ".join(map(_author, entry.authors)))] if entry.authors else []
    verbatim = ("doi", "url")  # what bibliography styles typeset as it is
    fields += [(key, re.sub(r"[{}\s]", "", value) if key in verbatim else _tex(value)) for key, value in entry.fields]
    return f"@{kind}{{{entry.key},\n" + "".join(f"  {key} = {{{value}}},\n" for key, value in fields) + "}\n"


def _people(entry: Entry) -> list[dict[str, str]]:
    """Return authors as CFF has them: persons, and others by name."""
    found = []
    for text in entry.authors:
        family, is_person, given = text.partition(", ")
        found.append({"family-names": family, "given-names": given} if is_person else {"name": text.strip("{}")})
    return found or [{"name": "not recorded"}]


def _cff(entry: Entry) -> dict[str, Any]:
    facts = dict(entry.fields)
    found: dict[str, Any] = {"type": _CFF[entry.kind], "title": facts["title"], "authors": _people(entry)}
    names = {"doi": "doi", "url": "url", "version": "version", "journal": "journal", "note": "notes"}
    found |= {theirs: facts[ours] for ours, theirs in names.items() if ours in facts}
    if "notes" in found and entry.key.startswith("product"):
        found["abstract"] = found.pop("notes")  # only references have notes
    if facts.get("year", "").isdigit() and not entry.key.startswith("product"):
        found["year"] = int(facts["year"])
    if "booktitle" in facts:
        found["collection-title"] = facts["booktitle"]
    return found


def _csl(entry: Entry) -> dict[str, Any]:
    facts = dict(entry.fields)
    people = [
        {"family": each["family-names"], "given": each["given-names"]}
        if "family-names" in each
        else {"literal": each["name"]}
        for each in (_people(entry) if entry.authors else ())
    ]
    names = {"title": "title", "doi": "DOI", "url": "URL", "version": "version", "note": "note", "volume": "volume"}
    found: dict[str, Any] = {"id": entry.key, "type": _CSL[entry.kind], "author": people}
    found |= {theirs: facts[ours] for ours, theirs in names.items() if ours in facts}
    container = facts.get("journal") or facts.get("booktitle")
    found |= {"container-title": container} if container else {}
    found |= {"issued": {"date-parts": [[int(facts["year"])]]}} if facts.get("year", "").isdigit() else {}
    return found
