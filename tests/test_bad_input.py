"""Bad input: a clear error, a status of 3 or 4, the rest gets in, nothing is lost, never a traceback."""

import gzip
import os
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from provkg.errors import InputError, NotFound
from provkg.knowledge import KnowledgeGraph
from provkg.knowledge import open as open_graph
from provkg.resources import sample
from tests.conftest import environment
from tests.test_cli import provkg

GOOD = sample() / "gammapy.log"


def spoil(name: str, content: bytes) -> Path:
    path = Path(name).absolute()
    path.write_bytes(content)
    return path


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    return f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><prov:document xmlns:prov="http://www.w3.org/ns/prov#"><prov:entity prov:id="x">&l9;</prov:entity></prov:document>'.encode()


CONTENTS = {
    "empty": b"",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "text": b"just some text\nand more\n",
    "laughs.xml": laughs(),
    "external.xml": b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><prov:document xmlns:prov="http://www.w3.org/ns/prov#"/>',
    "broken.json": b'{"prefix": {}, "entity": {',
    "wrong.json": b'{"entity": {"a:b": 5}}',
    "broken.provn": b"document\n  entity(\nendDocument\n",
    "broken.ttl": b"@prefix p: <http://p.org/> .\np:a p:b p:c ;;; [ .\n",
    "cut.gz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01",
    "not.h5": b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
    "not.fits": b"SIMPLE  =                    T" + b"x" * 100,
    "deep.json": b'[{"activity_name": ' + b'{"a":' * 20000,
    "surrogate.json": b'{"prefix": {"e": "http://e.org/"}, "entity": {"e:\\ud800": {}}}',
}


@pytest.mark.parametrize("name", CONTENTS)
def test_one_bad_file_is_said_and_the_others_get_in(name: str) -> None:
    bad = spoil(name, CONTENTS[name])
    done = provkg("--store", "s", "ingest", "--json", bad, GOOD)
    assert "Traceback" not in done.stderr
    assert '"activities": 3' in done.stdout
    assert done.returncode == (0 if name == "surrogate.json" else 4)
    alone = provkg("--store", "t", "ingest", bad)
    assert alone.returncode in ((3, 4) if name != "surrogate.json" else (0,))
    assert name in alone.stderr or alone.returncode == 0
    assert "Traceback" not in alone.stderr


def test_in_a_folder_what_is_no_provenance_is_skipped_and_counted() -> None:
    Path("in").mkdir()
    spoil("in/notes.txt", b"hello\n")
    spoil("in/empty.log", b"")
    shutil.copy(GOOD, "in")
    done = provkg("--store", "s", "ingest", "in")
    assert (done.returncode, "2 files that are no provenance skipped" in done.stdout) == (0, True)


def test_a_line_of_100_megabytes_is_quarantined_in_bounded_memory() -> None:
    line = b"INFO provLogger __PROV__2021-09-14T09:00:00.000001__PROV__{'entity_id': '" + b"a" * 100_000_000 + b"'}\n"
    spoil("big.log", line + b"".join(GOOD.read_bytes().splitlines(keepends=True)))
    code = "import re; from provkg.cli import run; s = run(['--store', 's', 'ingest', 'big.log']); print(s, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    status, kilobytes = done.stdout.splitlines()[-1].split()
    assert (status, "3 activities" in done.stdout) == ("4", True)
    assert "big.log:1: the line is longer than 16,777,216 bytes (byte 0, 100000076 bytes)" in done.stderr
    assert int(kilobytes) < 300_000


def test_a_path_with_spaces_and_bytes_that_are_no_utf8_is_only_a_path() -> None:
    folder = os.fsencode(Path.cwd()) + b"/a dir \xe9\xff"
    os.mkdir(folder)
    shutil.copy(GOOD, os.path.join(os.fsdecode(folder), "x y.log"))
    done = provkg("--store", "s", "ingest", os.fsdecode(folder))
    assert done.returncode == 0, done.stderr
    again = provkg("--store", "s", "ingest", os.fsdecode(folder))
    assert "1 already known" in again.stdout
    assert "a dir \\xe9\\xff/x y.log" in provkg("--store", "s", "show", "crab_flux_points.fits").stdout


