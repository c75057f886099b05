"""The gate of a release: each leak of a corpus is found wherever it stands, and what is no leak passes."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store

import provkg
from provkg.errors import InputError
from provkg.releasing import Policy, leaks, read_policy, write_manifest
from provkg.releasing.manifest import canonical
from provkg.resources import sample
from provkg.store import LocalGraph
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP
from tests.test_cli import provkg as command

BASE = "https://provkg.example.org/"
CORPUS = {
    "e-mail": ["jane.doe@example.org", "contact: j.doe+lst@obs.example.edu, phone"],
    "home directory": [
        "/home/jdoe/out.fits",
        "--output=/Users/Jane/x.h5",
        r"C:\Users\jane\x",
        "/afs/cern.ch/user/j/jdoe/x",
    ],
    "host": ["10.1.2.3", "node07.lan", "https://192.168.0.17:8080/x", "cp13.cluster.internal"],
    "token": [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "glpat-x7Tg5_h2Qw9ZkLmNpRsT",
        "--password=hunter2!",
        "https://me:s3cret@host.example.org/repo.git",
        "Authorization: Bearer abc.def-ghi",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqZG9lIn0.c2lnbmF0dXJl",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
    "entropy": ["key is q8ZfT2mX0vKb7RtL4WcYd1Ns", "q8ZfT2mX0vKb7RtL4WcYd1Ns9QpJ5hGg"],
    "account": ["by jdoe", "JDOE", "user_jdoe_test", "/scratch/jdoe/x"],
}
PLACES = ["literal", "parameter", "iri", "encoded iri", "graph", "blank label", "base64"]
LEAKS = [(kind, text) for kind, texts in CORPUS.items() for text in texts]


def fits(_: str, text: str, place: str) -> bool:
    """Say whether a leak can stand somewhere: a label of a blank node has letters, digits and underscores only."""
    return place != "blank label" or any(word in text.lower() for word in ("jdoe", "akia", "ghp_", "q8zf"))


def graph_with(text: str, place: str) -> LocalGraph:
    store, subject, graph = Store(), NamedNode(BASE + "entity/1"), NamedNode(BASE + "source/1")
    safe = quote(text, safe="/:@+,=()!*'~")
    named = NamedNode(BASE + "file/site/" + (safe if place == "iri" else quote(text, safe="")))
    label = BlankNode("b_" + "".join(each if each.isalnum() else "_" for each in text))
    quads = {
        "literal": Quad(subject, NamedNode(RDFS_LABEL), Literal(text), graph),
        "parameter": Quad(NamedNode(BASE + "parameter/1"), NamedNode(PROV.value), Literal(text), graph),
        "iri": Quad(named, NamedNode(RDFS_LABEL), Literal("x"), graph),
        "encoded iri": Quad(subject, NamedNode(PROV.wasDerivedFrom), named, graph),
        "graph": Quad(subject, NamedNode(RDFS_LABEL), Literal("x"), named),
        "blank label": Quad(label, NamedNode(RDFS_LABEL), Literal("x"), graph),
        "base64": Quad(subject, NamedNode(VP.comment), Literal(base64.b64encode(text.encode()).decode()), graph),
    }
    store.add(quads[place])
    return LocalGraph(store, BASE)


@pytest.mark.parametrize(
    ("kind", "text", "place"), [(*leak, place) for place in PLACES for leak in LEAKS if fits(*leak, place)]
)
def test_each_leak_of_the_corpus_is_found(kind: str, text: str, place: str) -> None:
    found = leaks(graph_with(text, place), Policy({}), [("account", "jdoe")])
    assert found, f"{text!r} passes as {place}"
    if place in ("literal", "parameter", "iri"):
        assert kind in {each.kind for each in found}, found
    assert all(each.found not in each.shown() for each in found if len(each.found) > 5), "nor does the report tell it"


@pytest.mark.parametrize(
    "text",
    [
        "r0_to_dl1_LST-1.Run12012.0000",
        "/fefs/aswg/data/real/DL1/20230312/v0.9.13/tailcut84/dl1_LST-1.Run12012.0002.h5",
        "md5:095ff151be20a0b0f2f9a95aa28538ef",
        "2023-03-12T20:15:30.123456Z",
        "a906922f-a4b9-49c4-b753-a1eef0836085",
        "ctapipe 0.24.0, numpy 1.26.4, python 3.11.4 (main, Jul  5 2023, 13:45:01) [GCC 11.2.0]",
        "version 10.0.1 of 10.2",
        '{"ProcessorTool":{"EventSource":{"allowed_tels":[1],"max_events":null}}}',
        "/home/removed/x and /home/user-0123456789ab/y and /home/user/z",
        "jdoe2 is another",
        "https://provkg.example.org/usage/f51a08a06e6a45f2e2397b4a1e162b86",
    ],
)
def test_what_records_say_passes(text: str) -> None:
    store = Store()
    store.add(Quad(NamedNode(BASE + "x"), NamedNode(PKG.pathDigest), Literal(text), NamedNode(BASE + "g")))
    assert not leaks(LocalGraph(store, BASE), Policy({}), [("account", "jdoe")])


@pytest.mark.parametrize(
    ("predicate", "value", "kind"),
    [
        (PKG.host, "cp13", "host"),
        (PKG.contactName, "Jane Doe", "contact"),
        (PKG.contactEmail, "secret", "e-mail"),
        (PKG.json, '{"environment": {"LANG": "C"}}', "environment"),
        (RDFS_LABEL, "jane", "account"),
    ],
)
def test_shapes_find_what_stands_where_private_data_are_expected(predicate: str, value: str, kind: str) -> None:
    store, subject, graph = Store(), NamedNode(BASE + "x"), NamedNode(BASE + "g")
    store.add(Quad(subject, NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), NamedNode(PROV.Agent), graph))
    store.add(Quad(subject, NamedNode(predicate), Literal(value), graph))
    graph_ = LocalGraph(store, BASE)
    assert kind in {each.kind for each in leaks(graph_, Policy({}), [])}
    assert kind not in {each.kind for each in leaks(graph_, Policy({kind: "keep"}), [])}


RECORDS = """@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix pkg: <https://w3id.org/provkg/ns#> .
<https://provkg.example.org/file/site/home/jdoe/out.fits> a prov:Entity, pkg:File ; pkg:location "/home/jdoe/out.fits" .
<https://provkg.example.org/file/site/home/mmoe/out.fits> a prov:Entity, pkg:File ; pkg:location "/home/mmoe/out.fits" .
<http://a/act> a prov:Activity ; rdfs:label "step" ; prov:wasAssociatedWith <http://a/agent/jdoe>, <http://a/agent/mmoe> ;
  pkg:host "cp13" ; pkg:arguments "run --mail jdoe@obs.example.org --password=hunter2! /fefs/aswg/x /home/jdoe/y" .
