"""Stamps in the formats that have a place for them."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from provkg.errors import InputError, MissingExtra
from provkg.identity import canonical
from provkg.stamps.stamp import KEYS, Stamp, of_cards

_HEAD_BYTES = 1 << 10
_HEADER_BYTES = 16 << 20
_ITEM = "provkg"
_META = re.compile(r"# meta:[ \t]*(!!omap)?[ \t]*\Z")
_OURS = re.compile(r"# +(?:- \{)?provkg: ?\{")


@dataclass(frozen=True)
class _Format:
    """How stamps are read from a file, and written into a copy of it."""

    begin: bytes
    read: Callable[[Path], dict[str, Any]]
    write: Callable[[Path, Stamp], None]


def read_stamp(path: str | Path) -> Stamp | None:
    """Return the stamp of a file, or None where it has none or has no place for one.

    Raises:
        InputError: it cannot be read.
        MissingExtra: h5py or astropy is needed and not installed.
    """
    form = _format(Path(path))
    if form is None:
        return None
    with _told(Path(path)):
        return of_cards(form.read(Path(path)))


def stamped(path: str | Path, stamp: Stamp) -> None:
    """Write a stamp into a file, in place of one that it has.

    Raises:
        InputError: it is not FITS, HDF5 or ECSV, or cannot be written; it is as it was then.
        MissingExtra: h5py or astropy is needed and not installed.
    """
    real = Path(os.path.realpath(path))
    form = _format(real)
    if form is None:
        raise InputError(f"{path}: a stamp goes into FITS, HDF5 and ECSV", hint="record its digest: provkg run")
    with _told(real), _beside(real) as copy:
        form.write(copy, stamp)
        if of_cards(form.read(copy)) != stamp:
            raise InputError(f"{path}: the stamp could not be read back; nothing was changed")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path}: {reason}") from None


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a copy of a file, which takes its place when all went well."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    os.close(handle)
    copy = Path(name)
    try:
        shutil.copy2(path, copy)
        yield copy
        with copy.open("rb+") as stream:
            os.fsync(stream.fileno())
        copy.replace(path)
    finally:
        copy.unlink(missing_ok=True)


def _format(path: Path) -> _Format | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end
            raise InputError(f"{path}: no regular file")
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    return next((form for form in _FORMATS if head.startswith(form.begin)), None)


def _need(module: str, extra: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise MissingExtra(f"a stamp in this file needs {name}", hint=f'pip install "provkg[{extra}]"') from None


# HDF5


def _read_hdf5(path: Path) -> dict[str, Any]:
    with _need("h5py", "hdf5").File(path, "r") as file:
        return {key: _text(file.attrs[key]) for key in KEYS.values() if key in file.attrs}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _write_hdf5(path: Path, stamp: Stamp) -> None:
    with _need("h5py", "hdf5").File(path, "r+") as file:
        for key, text in stamp.cards().items():
            file.attrs[key] = text


# FITS


def _read_fits(path: Path) -> dict[str, Any]:
    with _need("astropy.io.fits", "fits").open(path) as units:
        return {key: units[0].header[key] for key in KEYS.values() if key in units[0].header}


def _write_fits(path: Path, stamp: Stamp) -> None:
    with _need("astropy.io.fits", "fits").open(path, mode="update") as units:
        header = units[0].header
        for key, text in stamp.cards().items():
            header[key] = text
        if "CHECKSUM" in header:
            units[0].add_checksum()


# ECSV, whose header is YAML in comments: https://github.com/astropy/astropy-APEs/blob/main/APE6.rst


def _read_ecsv(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        meta = _meta(_header(stream.read(_HEADER_BYTES).decode("utf-8", "replace"))[0])
    held = meta.get(_ITEM)
    return held if isinstance(held, dict) else {}


def _write_ecsv(path: Path, stamp: Stamp) -> None:
    with path.open("rb") as stream:
        begin = stream.read(_HEADER_BYTES).decode("utf-8")
        header, rest = _header(begin)
        others = {key: value for key, value in _meta(header).items() if key != _ITEM}
        changed = _with_item(header, canonical(stamp.cards()))
        if {key: value for key, value in _meta(changed).items() if key != _ITEM} != others:
            raise InputError(f"{path}: its meta is written in a way that a stamp would change")
        with tempfile.TemporaryFile(dir=path.parent) as whole:
            whole.write("".join(changed).encode() + rest.encode())
            shutil.copyfileobj(stream, whole)
            whole.seek(0)
            with path.open("wb") as target:
                shutil.copyfileobj(whole, target)


def _header(text: str) -> tuple[list[str], str]:
    """Return the lines of the header, and what follows it."""
    lines = text.splitlines(keepends=True)
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:count], "".join(lines[count:])


def _meta(header: list[str]) -> dict[str, Any]:
    """Return ``meta`` as a mapping; an ordered one is a list of pairs."""
    text = "".join(line[2:] for line in header[1:] if line.startswith("# "))
    held = (yaml.load(text, Loader=_Loader) or {}).get("meta") or {}  # noqa: S506 - a SafeLoader
    return dict(held)


def _with_item(header: list[str], value: str) -> list[str]:
    """Return a header with an item of ``meta``, which stands in one line, in place of one that is there."""
    lines = [line for line in header if not _OURS.match(line)]
    end = "\r\n" if header[0].endswith("\r\n") else "\n"
    for number, line in enumerate(lines):
        if match := _META.match(line.rstrip("\r\n")):
            item = f"# - {{{_ITEM}: {value}}}{end}" if match[1] else f"#   {_ITEM}: {value}{end}"
            return [*lines[: number + 1], item, *lines[number + 1 :]]
    if any(line.startswith("# meta:") for line in lines):
        raise ValueError("its meta is written in a way that a stamp would change")
    where = next((number for number, line in enumerate(lines) if line.startswith("# schema:")), len(lines))
    return [*lines[:where], f"# meta: !!omap{end}", f"# - {{{_ITEM}: {value}}}{end}", *lines[where:]]


class _Loader(yaml.SafeLoader):
    """Read YAML with tags of astropy as what they are made of."""


def _untagged(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _untagged)
_Loader.add_multi_constructor("tag:", _untagged)
_Loader.add_constructor("tag:yaml.org,2002:omap", yaml.SafeLoader.construct_yaml_omap)  # type: ignore[type-var]

_FORMATS = (
    _Format(b"\x89HDF\r\n\x1a\n", _read_hdf5, _write_hdf5),
    _Format(b"SIMPLE  =", _read_fits, _write_fits),
    _Format(b"# %ECSV", _read_ecsv, _write_ecsv),
)
