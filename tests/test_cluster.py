"""A cluster changes nothing but the time: real workers read, die, are lost, and the store is the same."""

import errno
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph
import pytest

import provkg
from provkg.config import Config
from provkg.errors import InputError, MissingExtra, StoreError
from provkg.ingest import Cluster, Summary
from provkg.ingest.cluster import read_task
from provkg.ingest.outcomes import VERSION, Task
from provkg.ingest.transaction import SMALL_BYTES
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.store import LocalGraph
from tests.conftest import environment
from tests.logs import activity, log, session
from tests.test_cli import provkg as command

if TYPE_CHECKING:
    from distributed import LocalCluster

pytestmark = pytest.mark.xdist_group("cluster")  # one cluster serves most of these tests
FILES = 8

DEADLY = """
import os, signal
from provkg.readers import Reader

def read(source):
    os.kill(os.getpid(), signal.SIGKILL)
    yield

READER = Reader("deadly", lambda source: source.head.startswith(b"deadly"), read)
"""


def run_log(number: int, steps: int = 45) -> str:
    """A run whose files the next run reads, with parameters and an environment that all runs share."""
    return log(
        session(number, f"{number:05d}", f"r0_to_dl1:{number}"),
        *(
            activity(
                f"{number:02d}{step:04d}",
                at=1000 * number + 10 * step,
                used=(f"/d/run{number - 1}/{step}.h5", f"/raw/run{number}/{step}.fits"),
                generated=(f"/d/run{number}/{step}.h5",),
                parameters={"threshold": step % 7, "config": "standard" * 20},
                in_session=number,
                tag=f"r0_to_dl1:{number}",
            )
            for step in range(steps)
        ),
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster") / "night"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.log").write_text(run_log(number))
    assert min(path.stat().st_size for path in folder.iterdir()) >= SMALL_BYTES
    for path in sample().iterdir():  # these are small: the writer reads them itself
        (folder / f"small-{path.name}").write_bytes(path.read_bytes())
    (folder / "notes.txt").write_text("no provenance\n" * 10_000)
    (folder / "x.log.gz").write_bytes(gzip.compress(run_log(77).encode())[:-900] + b"broken" * SMALL_BYTES)
    return folder


@pytest.fixture(scope="module")
def serial(night: Path) -> tuple[KnowledgeGraph, Summary]:
    graph = provkg.open(night.parent / "serial")
    return graph, graph.ingest([night])


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster("local:2") as workers:
        yield workers


def told(summary: Summary) -> dict:
    return {**asdict(summary), "errors": [(each.message, each.hint) for each in summary.errors]}


def pids(cluster: Cluster) -> list[int]:
    return sorted(cluster.client.run(os.getpid).values())


def there(*, processes: bool, workers: int = 1) -> "LocalCluster":
    """A cluster that somebody else has started, as at a site."""
    from distributed import LocalCluster

    web = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    return LocalCluster(
        n_workers=workers,
        processes=processes,
        protocol="tcp://",
        host="127.0.0.1",
        scheduler_kwargs=web,
        silence_logs=50,
    )


def test_a_cluster_gives_the_same_graph_summary_and_lineage(
    kg: KnowledgeGraph, night: Path, serial: tuple[KnowledgeGraph, Summary], cluster: Cluster
) -> None:
    graph, summary = serial
    assert told(kg.ingest([night], scheduler=cluster)) == told(summary)
    assert kg.graph().digest() == graph.graph().digest()
    last = f"/d/run{FILES - 1}/3.h5"
    assert kg.lineage(last) == graph.lineage(last)
    assert len(kg.lineage(last)) == 2 * FILES
    assert kg.status()["sources"] == FILES + len(list(sample().iterdir()))


def test_what_is_there_is_not_read_again_and_a_grown_file_replaces_itself(
    kg: KnowledgeGraph, night: Path, tmp_path: Path, cluster: Cluster
) -> None:
    import shutil

    folder = Path(shutil.copytree(night, tmp_path / "night"))
    kg.ingest([folder], scheduler=cluster)
    before = kg.graph().digest(), kg.store.current()
    again = kg.ingest([folder, folder / "0.log"], scheduler=cluster)
    assert (again.sources, again.unchanged) == (0, FILES + len(list(sample().iterdir())))
    assert (kg.graph().digest(), kg.store.current()) == before
    (folder / "3.log").write_text(run_log(3, 60))
    (folder / "copy.log").write_text(run_log(4))
    grown = kg.ingest([folder], scheduler=cluster)
    assert (grown.sources, grown.grown, grown.unchanged) == (1, 1, again.unchanged)
    fresh = provkg.open(tmp_path / "fresh")
    fresh.ingest([folder])
    assert kg.graph().digest() == fresh.graph().digest()


