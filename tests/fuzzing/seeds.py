"""What fuzzing begins with: small inputs of each kind that are read, and words that matter in them."""

import bz2
import gzip
import json
import lzma
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from backports import zstd
from rdflib import Graph

import provkg
from provkg.capture import Recorder
from provkg.resources import sample
from tests.logs import activity, line, session
from tests.test_reconcile import HISTORY, JOBS

_EXPORTS = {
    "prov_document": ("prov-json", "prov-xml", "prov-n"),
    "rdf": ("turtle", "trig", "nquads", "ntriples", "jsonld"),
}
HOSTILE = (
    "9999-99-99T99:99:99", "0000-00-00", "-0001-01-01T00:00:00Z", "2021-10-31T02:30:00", "1e999", "-1e-999", "NaN",
    "18446744073709551616", "-9223372036854775809", "\\ud800", "\ufeff", "\u202e", "\u2028", "\x85", "\0", "%00", "..",
    "\\u0000", "\\", "'", '"', '"""', "{", "}", "[", "<", ">", "<!--", "]]>", "&amp;", "null", "true", "urn:x:y",
)  # fmt: skip
WORDS = {
    "prov_lines": ("__PROV__2023-03-13T08:00:00__PROV__", "{'", "'}", "': '", "activity_id", "entity_id", "session_id",
        "used_id", "generated_id", "member_id", "progenitor_id", "endTime", "startTime", "parameters", "session_tag",
        "'system': ", "in_session", "hash", "hash_type", "filepath", "\n"),
    "ctapipe": ('{"activity_name":', '"activity_uuid":', '"input":', '"output":', '"url":', '"role":', '"system":',
        '"reference_meta":', '"CTA PRODUCT ID"', '"start":', '"time_utc":', '"config":', '"status":', "][", "},"),
    "capture": ('{"provkg":1,', '"kind":', '"id":', '"used"', '"generated"', '"path":', '"start"', '"end"', '"paths":',
        '"parameters":', '"$float":', '"$int":', '"member"', '"derived"', '"session"', '"environment"', "\n"),
    "sacct": ("JobID|", "|State", "|COMPLETED|", "|Start", "Unknown", ".batch", "100_4", "|", "\n", "CANCELLED by 1"),
    "osa_history": ("01618.0002 ", " | ", "gain_selection", " 2023-03-13 08:00 ", "None", " 0\n", "\n"),
    "definition": ("activities:", "usage:", "generation:", "parameters:", "- role: ", "- name: ", "value: ", "&a", "*a",
        "<<: ", "!!python/object/apply:os.system", "!!timestamp ", "entities:", "\n  "),
    "prov_document": ('"entity":', '"activity":', '"used":', '"prefix":', '"bundle":', '"$":', '"type":', "prov:id=",
        "<prov:entity", "<prov:document", "entity(", "activity(", "wasGeneratedBy(", "endDocument", "%%xsd:dateTime"),
    "rdf": ("@prefix ", "a prov:Entity", "prov:used", "^^xsd:dateTime", "<http://www.w3.org/ns/prov#", '"@context":',
        '"@id":', '"@graph":', "_:b0", "GRAPH", "<<", "rdf:about=", "[ ", " ]", " ."),
    "product": ("# %ECSV 1.0\n# ---\n", "# meta: !!omap\n", "# - CTA PRODUCT ID: ", "SIMPLE  =", "END", "provenance"),
    "question": ("\nfile=", "\nproduct=", "\nrun=", "\nnight=", "\nsince=", "\nstep=", "\nversions=", "<0.10,>=0.9",
        "\nsoftware=", "\niri=", "prov:Entity", "?_file", "} UNION {", "2021-09-13", "10 GeV"),
    "http": ("GET\n", "POST\n", "/sparql?query=", "/api/questions/", "/api/lineage?product=", "/graph?", "/search?q=",
        "/product?iri=", "/provsap?ID=", "&DEPTH=", "&RESPONSEFORMAT=", "text/html", "application/json", "text/turtle",
        "SELECT * { ?s ?p ?o } LIMIT 1", "ASK {}", "CONSTRUCT", "DESCRIBE", "FROM NAMED", "SERVICE", "%2e%2e/", "/run/"),
}  # fmt: skip


def words(name: str) -> Iterator[bytes]:
    """Give the words that matter for a target."""
    for word in (*WORDS.get(name, ()), *HOSTILE):
        yield word.encode("utf-8", "surrogatepass")


