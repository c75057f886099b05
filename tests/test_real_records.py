"""Records that the real programs wrote."""

from pathlib import Path

import pytest

from provkg.knowledge import KnowledgeGraph
from provkg.vocab import PKG, PROV, VP


def values(kg: KnowledgeGraph, predicate: str) -> set[str]:
    return {quad.object.value for quad in kg.graph().quads(None, predicate)}


def test_a_log_of_lstosa(kg: KnowledgeGraph, shared: Path) -> None:
    summary = kg.ingest([shared / "data/lstosa/prov.log"])
    counts = summary.counts
    assert (counts["activities"], counts["usages"], counts["generations"], counts["quarantined"]) == (60, 229, 120, 0)
    assert summary.remarks["lines that are no records"] == 20
    assert summary.exit_status == 0
    assert all(value.startswith("md5:") for value in values(kg, PKG.pathDigest))
    assert len(list(kg.graph().quads(None, PKG.pathDigest))) > 100
    assert not values(kg, PKG.contentDigest) | values(kg, PKG.unprovenDigest)
    assert not any("without an entity record" in about for about in summary.remarks)


def test_the_derivations_of_lstosa_lead_from_dl1ab_back_to_the_raw_data(kg: KnowledgeGraph, shared: Path) -> None:
    kg.ingest([shared / "data/lstosa/prov.log"])
    [cleaned] = [
        each
        for each in kg.find("tailcut84/dl1_LST-1.Run01807.0000.h5") or kg.find("dl1_LST-1.Run01807.0000.h5")
        if each.made_by == "dl1ab"
    ]
    steps = kg.lineage(cleaned.iri)
    assert {step.activityName for step in steps if step.activityName} == {"dl1ab", "r0_to_dl1"}
    assert any(step.location.endswith("R0G/20200117/LST-1.1.Run01807.0000.fits.fz") for step in steps)
    assert "derivation" in {step.evidence for step in steps}


def test_ctapipes_products_chain_by_their_ids(kg: KnowledgeGraph, shared: Path) -> None:
    kg.ingest([shared / "data/ctapipe/v0.28.0"])
    steps = kg.lineage("chain_dl2.h5")
    assert {(step.depth, Path(step.location).name, step.evidence) for step in steps} == {
        (1, "chain_dl1.h5", "byIdentity"),
        (2, "base_config.yaml", "byTime"),
        (2, "base_config.yaml", "generated"),
        (2, "gamma_prod6_tel_event_header_v4.simtel.zst", "assumed"),
    }


def test_status_and_exit_codes_of_ctapipe_are_kept(kg: KnowledgeGraph, shared: Path) -> None:
    kg.ingest([shared / "data/ctapipe/v0.28.0"])
    graph = kg.graph()
    outcome = sorted(
        (graph.objects(quad.subject.value, PKG.status)[0].rpartition("#")[2], quad.object.value)
        for quad in graph.quads(None, PKG.exitCode)
    )
    assert {pair: outcome.count(pair) for pair in set(outcome)}.items() >= {
        ("interrupted", "130"): 3,
        ("failed", "2"): 1,
    }.items()
    assert ("completed", "1") not in outcome


def test_fabricated_metadata_of_ctapipe_is_dropped_and_counted(kg: KnowledgeGraph, shared: Path) -> None:
    summary = kg.ingest([shared / "data/ctapipe/v0.28.0/ctapipe-dump-instrument.provenance.log"])
    assert summary.remarks["fabricated reference metadata dropped"] == 6
    assert values(kg, PKG.productId) == set()


def test_a_failed_merge_does_not_take_over_its_inputs_history(kg: KnowledgeGraph, shared: Path) -> None:
    summary = kg.ingest([shared / "data/ctapipe/v0.28.0"])
    assert summary.remarks["output headers copied from another activity or an input (not followed)"] == 1
    [failed] = kg.find("merged.dl2.h5")
    assert failed.made_by == "ctapipe-merge"


def test_two_interleaved_sessions_stay_apart(kg: KnowledgeGraph, shared: Path) -> None:
    kg.ingest([shared / "data/slides/lst-2020.log"])
    graph = kg.graph()
    sessions = {quad.subject.value: quad.object.value for quad in graph.quads(None, PKG.inSession)}
    assert len(sessions) == len(set(sessions.values())) == 2
    by_activity = {each.split("/")[6]: len(graph.objects(each, PROV.qualifiedUsage)) for each in sessions}
    assert by_activity == {"621ca2": 3, "7e8065": 0}


