"""What stands in HDF5, FITS and ECSV, read by a process of its own: ``python -m provkg.readers.headers``.

The libraries of these formats trust what they read: a broken file makes them loop, take all memory, or crash. That
costs the process and one source, and nothing else. A process is begun at the first product, and again when one ended.
"""

import atexit
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, NamedTuple

import yaml

from provkg.errors import InputError, MissingExtra, said
from provkg.readers import HEAD_BYTES, opener_of

HDF5, FITS, ECSV = b"\x89HDF\r\n\x1a\n", b"SIMPLE  =", b"# %ECSV"
SECONDS, MEMORY_BYTES = 5, 2 << 30  # of processor time for one product, and of memory


class Header(NamedTuple):
    """What stands in a product: its metadata, and the texts of ``/provenance`` by stage."""

    meta: dict[str, Any]
    logs: dict[str, str]


def header_of(path: Path) -> Header:
    """Return what stands in a product.

    Raises:
        MissingExtra: h5py or astropy is needed and not installed.
        InputError: it is broken.
    """
    told = _READER.ask(path)
    if "extra" in told:
        raise MissingExtra(told["error"], hint=f'pip install "provkg[{told["extra"]}]"')
    if "error" in told:
        raise InputError(f"{path}: {told['error']}")
    return Header(told["meta"], told["logs"])


class _Reader:
    """The process that reads, as long as it lives."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.of, self.lock = 0, Lock()
        atexit.register(self.end)

    def ask(self, path: Path) -> dict[str, Any]:
        """Return what the process says of a product."""
        with self.lock:
            process = self.running()
            assert process.stdin is not None
            assert process.stdout is not None
            line = b""
            with suppress(BrokenPipeError):
                process.stdin.write(os.fsencode(path.absolute()) + b"\0")
                process.stdin.flush()
                line = process.stdout.readline()
            if line.endswith(b"\n"):
                return json.loads(line)  # type: ignore[no-any-return]
            self.end()
        return {"error": f"reading it took more than {SECONDS} s or {MEMORY_BYTES >> 30} GB, or ended the reader"}

    def running(self) -> "subprocess.Popen[bytes]":
        """Return the process of this process."""
        if self.process is None or self.of != os.getpid() or self.process.poll() is not None:
            command = [sys.executable, "-P", "-m", "provkg.readers.headers"]
            pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing)  # noqa: S603
            self.of = os.getpid()
        return self.process

    def end(self) -> None:
        """End the process, if it is of this one."""
        process, self.process = self.process, None
        if process is not None and self.of == os.getpid():
            process.kill()
            process.communicate()


_READER = _Reader()


# In the process


def main() -> None:
    """Read the products whose paths come on standard input."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out, pending = os.fdopen(os.dup(1), "w"), b""
    os.dup2(2, 1)
    while data := os.read(0, 1 << 16):
        *paths, pending = (pending + data).split(b"\0")
        for path in paths:
            used = resource.getrusage(resource.RUSAGE_SELF)
            limit = int(used.ru_utime + used.ru_stime) + SECONDS
            resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
            out.write(json.dumps(_told(Path(os.fsdecode(path))), default=str) + "\n")
            out.flush()


def _told(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            opener = opener_of(file.read(8))
        with opener(path) as content:
            head = content.read(HEAD_BYTES)
        if head.startswith(HDF5):
            return _hdf5(path)
        return {"meta": _fits(path) if head.startswith(FITS) else _ecsv(head), "logs": {}}
    except MissingExtra as error:
        return {"error": error.message, "extra": error.hint}
    except Exception as error:  # noqa: BLE001 - whatever a library makes of a broken file
        return {"error": said(error)}


def _need(module: str, extra: str, what: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(f"reading {what} needs {module.partition('.')[0]}", hint=extra) from None


def _hdf5(path: Path) -> dict[str, Any]:
    """Return the attributes, and the JSON of ``/provenance`` as ``lstchain.io.provenance`` writes it since 0.10.16."""
    h5py = _need("h5py", "hdf5", "HDF5 products")
    with h5py.File(path, "r") as file:
        meta = {key: _plain(h5py, value) for key, value in file.attrs.items()}
        group = file.get("provenance")
        sets: Iterable[tuple[str, Any]] = group.items() if isinstance(group, h5py.Group) else ()
        logs = {
            stage: str(_plain(h5py, held[()]))
            for stage, held in sets
            if isinstance(held, h5py.Dataset) and held.shape == () and h5py.check_string_dtype(held.dtype) is not None
        }
    return {"meta": meta, "logs": logs}


def _fits(path: Path) -> dict[str, Any]:
    fits = _need("astropy.io.fits", "fits", "FITS products")
    with fits.open(path) as units:
        cards = [(key, unit.header[key]) for unit in units[:2] for key in unit.header]
    undefined = fits.card.Undefined
    return {
        key: "" if isinstance(value, undefined) else value
        for key, value in cards
        if key.startswith(("CTA ", "CONTEXT "))
    }


def _ecsv(head: bytes) -> dict[str, Any]:
    lines = [line[2:] for line in head.decode("utf-8", "replace").splitlines()[1:] if line.startswith("# ")]
    meta = yaml.load("\n".join(lines), Loader=_EcsvLoader)  # noqa: S506 - a SafeLoader that gives None for unknown tags
    return dict(meta.get("meta") or {}) if isinstance(meta, dict) else {}


class _EcsvLoader(yaml.SafeLoader):
    """Read the YAML header of ECSV; ``meta`` is an ordered map, and values of astropy's own tags are not needed."""


_EcsvLoader.add_multi_constructor("", lambda _loader, _suffix, _node: None)


def _plain(h5py: ModuleType, value: Any) -> Any:
    if isinstance(value, h5py.Empty):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    main()
