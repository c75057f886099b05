"""Products that carry ``CTA …`` metadata themselves: HDF5, FITS and ECSV.

A product says what it is (its id, level, data model) and which activity claims it. The claim is kept and not followed:
a header can be copied from upstream, so only a log makes an edge. What lstchain writes into the group ``/provenance``
of its HDF5 files is such a log: ctapipe's record of the activity, as it was when the file was written.
"""

import json
from collections.abc import Iterator

from provkg import identity
from provkg.readers import Reader, Source, ctapipe
from provkg.readers.headers import ECSV, FITS, HDF5, header_of
from provkg.readers.metadata import drop_fabricated, product_properties
from provkg.records import FABRICATED, Entity, Quarantined, Record, Remark

MAX_SHOWN = 4096
UNENDED = "activities told by their own product, which was written before they ended"


def knows(source: Source) -> bool:
    """Say whether a source is HDF5, FITS or ECSV."""
    return source.head.startswith((HDF5, FITS, ECSV))


def read(source: Source) -> Iterator[Record]:
    """Read the metadata of a product.

    Raises:
        MissingExtra: h5py or astropy is needed and not installed.
        InputError: the product is broken.
    """
    header, logs = header_of(source.path)
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


def product_id(source: Source) -> str:
    """Return the CTA product id that a product carries, or nothing: also where it is no product."""
    if not knows(source):
        return ""
    meta, _ = drop_fabricated(header_of(source.path).meta)
    return str(meta.get("CTA PRODUCT ID") or "").lower()