def test_a_text_damaged_by_optical_recognition_goes_into_quarantine_line_by_line(
    kg: KnowledgeGraph, shared: Path
) -> None:
    path = shared / "data/slides/gammapy-2019-ocr.log"
    summary = kg.ingest([path])
    assert summary.counts["quarantined"] > 20
    lines = path.read_bytes().split(b"\n")
    for _, piece in summary.quarantined:
        assert piece.text.split("\n")[0].encode("utf-8", "surrogateescape")[:20] in lines[piece.line - 1]


def test_logprov_is_read_from_its_log_its_json_and_its_xml(kg: KnowledgeGraph, shared: Path) -> None:
    for name in ("prov_test.log", "prov_test.log.json", "prov_test.log.xml"):
        counts = kg.ingest([shared / "data/logprov" / name]).counts
        assert (counts["activities"], counts["usages"], counts["generations"]) == (9, 7, 9)
    assert "byContent" in kg.status()["evidence"]  # prov_test2.txt has the sha1 of prov_test1.txt


@pytest.mark.parametrize("name", ["voprov_example", "voprov_example_w3c"])
@pytest.mark.parametrize("suffix", ["json", "provn", "xml"])
def test_voprov_in_all_its_forms_says_the_same(kg: KnowledgeGraph, shared: Path, name: str, suffix: str) -> None:
    counts = kg.ingest([shared / "data/voprov" / f"{name}.{suffix}"]).counts
    assert (counts["activities"], counts["usages"], counts["generations"]) == (11, 24, 11)
    stacked = kg.lineage("http://myobservatory.com/instrument#stacked_image_mean.fits")
    assert {step.entity.rpartition("#")[2] for step in stacked} >= {
        "image1.fits",
        "bias.fits",
        "dark.fits",
        "flat.fits",
    }


def test_lstosas_merged_products_are_read(kg: KnowledgeGraph, shared: Path) -> None:
    for form in ("json", "log"):
        summary = kg.ingest([shared / f"data/lstosa/calibration_to_dl1_01807_prov.withcalib.{form}"])
        assert (summary.counts["activities"], summary.counts["usages"], summary.counts["generations"]) == (5, 20, 10)


def test_prov_o_cases_of_the_w3c_are_read_whole(kg: KnowledgeGraph, shared: Path) -> None:
    import pyoxigraph

    for path in sorted((shared / "data/constraints").glob("*.trig")):
        kg.ingest([path])
        quads = list(pyoxigraph.parse(path=str(path)))
        predicates = {quad.predicate.value for quad in quads}
        assert predicates <= {quad.predicate.value for quad in kg.graph().quads()}, path.name


def test_the_metadata_of_hdf5_and_fits_products(kg: KnowledgeGraph, shared: Path) -> None:
    pytest.importorskip("h5py")
    pytest.importorskip("astropy")
    kg.ingest([shared / "data/ctapipe/v0.28.0/chain_dl1.h5", shared / "data/ctapipe/v0.28.0/LSTcam.camgeom.fits.gz"])
    assert values(kg, PKG.productId) == {"15fbdfc5-3715-47af-9019-67421c2b5814"}
    assert values(kg, PKG.headerActivityId) == {"9ad5ed3b-50e3-459d-bd71-52025a3ca3c4"}
    assert values(kg, PKG.contactName) == {"Zoë Tester"}
    assert not list(kg.graph().quads(None, PROV.wasGeneratedBy))
    assert any("CONTEXT NOTE" in extra for extra in values(kg, PKG.extra))


def test_the_parameters_of_every_era_of_ctapipe(kg: KnowledgeGraph, shared: Path) -> None:
    kg.ingest([shared / "data/ctapipe"])
    assert len(list(kg.graph().quads(None, VP.wasConfiguredBy))) > 2000
    assert kg.status()["quarantined"] == 0


def test_a_missing_reader_package_is_named_with_its_extra(
    kg: KnowledgeGraph, shared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from provkg.readers.headers import _READER

    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding" / "h5py.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hiding"))
    _READER.end()  # the next one has that in its path
    summary = kg.ingest([shared / "data/ctapipe/v0.28.0/chain_dl1.h5"])
    _READER.end()
    assert [(error.message, error.hint) for error in summary.errors] == [
        ("reading HDF5 products needs h5py", 'pip install "provkg[hdf5]"')
    ]
