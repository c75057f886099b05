"""A traced call of three files and five parameters: time and bytes of log, beside logprov's and lstosa's own traces.

    make peers; PYTHONPATH=. .venv-peers/bin/python benchmarks/capture.py [--rounds 7]

All in one process, by a Python that has lstosa, logprov and provkg (``make peers``). No file is digested by content:
logprov gets a function for ids of files instead, and a name where it asks the terminal for one; lstosa digests paths.
"""

import argparse
import datetime
import logging
import logging.handlers
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import Part, median, rounds, short, spread

from provkg.capture import Generated, Recorder, Used
from provkg.capture.lstosa import variables

DEFINITION = """
activities:
  dl1ab:
    parameters: [{names}]
    usage:
      - {{role: DL1 subrun dataset, entityName: DL1SubrunDataset, value: first}}
      - {{role: Analysis configuration file, entityName: AnalysisConfigFile, value: second}}
    generation:
      - {{role: DL1AB subrun dataset, entityName: DL1SubrunDataset, value: third}}
entities:
  DL1SubrunDataset: {{type: File, contentType: application/x-hdf}}
  AnalysisConfigFile: {{type: File, contentType: application/json}}
"""
VALUES = {"a": 1, "b": 2.5, "c": "text", "d": True, "e": "v0.12.3"}


def annotated(prov: Recorder) -> Callable[[], object]:
    """Return a call that says by annotations what it uses."""

    @prov
    def dl1ab(first: Used, second: Used, third: Generated, a: int, b: float, c: str, d: bool, e: str) -> None: ...

    files = [str(Path(name).absolute()) for name in ("first.h5", "second.json", "third.h5")]
    return lambda: dl1ab(*files, **VALUES)


def by_definition(prov: Recorder) -> Callable[[], object]:
    """Return a call of which a definition says what it uses."""

    @prov
    def dl1ab(first: str, second: str, third: str, a: int, b: float, c: str, d: bool, e: str) -> None: ...

    files = [str(Path(name).absolute()) for name in ("first.h5", "second.json", "third.h5")]
    return lambda: dl1ab(*files, **VALUES)


def of_logprov(log: str) -> Callable[[], object]:
    """Return a call traced by logprov, with the same definition in its words."""
    from logprov.capture import ProvCapture  # noqa: PLC0415 - it sets up logging when it is imported

    os.getlogin = lambda: "benchmark"  # it asks the terminal, and there is none
    definition = {
        "activity_descriptions": {
            "dl1ab": {
                "parameters": [{"name": name, "value": f"kwargs.{name}"} for name in VALUES],
                "usage": [
                    {"role": role, "entity_description": "File", "location": f"kwargs.{role}"}
                    for role in ("first", "second")
                ],
                "generation": [{"role": "third", "entity_description": "File", "location": "kwargs.third"}],
            }
        },
        "entity_descriptions": {"File": {"type": "File", "contentType": "application/x-hdf"}},
        "agents": {},
    }
    config = {"log_filename": log}
    capture = ProvCapture(definitions=definition, config=config, get_file_id_func=str)
    capture.logger = logging.getLogger("logprov alone")  # its own is that of lstosa as well
    capture.logger.setLevel(logging.INFO)
    capture.logger.propagate = False
    capture.logger.addHandler(logging.handlers.WatchedFileHandler(log))
    trace = capture.trace

    @trace
    def dl1ab(first: str = "", second: str = "", third: str = "", **values: object) -> None: ...

    files = {name: str(Path(f"{name}.h5").absolute()) for name in ("first", "second", "third")}
    return lambda: dl1ab(**files, **VALUES)


def of_lstosa(with_variables: bool) -> Callable[[], object]:
    """Return a call of lstosa's dl1ab with five parameters; what ``parse_variables`` finds is given, or is found."""
    sys.argv = sys.argv[:1]
    from osa.configs import options  # noqa: PLC0415 - it reads the command line when it is imported
    from osa.provenance import capture  # noqa: PLC0415

    options.date, options.prod_id = datetime.datetime(2020, 1, 17), "v0.1.0"
    capture.definition["activities"]["dl1ab"]["parameters"] = [{"name": name, "value": name} for name in VALUES]
    if not with_variables:
        files = {
            "DL1SubrunDataset": str(Path("first.h5").absolute()),
            "Analysisconfigfile_dl1": str(Path("second.json").absolute()),
            "ObservationRun": "01807",
            "ObservationDate": "20200117",
            "SoftwareVersion": "v0.12.3",
            "ProcessingConfigFile": "sequencer.cfg",
        }

        def parse_variables(instance: object) -> object:
            vars(instance).update(files | VALUES)
            return instance

        capture.parse_variables = parse_variables

    @capture.trace
    def dl1ab(*_: str) -> int:
        return 0

    return lambda: dl1ab("01807.0000", "config.json", "tailcut84")