def seeds(name: str, store: Path) -> list[bytes]:
    """Return inputs that a target understands.

    Args:
        name: of the target.
        store: with the bundled sample.
    """
    if name in _EXPORTS:
        return list(_exported(store, _EXPORTS[name]))
    return {
        "prov_lines": _lines,
        "ctapipe": _ctapipe,
        "capture": _captured,
        "sacct": lambda: [JOBS.encode()],
        "osa_history": lambda: [HISTORY.encode()],
        "definition": lambda: [(sample() / "definition.yaml").read_bytes()],
        "product": _products,
        "compressed": lambda: [each(b"some text\n" * 40) for each in _SQUEEZE],
        "question": lambda: list(_asked(store)),
        "http": lambda: list(_requested(store)),
    }[name]()


_SQUEEZE = (gzip.compress, bz2.compress, lzma.compress, zstd.compress)


def small_store(folder: Path) -> Path:
    """Make a store of a log of one activity."""
    (folder / "small.log").write_bytes(_lines()[1])
    provkg.open(folder / "store").ingest([folder / "small.log"])
    return folder / "store"


def _exported(store: Path, forms: tuple[str, ...]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        for form in forms:
            target = Path(folder) / form
            provkg.open(store).export(target, form)
            yield target.read_bytes()
        if "turtle" in forms:
            yield Graph().parse(Path(folder) / "turtle").serialize(format="xml").encode()


def _lines() -> list[bytes]:
    told = [session(), *activity("a1", used=("/raw/1",), generated=("/dl1/1.h5",))]
    merged = "".join(f"{each!r}\n" for each in told)
    return [(sample() / "gammapy.log").read_bytes(), "".join(map(line, told)).encode(), merged.encode()]


def _ctapipe() -> list[bytes]:
    whole = json.loads((sample() / "ctapipe.provenance.log").read_text().replace("][", ","))
    return [json.dumps([each]).encode() for each in whole[:3]]


def _captured() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder) / "log.jsonl", digest="inputs")
        with recorder.activity("step", parameters={"cut": 0.6, "big": 1 << 70, "none": float("nan")}) as run:
            run.used(sample() / "definition.yaml", role="raw")
            run.generated("/dl1/1.h5", role="dl1", type="SetCollection")
            run.derived("/dl1/1.h5", "/raw/1")
            run.member("/dl1/1.h5", "/raw/1", "/raw/2")
        recorder.wait()
        told = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text().splitlines()]
    for each in told:
        if "system" in each:
            each["system"] = {"platform": {"node": "cp15"}, "python": {"version": "3.11.6"}}
    return ["".join(json.dumps(each, separators=(",", ":")) + "\n" for each in told).encode()]


def _products() -> list[bytes]:
    fits, h5py = import_module("astropy.io.fits"), import_module("h5py")
    meta = {"CTA PRODUCT ID": "5f3ba3bb-3e29-4d05-8a0a-4e8e0b3a2b6b", "CTA PRODUCT DATA LEVEL NAME": "DL3"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        unit = fits.PrimaryHDU()
        for key, value in meta.items():
            unit.header[f"HIERARCH {key}"] = value
        unit.writeto(path / "a.fits")
        with h5py.File(path / "a.h5", "w", libver="latest") as file:
            file.attrs.update(meta)
            file["provenance/r0_to_dl1"] = '{"activity_name": "r0_to_dl1"}'
        table = "".join(f"# - {key}: {value}\n" for key, value in meta.items())
        ecsv = f"# %ECSV 1.0\n# ---\n# datatype:\n# - {{name: a, datatype: int64}}\n# meta: !!omap\n{table}a\n1\n"
        return [(path / "a.fits").read_bytes(), (path / "a.h5").read_bytes(), ecsv.encode()]


def _asked(store: Path) -> Iterator[bytes]:
    for number, question in enumerate(each for each in provkg.open(store).questions().values() if not each.local):
        values = "".join(f"\n{name}={each.default or 'x'}" for name, each in question.parameters.items())
        yield chr(number).encode() + values.encode()


def _requested(store: Path) -> Iterator[bytes]:
    from provkg.server.site import BELOW, ROUTES

    product = next(iter(provkg.open(store).ask("never-ended", limit=1)), None)
    for path in (*ROUTES, *(f"{each}x" for each in BELOW)):
        for accept in ("text/html", "application/json", "text/turtle"):
            yield f"GET\n{path}?q=a&product={product or 'x'}&iri=urn:x\n{accept}\n\n".encode()
    yield b"POST\n/sparql\ntext/csv\napplication/sparql-query\n\nSELECT * { ?s ?p ?o } LIMIT 3"
    yield b"POST\n/provsap\n*/*\napplication/x-www-form-urlencoded\n\nID=x&DEPTH=1"
