"""A copy without private data: what is found as private is nowhere in it, and the graph is the same but for names."""

from pathlib import Path

import pytest

import provkg
from provkg.errors import InputError, StoreError
from provkg.releasing import Policy, read_policy
from tests.serving import Served, served

KEY = "a key that is long enough"
_ALL = f'''key = "{KEY}"
account = "pseudonymise"
host = "pseudonymise"
home-directory = "pseudonymise"
'''
_RECORDS = """@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix pkg: <https://w3id.org/provkg/ns#> .
<http://a/out> a prov:Entity ; pkg:location "/home/jdoe/out.fits" ; rdfs:label "by jdoe, not jdoe2" ;
  prov:wasGeneratedBy <http://a/act> .
<http://a/act> a prov:Activity ; rdfs:label "step" ; prov:wasAssociatedWith <http://a/agent/jdoe> ; pkg:host "cp13" .
<http://a/agent/jdoe> a prov:Agent ; rdfs:label "jdoe" .
<http://a/other> a prov:Entity ; pkg:location "/home/mmoe/out.fits" .
<http://a/contact> a prov:Agent ; pkg:contactEmail "jane.doe@example.org" ; pkg:contactName "Jane Doe" .
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "policy.toml").write_text(_ALL)
    return tmp_path / "policy.toml"


@pytest.fixture
def private(tmp_path: Path, write) -> provkg.KnowledgeGraph:
    kg = provkg.open(tmp_path / "store")
    kg.ingest([write("a.ttl", _RECORDS)])
    return kg


def test_nothing_private_is_left_and_nothing_else_is_lost(
    private: provkg.KnowledgeGraph, policy: Path, tmp_path: Path
) -> None:
    told = private.release(policy, tmp_path / "public")
    assert told.redaction.replaced["account"] >= 1
    graph, before = provkg.open(tmp_path / "public").graph(), private.graph()
    text = graph.dump().decode()
    for secret in ("jdoe,", "/jdoe", '"jdoe"', "mmoe", "cp13", "jane.doe", "Jane Doe"):
        assert secret in before.dump().decode() or secret == "/jdoe"
        assert secret not in text, secret
    assert "not jdoe2" in text, "only whole words"
    disk = [line for line in before.dump().decode().splitlines() if "/sourcefile/" in line]
    assert len(text.splitlines()) + len(disk) == len(before.dump().decode().splitlines())
    assert disk, "paths as they were on the disk of who releases"
    assert "/sourcefile/" not in text
    homes = {each.split("/")[2] for each in graph.objects("http://a/out", "https://w3id.org/provkg/ns#location")}
    homes |= {each.split("/")[2] for each in graph.objects("http://a/other", "https://w3id.org/provkg/ns#location")}
    assert len(homes) == 2, "two homes stay two"
    assert not [
        each for each in provkg.open(tmp_path / "public").ask("private-data") if each["what"] in ("jdoe", "cp13")
    ]


def test_the_same_key_gives_the_same_copy_and_another_key_another(
    private: provkg.KnowledgeGraph, policy: Path, tmp_path: Path
) -> None:
    digests = []
    for name, key in (("one", KEY), ("two", KEY), ("three", KEY + "!")):
        policy.write_text(_ALL.replace(KEY, key))
        private.release(policy, tmp_path / name)
        digests.append(provkg.open(tmp_path / name).graph().digest())
    assert digests[0] == digests[1] != digests[2]


def test_lineage_of_the_copy_is_the_same(tmp_path: Path, policy: Path) -> None:
    from provkg.resources import sample

    kg = provkg.open(tmp_path / "store")
    kg.ingest([sample()])
    kg.release(policy, tmp_path / "public")
    public = provkg.open(tmp_path / "public")
    assert [step.location for step in public.lineage("crab_flux_points.fits")] == [
        step.location for step in kg.lineage("crab_flux_points.fits")
    ]
    assert "node07" not in public.graph().dump().decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acount = 'drop'", "did you mean 'account'"),
        ("account = 'hide'", "nothing that can be done"),
        ("account = 'pseudonymise'", "need a key"),
        ("environment = 'pseudonymise'", "nothing that can be done"),
        ("account =", "policy.toml"),
    ],
)
def test_a_policy_that_is_wrong_is_refused(policy: Path, text: str, message: str) -> None:
    policy.write_text(text)
    with pytest.raises(InputError) as caught:
        read_policy(policy)
    assert message in f"{caught.value.message} {caught.value.hint}"


def test_what_is_not_named_is_dropped() -> None:
    assert Policy({}).instead("contact", "Jane") == "removed"
    assert "Jane" not in Policy({"contact": "pseudonymise"}, KEY).instead("contact", "Jane")
    assert KEY not in repr(Policy({}, KEY))


def test_a_store_is_not_released_into_itself(private: provkg.KnowledgeGraph, policy: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        private.release(policy, tmp_path / "store")


def test_a_public_server_tells_nothing_private_by_any_door(
    private: provkg.KnowledgeGraph, policy: Path, tmp_path: Path, write
) -> None:
    with served(tmp_path / "store", "--workers", "1", "--public", str(policy)) as site:
        assert _told(site, "SELECT * { ?s ?p ?o FILTER(CONTAINS(STR(?o), 'out.fits')) }").count("out.fits") >= 2
        for path in (
            "/search?q=jdoe",
            "/page/?iri=http%3A%2F%2Fa%2Fout",
            "/data/.ttl?iri=http%3A%2F%2Fa%2Fact",
            "/api/questions/private-data?format=csv",
            "/provsap?ID=http%3A%2F%2Fa%2Fout",
            "/resource?iri=http%3A%2F%2Fa%2Fagent%2Fjdoe",
        ):
            told = site.get(path, "text/html").text.replace("q=jdoe", "").replace("<b>jdoe</b>", "")
            assert "cp13" not in told
            assert "/home/jdoe" not in told
        assert "jdoe/" not in _told(site, "SELECT * { ?s ?p ?o }")
        private.ingest([write("b.ttl", _RECORDS.replace("http://a/", "http://b/"))])
        for _ in range(200):  # until the copy is made
            if "http://b/" in _told(site, "SELECT ?s { ?s ?p ?o }"):
                break
        else:
            pytest.fail("the copy was not made again")
        assert "cp13" not in _told(site, "SELECT * { ?s ?p ?o }")


def _told(site: Served, query: str) -> str:
    import time

    time.sleep(0.05)
    return site.get("/sparql", "text/csv", params={"query": query}).text
