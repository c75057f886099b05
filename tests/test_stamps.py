"""Stamps: a product carries what finds its history again, and nothing else of it changes."""

import os
from pathlib import Path
from typing import Any

import pytest

from provkg.capture import Recorder
from provkg.errors import InputError, NotFound
from provkg.knowledge import KnowledgeGraph
from provkg.stamps import Stamp, read_stamp, stamped
from tests.captured import of_kind
from tests.test_cli import provkg as command

STAMP = Stamp("https://provkg.example.org/entity/0123", "sha256:" + "a" * 64, "sources:sha256:" + "b" * 64, "byContent")
ECSV = """# %ECSV 1.0
# ---
# delimiter: ','
# datatype:
# - {name: a, datatype: int64}
# meta: !!omap
# - {CTA PRODUCT ID: 15fbdfc5-3715-47af-9019-67421c2b5814}
# - {when: !astropy.units.Quantity {unit: !astropy.units.Unit {unit: m}, value: 1.0}}
# schema: astropy-2.0
a
1
2
"""


def hdf5(path: Path) -> Any:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs["CTA PRODUCT ID"] = "15fbdfc5-3715-47af-9019-67421c2b5814"
        file["a"] = [1, 2]
    return lambda: (dict(h5py.File(path).attrs)["CTA PRODUCT ID"], list(h5py.File(path)["a"]))


def fits(path: Path, **options: Any) -> Any:
    fits = pytest.importorskip("astropy.io.fits")
    units = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU([[1, 2]])])
    units[0].header["OBSERVER"] = "Ada"
    units.writeto(path, output_verify="exception", **options)

    def read() -> Any:
        with fits.open(path, checksum=True) as found:
            return found[0].header["OBSERVER"], found[1].data.tolist()

    return read


def ecsv(path: Path, text: str = ECSV) -> Any:
    path.write_bytes(text.encode())
    return lambda: [
        line for line in path.read_text().splitlines() if "provkg:" not in line and line != "# meta: !!omap"
    ]


@pytest.mark.parametrize("make", [hdf5, fits, ecsv])
def test_a_stamp_is_read_back_and_replaced_and_changes_nothing_else(make: Any) -> None:
    path = Path("product")
    read = make(path)
    path.chmod(0o640)
    before = read()
    assert read_stamp(path) is None
    stamped(path, STAMP)
    assert read_stamp(path) == STAMP
    again = Stamp("https://provkg.example.org/entity/4567", "", "sources:sha256:c", "asked")
    stamped(path, again)
    assert read_stamp(path) == again
    assert read() == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir() == ["product"]  # nothing is left beside it


@pytest.mark.filterwarnings("error")
def test_the_checksums_of_a_fits_file_stay_right() -> None:
    read = fits(Path("sum.fits"), checksum=True)
    stamped("sum.fits", STAMP)
    assert read() == ("Ada", [[1, 2]])


@pytest.mark.parametrize(
    "text",
    [
        ECSV.replace("# meta: !!omap\n", "# meta:\n").replace("# - {CTA", "#   {CTA").replace("# - {when", "#   {when").replace("#   {CTA PRODUCT ID: ", "#   CTA PRODUCT ID: ").replace("5814}", "5814").replace("#   {when: !astropy.units.Quantity {unit: !astropy.units.Unit {unit: m}, value: 1.0}}", "#   when: now"),
        "".join(line for line in ECSV.splitlines(keepends=True) if not line.startswith(("# meta", "# - {CTA", "# - {when"))),
        ECSV.replace("\n", "\r\n"),
    ],
    ids=["mapping", "no meta", "windows"],
)  # fmt: skip
def test_every_way_in_which_ecsv_writes_meta_can_be_stamped(text: str) -> None:
    table = pytest.importorskip("astropy.table").Table
    read = ecsv(Path("t.ecsv"), text)
    before = read()
    stamped("t.ecsv", STAMP)
    assert read_stamp("t.ecsv") == STAMP
    assert read() == before
    assert list(table.read("t.ecsv", format="ascii.ecsv")["a"]) == [1, 2]  # astropy reads it as it did


