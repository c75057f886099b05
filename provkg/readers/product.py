"""Products that carry ``CTA …`` metadata themselves: HDF5, FITS and ECSV.

A product says what it is (its id, level, data model) and which activity claims it. The claim is kept and not followed:
a header can be copied from upstream, so only a log makes an edge. What lstchain writes into the group ``/provenance``
of its HDF5 files is such a log: ctapipe's record of the activity, as it was when the file was written.
"""

import json
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import yaml

from provkg import identity
from provkg.errors import InputError, MissingExtra
from provkg.readers import Reader, Source, ctapipe
from provkg.readers.metadata import drop_fabricated, product_properties
from provkg.records import FABRICATED, Entity, Quarantined, Record, Remark

MAX_SHOWN = 4096
UNENDED = "activities told by their own product, which was written before they ended"
HDF5, FITS, ECSV = b"\x89HDF\r\n\x1a\n", b"SIMPLE  =", b"# %ECSV"


def knows(source: Source) -> bool:
    """Say whether a source is HDF5, FITS or ECSV."""
    return source.head.startswith((HDF5, FITS, ECSV))


def read(source: Source) -> Iterator[Record]:
    """Read the metadata of a product.

    Raises:
        MissingExtra: h5py or astropy is needed and not installed.
        InputError: the product is broken.
    """
    try:
        header, logs = _header(source), _logs(source)
    except (OSError, ValueError, KeyError, RuntimeError, yaml.YAMLError) as error:
        raise InputError(f"{source.path}: {error}") from None
    for stage, text in logs.items():
        yield from _logged(source, stage, text)
    meta = {key: value for key, value in header.items() if key.startswith("CTA ")}
    meta, dropped = drop_fabricated(meta)
    if dropped:
        yield Remark(FABRICATED)
    place = identity.file(source.location, source.config.site) if source.location else ""
    uuid = str(meta.get("CTA PRODUCT ID") or "")
    if not uuid:
        yield Remark("products without CTA reference metadata")
        return
    if place:
        yield Entity(name=place, path=source.location)
    yield Entity(
        name=identity.product(uuid),
        place=place,
        properties=product_properties(meta),
        extra={key: value for key, value in header.items() if key.startswith(("CONTEXT ", "CTAO."))},
    )


READER = Reader("product", knows, read, located=True)


def _need(module: str, extra: str, what: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(
            f"reading {what} needs {module.partition('.')[0]}", hint=f'pip install "provkg[{extra}]"'
        ) from None


def _logs(source: Source) -> dict[str, str]:
    """Return the JSON texts of ``/provenance`` by stage, as ``lstchain.io.provenance`` writes them since 0.10.16."""
    if not source.head.startswith(HDF5):
        return {}
    h5py = _need("h5py", "hdf5", "HDF5 products")
    with h5py.File(source.path, "r") as file:
        group = file.get("provenance")
        sets = group.items() if isinstance(group, h5py.Group) else ()
        return {
            stage: str(_text(h5py, held[()]))
            for stage, held in sets
            if isinstance(held, h5py.Dataset) and held.shape == () and h5py.check_string_dtype(held.dtype) is not None
        }


def _logged(source: Source, stage: str, text: str) -> Iterator[Record]:
    """Read the record of an activity that stands in the product it wrote: it had not ended then."""
    try:
        record = json.loads(text)
        wrong = "" if isinstance(record, dict) and "activity_name" in record else "no record of an activity"
    except (ValueError, RecursionError) as error:
        record, wrong = {}, str(error)
    if wrong:
        reason = f"/provenance/{stage}: {wrong}"
        yield Quarantined(line=0, offset=0, length=len(text), reason=reason, text=text[:MAX_SHOWN])
        return
    if not record.get("stop"):
        yield Remark(UNENDED)
    yield from ctapipe.activity_records(source.config, record | {"stage": stage})


def _header(source: Source) -> dict[str, Any]:
    if source.head.startswith(HDF5):
        h5py = _need("h5py", "hdf5", "HDF5 products")
        with h5py.File(source.path, "r") as file:
            return {key: _text(h5py, value) for key, value in file.attrs.items()}
    if source.head.startswith(FITS):
        fits = _need("astropy.io.fits", "fits", "FITS products")
        with fits.open(source.path) as units:
            return {
                key: value
                for unit in units[:2]
                for key, value in unit.header.items()
                if key.startswith(("CTA ", "CONTEXT "))
            }
    text = source.head.decode("utf-8", "replace")
    lines = [line[2:] for line in text.splitlines()[1:] if line.startswith("# ")]
    meta = yaml.load("\n".join(lines), Loader=_EcsvLoader)  # noqa: S506 - a SafeLoader that gives None for unknown tags
    return dict(meta.get("meta") or {}) if isinstance(meta, dict) else {}


class _EcsvLoader(yaml.SafeLoader):
    """Read the YAML header of ECSV; ``meta`` is an ordered map, and values of astropy's own tags are not needed."""


_EcsvLoader.add_multi_constructor("", lambda _loader, _suffix, _node: None)


def _text(h5py: ModuleType, value: Any) -> Any:
    if isinstance(value, h5py.Empty):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value.item() if hasattr(value, "item") else value


def product_id(source: Source) -> str:
    """Return the CTA product id that a product carries, or nothing: also where it is no product."""
    if not knows(source):
        return ""
    meta, _ = drop_fabricated(_header(source))
    return str(meta.get("CTA PRODUCT ID") or "").lower()