def of_lstosa_by_provkg(prov: Recorder) -> Callable[[], object]:
    """Return lstosa's dl1ab traced by provkg in its place, with its own definition and variables."""

    @prov
    def dl1ab(*_: str) -> int:
        return 0

    return lambda: dl1ab("01807.0000", "config.json", "tailcut84")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    part = Part("capture", "Capture: a traced call of three files and five parameters, nothing digested")
    part.notes.append(
        "provkg looks at each file (where it leads, its size, its time of change) and writes two records, one before "
        "the call; logprov and lstosa look at no file here, and write after it, if it ends well."
    )
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("first.h5", "second.json", "third.h5"):
            Path(name).write_text(name)
        measure(part, given.rounds)
        os.chdir("/")
    part.save()


def measure(part: Part, count: int) -> None:
    """Measure all, side by side."""
    from osa.provenance.capture import SCHEMA_FILE  # noqa: PLC0415

    names = ", ".join(f"{{name: {name}, value: {name}}}" for name in VALUES)
    Path("definition.yaml").write_text(DEFINITION.format(names=names))
    off = Recorder("off.jsonl", enabled=False)
    ours = {
        "provkg, by annotations": (annotated(Recorder("annotated.jsonl", digest="never")), "annotated.jsonl", 1000),
        "provkg, by a definition": (
            by_definition(Recorder("defined.jsonl", digest="never", definition="definition.yaml")),
            "defined.jsonl",
            1000,
        ),
        "provkg, switched off": (annotated(off), "", 100_000),
    }
    theirs = {
        "logprov 0.0.2": (of_logprov("logprov.log"), "logprov.log", 200),
        "lstosa 0.11.10, its variables given": (of_lstosa(False), "prov.log", 20),
    }
    cases = {**ours, **theirs}
    for call, _, _ in cases.values():
        call()  # the first tells the environment
    sizes = {name: Path(log).stat().st_size if log else 0 for name, (_, log, _) in cases.items()}
    took = rounds({name: repeated(call, times) for name, (call, _, times) in cases.items()}, count)
    table = part.table("", "traced by", "µs a call", "bytes a call", "time, to ours", "bytes, to ours")
    micro = {name: [1e6 * seconds / cases[name][2] for seconds in took[name]] for name in cases}
    written = {
        name: (Path(log).stat().st_size - sizes[name]) / (times * count) if log else 0
        for name, (_, log, times) in cases.items()
    }
    first = "provkg, by annotations"
    for name in cases:
        ratios = [short(median(micro[name]) / median(micro[first])), short(written[name] / written[first])]
        table.add(name, spread(micro[name]), f"{written[name]:,.0f}", *(f"{each}×" for each in ratios))
    part.figures = {"micro": micro, "bytes": written}
    aims(part, micro, written, list(theirs))
    whole(part, str(SCHEMA_FILE), count)


def aims(part: Part, micro: dict[str, list[float]], written: dict[str, float], theirs: list[str]) -> None:
    """Note what is wanted beside what was measured."""
    first = "provkg, by annotations"
    part.aim("capture: a traced call, least of all rounds", min(micro[first]), 40, "µs")
    part.aim("capture: a traced call, median", median(micro[first]), 40, "µs")
    part.aim("capture: log of a traced call", written[first] / 1000, 1.5, "kB")
    for name, faster in zip(theirs, (10, 90), strict=True):
        short_name = name.partition(",")[0]
        times = median(micro[name]) / median(micro[first])
        part.aim(f"capture: faster than {short_name}", times, faster, "times", least=True)
        part.aim(f"capture: less log than {short_name}", written[name] / written[first], 10, "times", least=True)


def whole(part: Part, definition: str, count: int) -> None:
    """Measure lstosa's dl1ab with what lstosa itself does to find its variables, traced by it and by provkg."""
    import importlib  # noqa: PLC0415

    from osa.provenance import capture  # noqa: PLC0415

    importlib.reload(capture)
    logging.getLogger("provLogger").handlers.clear()
    prov = Recorder("bridge.jsonl", digest="never", definition=definition, variables=variables)
    cases = {
        "lstosa's dl1ab by provkg": of_lstosa_by_provkg(prov),
        "lstosa's dl1ab by lstosa": of_lstosa(True),
        "parse_variables alone": parse_only(),
    }
    for call in cases.values():
        call()
    took = rounds({name: repeated(call, 20) for name, call in cases.items()}, count)
    table = part.table("With lstosa's own search for its variables", "traced by", "µs a call")
    for name, seconds in took.items():
        table.add(name, spread([1e6 * each / 20 for each in seconds]))


def parse_only() -> Callable[[], object]:
    """Return what lstosa does at each call to find its variables."""
    from types import SimpleNamespace  # noqa: PLC0415

    from osa.provenance.utils import parse_variables  # noqa: PLC0415

    return lambda: parse_variables(
        SimpleNamespace(__name__="dl1ab", args=("01807.0000", "config.json", "tailcut84"), kwargs={})
    )


def repeated(call: Callable[[], object], times: int) -> Callable[[], None]:
    """Return a function that calls many times."""

    def work() -> None:
        for _ in range(times):
            call()

    return work


if __name__ == "__main__":
    main()