<http://a/agent/jdoe> a prov:Agent ; rdfs:label "jdoe" .
<http://a/agent/mmoe> a prov:Agent ; rdfs:label "mmoe" .
"""
POLICY = """key = "a key that is long enough"
account = "{0}"
host = "{0}"
e-mail = "{0}"
home-directory = "{0}"
[paths]
"/fefs/aswg" = "/data"
"""


@pytest.mark.parametrize("action", ["pseudonymise", "generalise", "drop"])
def test_every_action_passes_the_gate_and_makes_one_of_two_nowhere(action: str, tmp_path: Path) -> None:
    kg = provkg.open(tmp_path / "store")
    (tmp_path / "a.ttl").write_text(RECORDS)
    (tmp_path / "policy.toml").write_text(POLICY.format(action))
    kg.ingest([tmp_path / "a.ttl"])
    told = kg.release(tmp_path / "policy.toml", tmp_path / "public")
    assert not told.leaks
    graph = provkg.open(tmp_path / "public").graph()
    text = graph.dump().decode()
    for secret in (
        "jdoe",
        "mmoe",
        "cp13",
        "hunter2",
        "obs.example.org" if action != "generalise" else "jdoe@",
        "/fefs/aswg",
    ):
        assert secret not in text, secret
    assert len(graph.objects("http://a/act", PROV.wasAssociatedWith)) == 2
    assert len(graph.subjects("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", PKG.File)) == 2
    stand_ins = {each["instead"] for each in told.manifest["removed"]}
    assert {"generalise": "a user", "drop": "removed"}.get(action, next(iter(stand_ins))) in stand_ins


def test_paths_that_would_become_one_are_refused(tmp_path: Path) -> None:
    kg = provkg.open(tmp_path / "store")
    both = RECORDS.replace("/home/mmoe/", "/data/").replace("/home/jdoe/", "/fefs/aswg/")
    (tmp_path / "a.ttl").write_text(both)
    (tmp_path / "policy.toml").write_text(POLICY.format("drop"))
    kg.ingest([tmp_path / "a.ttl"])
    with pytest.raises(InputError, match="would become one"):
        kg.release(tmp_path / "policy.toml", tmp_path / "public")
    assert not provkg.open(tmp_path / "public").store.exists()


def test_a_leak_stops_the_release_and_the_copy_before_stays(tmp_path: Path) -> None:
    kg = provkg.open(tmp_path / "store")
    (tmp_path / "a.ttl").write_text(RECORDS)
    (tmp_path / "policy.toml").write_text(POLICY.format("drop"))
    kg.ingest([tmp_path / "a.ttl"])
    kg.release(tmp_path / "policy.toml", tmp_path / "public")
    digest = provkg.open(tmp_path / "public").graph().digest()
    secret = "q8ZfT2mX0vKb7RtL4WcYd1Ns"
    (tmp_path / "b.ttl").write_text(RECORDS.replace("http://a/", "http://b/").replace("--password=hunter2!", secret))
    kg.ingest([tmp_path / "b.ttl"])
    options = ("--store", tmp_path / "store", "release", tmp_path / "public", "--policy", tmp_path / "policy.toml")
    done = command(*options, "--manifest", tmp_path / "release.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "entropy" in done.stderr
    assert secret not in done.stderr
    assert provkg.open(tmp_path / "public").graph().digest() == digest
    assert not (tmp_path / "release.json").exists()
    (tmp_path / "policy.toml").write_text(f'allow = ["^{secret}$"]\n' + POLICY.format("drop"))
    assert command(*options).returncode == 0, "what is allowed passes"


def test_the_sample_is_released_and_its_check_lists_what_is_private(tmp_path: Path) -> None:
    kg = provkg.open(tmp_path / "store")
    kg.ingest([sample()])
    (tmp_path / "policy.toml").write_text(POLICY.format("pseudonymise") + '"/data/lst" = "/archive"\n')
    told = kg.release(tmp_path / "policy.toml", tmp_path / "public")
    assert not told.leaks, told.leaks
    done = command("--store", tmp_path / "store", "release", "--check")
    assert done.returncode == 1
    assert {"account", "host"} <= {line.partition(":")[0] for line in done.stdout.splitlines()}
    assert command("--store", tmp_path / "public", "release", "--check").returncode in (0, 1)


def test_variables_that_are_named_are_kept(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('environment = ["LANG"]\n')
    policy = read_policy(tmp_path / "policy.toml")
    assert (policy.variables, policy.action("environment")) == (("LANG",), "drop")


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="openssh-client is not here")
def test_the_manifest_is_signed_and_holds_nothing_that_was_removed(tmp_path: Path) -> None:
    kg = provkg.open(tmp_path / "store")
    (tmp_path / "a.ttl").write_text(RECORDS)
    (tmp_path / "policy.toml").write_text(POLICY.format("pseudonymise"))
    kg.ingest([tmp_path / "a.ttl"])
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    options = ("release", tmp_path / "public", "--policy", tmp_path / "policy.toml")
    done = command("--store", tmp_path / "store", *options, "--manifest", tmp_path / "m.json", "--sign", key)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "m.json").read_text()
    assert not [secret for secret in ("jdoe", "mmoe", "cp13", "hunter2") if secret in text]
    told = json.loads(text)
    assert told["digest"] == provkg.open(tmp_path / "public").graph().digest()
    (tmp_path / "signers").write_text("archive " + (tmp_path / "key.pub").read_text())
    verify = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        tmp_path / "signers",
        "-I",
        "archive",
        "-n",
        "provkg",
        "-s",
        tmp_path / "m.json.sig",
    ]
    assert subprocess.run(verify, input=text, capture_output=True, text=True, check=False).returncode == 0
    assert subprocess.run(verify, input=text + " ", capture_output=True, text=True, check=False).returncode != 0
    import hmac

    mac = hmac.new(b"a key that is long enough", canonical(told), "sha256").hexdigest()
    assert told["mac"] == mac
    with pytest.raises(InputError):
        write_manifest(told, tmp_path / "m.json", sign_with=tmp_path / "nokey")