def unprivileged() -> list[str]:
    """Run without the right of root to read everything."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root reads everything, and setpriv is not here to take that right away")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


def test_what_may_not_be_read_is_said_and_the_rest_gets_in() -> None:
    locked = Path("in/locked")
    locked.mkdir(parents=True)
    shutil.copy(GOOD, "in")
    shutil.copy(sample() / "calibration.log", locked)
    locked.chmod(0)
    try:
        done = subprocess.run(
            [*unprivileged(), sys.executable, "-m", "provkg", "--store", "s", "ingest", "in"],
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
        )
    finally:
        locked.chmod(0o755)
    assert done.returncode == 4
    assert "error: in/locked: Permission denied\nhint: ask its owner" in done.stderr
    assert "3 activities" in done.stdout


def test_a_full_disk_leaves_the_store_as_it_was(small_disk: Path) -> None:
    store = small_disk / "store"
    assert provkg("--store", store, "ingest", GOOD).returncode == 0
    before = provkg("--store", store, "status", "--json", "--digest").stdout
    filler = small_disk / "filler"
    free = shutil.disk_usage(small_disk).free
    filler.write_bytes(b"x" * max(free - 200_000, 0))
    done = provkg("--store", store, "ingest", sample())
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "nothing of this ingest is visible" in done.stderr
    assert "Traceback" not in done.stderr
    filler.unlink()
    assert provkg("--store", store, "status", "--json", "--digest").stdout == before
    assert provkg("--store", store, "ingest", sample()).returncode == 4


def test_a_full_disk_by_limit_is_the_same_without_root() -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-m", "provkg", "--store", "s", "ingest", sample()],
        capture_output=True,
        text=True,
        env=environment(),
        preexec_fn=limit,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith(("error:", "quarantined"))
    assert "Traceback" not in done.stderr
    assert not Path("s/CURRENT").exists()


def test_deeply_nested_and_hostile_lines_are_quarantined_and_never_run() -> None:
    lines = [
        "{'activity_id': " + "[" * 5000 + "]" * 5000 + "}",
        "{'activity_id': __import__('os').system('touch canary')}",
        "{'activity_id': 'x', 'parameters': 5}",
    ]
    spoil(
        "x.log",
        "".join(f"INFO __PROV__2021-09-14T09:00:00__PROV__{line}\n" for line in lines).encode() + GOOD.read_bytes(),
    )
    done = provkg("--store", "s", "ingest", "x.log")
    assert "3 quarantined" in done.stdout
    assert not Path("canary").exists()


def _ingested(name: str, content: bytes) -> "subprocess.CompletedProcess[str]":
    done = provkg("--store", "s", "ingest", "--json", spoil(name, content), GOOD)
    assert "Traceback" not in done.stderr
    assert "please report" not in done.stderr
    assert '"activities": 3' in done.stdout, "the others get in"
    return done


DEEP = 100_000
NESTED = {
    "terms.ttl": b"@prefix e: <http://e/> .\ne:s e:p " + b"<<( e:s e:p " * DEEP + b"e:o" + b" )>>" * DEEP + b" .",
    "objects.jsonld": b'{"@id":"http://e/s","http://e/p":' + b'{"http://e/p":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "rdf.xml": b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="http://a/">'
    + b"<a:x><a:y>" * DEEP
    + b"</a:y></a:x>" * DEEP
    + b"</rdf:RDF>",
}


@pytest.mark.parametrize("name", NESTED)
def test_rdf_that_is_nested_too_deep_is_refused_and_does_not_end_the_process(name: str) -> None:
    done = _ingested(name, NESTED[name])
    assert (done.returncode, "nested more than 200 levels deep" in done.stderr) == (4, True)


def test_brackets_in_texts_and_iris_of_rdf_are_not_nesting() -> None:
    spoil("a.ttl", b"@prefix e: <http://e/> .\n" + b'e:s e:p "<<", """<<""", "a\\"<<" . # <<\n' * 300)
    spoil("a.jsonld", b'{"@id":"http://e/s","http://e/p":[' + b'"[{\\"[",' * 300 + b'"x"]}')
    spoil("a.rdf", b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="http://a/">'
          + b'<a:x><a:y a:z="1"/></a:x><!-- <a> -->' * 300 + b"</rdf:RDF>")  # fmt: skip
    done = provkg("--store", "s", "ingest", "a.ttl", "a.jsonld", "a.rdf")
    assert (done.returncode, "3 sources read" in done.stdout) == (0, True)


def test_blank_nodes_that_no_canonical_form_can_tell_apart_take_no_time() -> None:
    nodes = [f"_:n{number}" for number in range(12)]  # a canonical form of these takes years
    edges = [f"{a} <http://www.w3.org/ns/prov#wasDerivedFrom> {b} .\n" for a in nodes for b in nodes if a != b]
    done = _ingested("clique.nt", "".join(edges).encode())
    assert done.returncode == 0
    again = provkg("--store", "s", "ingest", "clique.nt")
    assert "1 already known" in again.stdout


def test_a_library_that_loops_or_crashes_costs_one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    h5py = pytest.importorskip("h5py")
    from provkg.readers.headers import _READER, header_of

    with h5py.File("a.h5", "w") as file:
        file.attrs["CTA PRODUCT ID"] = "5f3ba3bb-3e29-4d05-8a0a-4e8e0b3a2b6b"
    before = _READER.running()
    before.kill()
    before.wait()
    assert header_of(Path("a.h5")).meta, "another process goes on"
    os.mkfifo("endless")  # it never answers
    end = threading.Timer(1, _READER.running().kill)
    end.start()
    with pytest.raises(InputError, match="ended the reader"):
        header_of(Path("endless"))
    assert header_of(Path("a.h5")).meta


def test_what_astropy_cannot_read_costs_one_product() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    unit = fits.PrimaryHDU()
    unit.header["HIERARCH CTA PRODUCT ID"] = "5f3ba3bb"
    unit.writeto("a.fits")
    broken = Path("a.fits").read_bytes().replace(b"HIERARCH CTA PRODUCT ID = '", b"HIERARCH CTA PRODUCT ID = \xff")
    assert _ingested("b.fits", broken).returncode == 4


def test_aliases_that_multiply_are_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    definition = (
        "x:\n  " + "\n  ".join(lines) + "\nactivities:\n  a:\n    parameters:\n      - name: n\n        default: *a11\n"
    )
    assert "too large" in _ingested("definition.yaml", definition.encode()).stderr


def test_a_name_with_a_null_byte_answers_to_nothing(kg: KnowledgeGraph) -> None:
    kg.ingest([GOOD])
    with pytest.raises(NotFound):
        kg.lineage("a\0/b")


def test_links_that_lead_around_are_followed_once() -> None:
    Path("in").mkdir()
    shutil.copy(GOOD, "in")
    Path("in/around").symlink_to("..", target_is_directory=True)
    Path("in/itself").symlink_to("itself")
    done = provkg("--store", "s", "ingest", "in")
    assert (done.returncode in (0, 4), "1 sources read" in done.stdout) == (True, True), done.stdout + done.stderr


@pytest.mark.parametrize(
    "text", ["activities:\nusage:\n  - role: a\n<<: 1\n", "activities:\n  ? [a]\n  : b\n  usage:\n  - role: a\n"]
)
def test_keys_of_yaml_that_are_none_are_said(text: str) -> None:
    assert "no YAML" in (told := _ingested("definition.yaml", text.encode()).stderr) or "no text" in told, told


MARK = b"__PROV__2023-03-13T08:00:00__PROV__"
REPEATED = {  # a reader that looks at each from the beginning takes hours for these
    "torn.log": MARK + b"{'a",
    "whole.log": MARK + b"{'entity_id': 'a', 'name': 'b'}",
    "quotes.log": MARK + b"{'entity_id': '",
    "nested.json": b'{"activity_name": ',
    "escapes.json": b'{"activity_name": "x\\',
    "capture.jsonl": b'{"provkg":1,',
}


@pytest.mark.parametrize("name", REPEATED)
def test_a_line_of_a_hundred_thousand_torn_records_takes_no_longer_than_many_lines(name: str) -> None:
    size = 1_000_000
    spoil(name, REPEATED[name] * (size // len(REPEATED[name])) + b"\n")
    kg = open_graph("s")
    kg.ingest([name, GOOD])
    assert kg.status()["activities"] >= 3
    (document,) = (each for each in kg.sources() if each.paths == (str(Path(name).absolute()),))
    assert (document.wrong, document.quarantined > 0 or name == "whole.log") == ("", True)


def test_a_record_that_quotes_lines_of_a_log_is_one_record(kg: KnowledgeGraph) -> None:
    quoted = "".join(
        f"__PROV__2023-03-13T08:00:00__PROV__{{'activity_id': 'x{number}', 'name': 'no'}} " for number in range(40)
    )
    record = {"activity_id": "a", "name": "yes", "startTime": "2023-03-13T08:00:00", "note": quoted}
    kg.ingest([spoil("a.log", MARK + repr(record).encode() + b"\n")])
    assert kg.status()["activities"] == 1


def test_what_a_compressed_product_says_is_read() -> None:
    from provkg.readers.headers import header_of

    fits = pytest.importorskip("astropy.io.fits")
    unit = fits.PrimaryHDU()
    unit.header["HIERARCH CTA PRODUCT ID"] = "5f3ba3bb"
    unit.writeto("a.fits")
    spoil("a.fits.gz", gzip.compress(Path("a.fits").read_bytes()))
    spoil("a.ecsv.gz", gzip.compress(b"# %ECSV 1.0\n# ---\n# meta: {CTA PRODUCT ID: 5f3ba3bb}\n"))
    assert [header_of(Path(name)).meta for name in ("a.fits.gz", "a.ecsv.gz")] == [{"CTA PRODUCT ID": "5f3ba3bb"}] * 2