def test_a_worker_that_is_killed_in_the_middle_costs_nothing(
    kg: KnowledgeGraph, night: Path, serial: tuple[KnowledgeGraph, Summary]
) -> None:
    killed = []

    def progress(_done: int, _total: int, name: str) -> None:
        if name.endswith(("/1.log", "/4.log")):  # with what it reads, and what it has read
            killed.append(pids(workers)[0])
            os.kill(killed[-1], signal.SIGKILL)

    with Cluster("local:2") as workers:
        summary = kg.ingest([night], progress=progress, scheduler=workers)
    assert len(set(killed)) == 2
    assert told(summary) == told(serial[1])
    assert kg.graph().digest() == serial[0].graph().digest()


def test_a_file_that_kills_its_readers_costs_only_itself(
    kg: KnowledgeGraph, night: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "plugin"
    (plugin / "deadly-1.dist-info").mkdir(parents=True)
    (plugin / "deadly-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1\n")
    (plugin / "deadly-1.dist-info" / "entry_points.txt").write_text("[provkg.readers]\na_deadly = deadly:READER\n")
    (plugin / "deadly.py").write_text(DEADLY)
    (tmp_path / "deadly.log").write_text("deadly" * SMALL_BYTES)
    logs = sorted(night.glob("[0-3].log"))
    monkeypatch.syspath_prepend(plugin)
    with Cluster("local:1") as workers:
        summary = kg.ingest([logs[0], tmp_path / "deadly.log", *logs[1:]], scheduler=workers)
    assert [each.message for each in summary.errors] == [
        f"{tmp_path}/deadly.log: the workers that read it died 4 times"
    ]
    assert (summary.sources, summary.exit_status) == (len(logs), 4)
    fresh = provkg.open(tmp_path / "fresh")
    fresh.ingest(logs)
    assert kg.graph().digest() == fresh.graph().digest()


def _process(number: int) -> tuple[int, int]:
    return os.getpid(), number


def test_a_result_that_is_lost_with_its_worker_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies between the end of the task and the look at it."""
    from distributed import wait

    looked = []

    def waited(future: object, timeout: float) -> None:
        wait(future, timeout=timeout)
        if not looked:
            [pid] = workers.client.run(os.getpid).values()
            os.kill(pid, signal.SIGKILL)
            while future.status == "finished":  # type: ignore[attr-defined]
                pass
        looked.append(future.status)  # type: ignore[attr-defined]

    with Cluster("local:1") as workers:
        monkeypatch.setattr("distributed.wait", waited)
        assert [number for _, number in workers.spread(_process, range(4))] == [0, 1, 2, 3]
    assert looked[0] == "lost"


def test_the_place_of_a_dead_worker_is_not_given_up() -> None:
    """By default dask gives it up where nobody holds it 15 s after a death: the moment of another death is enough."""
    import dask
    from dask.utils import parse_timedelta

    with Cluster("local:1"):
        assert parse_timedelta(dask.config.get("distributed.deploy.lost-worker-timeout")) > 86_400


def test_validation_on_workers_finds_what_this_process_finds(
    night: Path, serial: tuple[KnowledgeGraph, Summary], cluster: Cluster
) -> None:
    graph, summary = serial
    expected = graph.validate(sources=summary.touched)
    assert len(expected.findings) > 5
    assert graph.validate(sources=summary.touched, scheduler=cluster) == expected


@pytest.mark.parametrize("name", ["parts", "parts.gz"])
def test_parts_loaded_in_bulk_are_the_same_graph(
    name: str, tmp_path: Path, serial: tuple[KnowledgeGraph, Summary], cluster: Cluster
) -> None:
    graph = serial[0]
    parts = graph.write_parts(tmp_path / name, scheduler=cluster if name == "parts" else None)
    manifest = json.loads((tmp_path / name / "manifest.json").read_text())
    assert [each["file"] for each in manifest["parts"]] == [part.file for part in parts]
    assert {path.name for path in (tmp_path / name).iterdir()} == {"manifest.json", *(part.file for part in parts)}
    store = pyoxigraph.Store()
    for part in parts:
        data = (tmp_path / name / part.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == part.sha256
        text = gzip.decompress(data) if part.file.endswith(".gz") else data
        assert text.count(b"\n") == part.quads
        store.bulk_load(text, format=pyoxigraph.RdfFormat.N_QUADS)
    assert LocalGraph(store, graph.graph().base).digest() == graph.graph().digest()
    assert len(store) == manifest["quads"]
    assert graph.write_parts(tmp_path / name) == parts


def test_the_command_reads_by_a_scheduler_that_is_there_and_writes_parts_instead_of_a_store(
    tmp_path: Path, night: Path, serial: tuple[KnowledgeGraph, Summary]
) -> None:
    with there(processes=True) as site:
        options = ("--scheduler", site.scheduler_address, "--validate", "--parts", "out/parts")
        done = command("ingest", *options, night, cwd=tmp_path)
    alone = command("ingest", "--validate", "--parts", "out/alone", night, cwd=tmp_path)
    assert (done.stdout, done.returncode) == (alone.stdout, alone.returncode)
    assert done.stderr.replace("out/parts", "out/alone") == alone.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["alone", "parts"]
    found, expected = (_loaded(tmp_path / "out" / name) for name in ("parts", "alone"))
    assert found.digest() == expected.digest() == serial[0].graph().digest()


def _loaded(folder: Path) -> LocalGraph:
    store = pyoxigraph.Store()
    for path in folder.glob("*.nq"):
        store.bulk_load(path=path, format=pyoxigraph.RdfFormat.N_QUADS)
    return LocalGraph(store, json.loads((folder / "manifest.json").read_text())["base"])


def test_parts_are_not_written_among_other_things(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    done = command("ingest", "--parts", "out", sample(), cwd=tmp_path)
    assert (done.returncode, [path.name for path in (tmp_path / "out").iterdir()]) == (3, ["thesis.tex"])
    assert "error: out holds other things than parts: thesis.tex" in done.stderr


def opened_to_write(pipe: Path, reader: subprocess.Popen[str]) -> int:
    """Open a named pipe when a process has opened it to read."""
    while reader.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
    pytest.fail(f"the process ended before it read: {reader.stderr.read() if reader.stderr else ''}")


def test_an_interrupt_ends_the_workers_and_leaves_the_store_as_it_was(tmp_path: Path, night: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    files = [night / "0.log", tmp_path / "pipe", *sorted(night.glob("[1-9].log"))]
    with subprocess.Popen(
        [sys.executable, "-m", "provkg", "--store", "store", "ingest", "--scheduler", "local:2", *files],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    ) as ingest:
        try:
            writer = opened_to_write(tmp_path / "pipe", ingest)  # when the ingest has come to it: the first was read
            os.killpg(ingest.pid, signal.SIGINT)  # as the terminal does
            said = ingest.communicate(timeout=120)[1]  # to its end: no process that could write there lives
            os.close(writer)
        finally:
            ingest.kill()
    assert (ingest.returncode, said.strip()) == (130, "")
    assert not (tmp_path / "store" / "CURRENT").exists()
    assert not list((tmp_path / "store" / "snapshots").iterdir())


def test_who_waits_for_workers_in_vain_is_told(
    kg: KnowledgeGraph, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provkg.ingest.cluster.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("provkg.ingest.cluster.PATIENCE_SECONDS", 0.1)
    with there(processes=False, workers=0) as site, pytest.raises(StoreError, match="no worker came to tcp://"):
        kg.ingest([night], scheduler=site.scheduler_address)


def test_a_scheduler_that_is_lost_in_the_middle_leaves_the_store_as_it_was(kg: KnowledgeGraph, night: Path) -> None:
    import dask

    def progress(_done: int, _total: int, name: str) -> None:
        if name.endswith("/2.log"):
            site.close()

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "500ms"}),
        there(processes=False) as site,
        pytest.raises(StoreError, match="was lost"),
    ):
        kg.ingest([night], progress=progress, scheduler=site.scheduler_address)
    assert not kg.store.exists()


def test_a_scheduler_that_is_not_there_is_said(kg: KnowledgeGraph) -> None:
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "500ms"}),
        pytest.raises(StoreError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"),
    ):
        kg.ingest([sample()], scheduler="tcp://127.0.0.1:9")
    assert not kg.store.exists()


@pytest.mark.parametrize("wrong", ["local", "local:0", "8786", "http://host:8786", "tcp://host", ""])
def test_a_scheduler_that_is_no_address_is_said(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no address"):
        Cluster(wrong)
    done = command("ingest", "--scheduler", wrong, sample(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{wrong!r} is none of local:N, tcp://HOST:PORT and tls://HOST:PORT" in done.stderr


def test_without_dask_the_extra_is_named(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"dask.distributed") as missing:
        kg.ingest([sample()], scheduler="local:2")
    assert "provkg[cluster]" in missing.value.hint


def test_a_worker_that_cannot_see_a_file_says_so(tmp_path: Path) -> None:
    (outcome,) = read_task(Config(), VERSION, Task(str(tmp_path / "x.log"), "x.log", True))
    assert isinstance(outcome, InputError)
    assert "cannot read it" in outcome.message
    assert "same paths" in outcome.hint


def test_a_worker_with_another_version_is_refused(night: Path) -> None:
    with pytest.raises(StoreError, match=r"this is 99\.0"):
        read_task(Config(), "99.0", Task(str(night / "0.log"), "0.log", True))