def test_what_cannot_be_stamped_is_left_as_it_was() -> None:
    Path("a.txt").write_text("a")
    with pytest.raises(InputError, match="FITS, HDF5 and ECSV"):
        stamped("a.txt", STAMP)
    os.mkfifo("pipe")
    with pytest.raises(InputError, match="pipe: no regular file"):
        stamped("pipe", STAMP)
    Path("broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 100)
    pytest.importorskip("h5py")
    with pytest.raises(InputError, match=r"broken\.h5"):
        stamped("broken.h5", STAMP)
    odd = ECSV.replace("# meta: !!omap\n# - {CTA", "# meta: {CTA").replace(
        "5814}\n# - {when: !astropy.units.Quantity {unit: !astropy.units.Unit {unit: m}, value: 1.0}}", "5814}"
    )
    ecsv(Path("odd.ecsv"), odd)
    with pytest.raises(InputError, match="in a way that a stamp would change"):
        stamped("odd.ecsv", STAMP)
    assert Path("odd.ecsv").read_text() == odd
    assert Path("broken.h5").stat().st_size == 108
    assert sorted(os.listdir()) == ["a.txt", "broken.h5", "odd.ecsv", "pipe"]


@pytest.mark.parametrize("product", ["no iri", "https://example.org/" + "x" * 1100, ""])
def test_a_stamp_is_bounded_and_names_an_iri(product: str) -> None:
    with pytest.raises(InputError, match="IRI"):
        Stamp(product, "", "", "asked")


def made(name: str) -> None:
    """Record the making of an ECSV table from raw data."""
    Path("raw.txt").write_text("raw")
    prov = Recorder(background=False)
    with prov.activity("reduce", parameters={"level": 3}) as run:
        run.used("raw.txt", role="raw")
        ecsv(Path(name))
        run.generated(name, role="table")


def test_a_renamed_copy_is_found_by_its_bytes_then_by_its_stamp(tmp_path: Path) -> None:
    made("table.ecsv")
    assert command("ingest", "provkg.jsonl", cwd=tmp_path).returncode == 0
    os.rename("table.ecsv", "x.bin")
    by_bytes = command("whois", "x.bin", cwd=tmp_path)
    assert "byContent" in by_bytes.stdout
    assert "its bytes are those of a version on record" in by_bytes.stderr
    done = command("stamp", "x.bin", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    held = read_stamp("x.bin")
    assert held is not None
    assert len(held.recipe) == 64
    os.rename("x.bin", "y.bin")
    by_stamp = command("whois", "y.bin", "--json", cwd=tmp_path)
    assert '"byStamp"' in by_stamp.stdout
    assert held.product in by_stamp.stdout
    assert command("ingest", "provkg.jsonl", cwd=tmp_path).returncode == 0
    after = command("whois", "y.bin", cwd=tmp_path)
    assert "byContent" in after.stdout  # that it was stamped is on record now
    tree = command("lineage", "x.bin", "--format", "tree", cwd=tmp_path).stdout
    assert tree.splitlines() == ["x.bin  ← provkg stamp", "└── table.ecsv  ← reduce", "    └── raw.txt"]
    again = command("stamp", "none.bin", "y.bin", cwd=tmp_path)
    assert (again.returncode, again.stderr.splitlines()[0]) == (4, "error: none.bin: No such file or directory")
    assert again.stderr.splitlines()[-1].startswith("1 files stamped")
    assert command("stamp", "none.bin", cwd=tmp_path).returncode == 3
    assert len(of_kind("generated")) == 3


def test_what_a_file_carries_is_said_where_the_store_does_not_know_it(kg: KnowledgeGraph) -> None:
    made("table.ecsv")
    kg.ingest(["provkg.jsonl"])
    ecsv(Path("other.ecsv"), ECSV.replace("1\n2\n", "3\n"))
    with pytest.raises(NotFound, match="knows nothing of"):
        kg.whois("other.ecsv")
    stamped("other.ecsv", STAMP)
    with pytest.raises(NotFound, match=r"stamped as https://provkg\.example\.org/entity/0123 by a store of sources:"):
        kg.whois("other.ecsv")
    with pytest.raises(InputError, match="No such file"):
        kg.whois("none.ecsv")
    with Path("table.ecsv").open("a") as stream:
        stream.write("3\n")
    with pytest.raises(InputError, match="its bytes are not those of any version on record"):
        kg.stamp("table.ecsv")
    assert read_stamp("table.ecsv") is None
    assert kg.stamp("table.ecsv", product="table.ecsv").evidence == "asked"
