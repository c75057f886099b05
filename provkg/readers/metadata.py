"""CTA reference metadata: thirty ``CTA …`` keys that ctapipe writes into its products and repeats in its log."""

import re
from typing import Any

from provkg.records import Iri, Properties
from provkg.vocab import PKG

# What the graph asks for has a term; the other keys are kept as they are under pkg:reference…
_TERMS = {
    "CTA PRODUCT ID": PKG.productId,
    "CTA PRODUCT CREATION TIME": PKG.creationTime,
    "CTA PRODUCT DATA CATEGORY": PKG.dataCategory,
    "CTA PRODUCT DATA MODEL NAME": PKG.dataModelName,
    "CTA PRODUCT DATA MODEL VERSION": PKG.dataModelVersion,
    "CTA PRODUCT DATA MODEL URL": PKG.dataModelUrl,
    "CTA PRODUCT FORMAT": PKG.productFormat,
    "CTA REFERENCE VERSION": PKG.referenceVersion,
    "CTA PROCESS ID": PKG.observationId,
    "CTA ACTIVITY ID": PKG.headerActivityId,
    "CTA ACTIVITY NAME": PKG.headerActivityName,
    "CTA ACTIVITY SOFTWARE NAME": PKG.headerSoftwareName,
    "CTA ACTIVITY SOFTWARE VERSION": PKG.headerSoftwareVersion,
    "CTA ACTIVITY START TIME": PKG.headerActivityStart,
    "CTA ACTIVITY STOP TIME": PKG.headerActivityStop,
    "CTA INSTRUMENT ID": PKG.instrumentId,
    "CTA INSTRUMENT SITE": PKG.instrumentSite,
    "CTA CONTACT NAME": PKG.contactName,
    "CTA CONTACT EMAIL": PKG.contactEmail,
    "CTA CONTACT ORGANIZATION": PKG.contactOrganization,
}
_DATA_LEVELS = ("CTA PRODUCT DATA LEVELS", "CTA PRODUCT DATA LEVEL")  # singular before 0.16
_DATA_LEVEL = re.compile(r"R0|R1|DL[0-6]")


def drop_fabricated(meta: Any) -> tuple[dict[str, Any], bool]:
    """Return reference metadata, without what ctapipe makes up for files that have none.

    For a FITS or HDF5 file without CTA keys, ctapipe gives a random product id at each reading, with an empty activity
    id and format.

    Returns:
        the metadata, and whether a fabricated block was dropped.
    """
    if not isinstance(meta, dict):
        return {}, False
    if "CTA PRODUCT ID" in meta and not meta.get("CTA ACTIVITY ID") and not meta.get("CTA PRODUCT FORMAT"):
        return {}, True
    return meta, False


def product_properties(meta: dict[str, Any]) -> Properties:
    """Return what a product's header says, as properties of the product."""
    levels = next((str(meta[key]) for key in _DATA_LEVELS if meta.get(key)), "")
    found: Properties = tuple((PKG.dataLevel, Iri(PKG[level])) for level in sorted(set(_DATA_LEVEL.findall(levels))))
    for key, value in sorted(meta.items()):
        if value not in (None, ""):
            found += ((_TERMS.get(key) or PKG["reference" + _camel(key)], str(value)),)
    return found


def _camel(key: str) -> str:
    """Return a term's name for a key.

    >>> _camel("CTA INSTRUMENT SUBTYPE")
    'InstrumentSubtype'
    """
    return "".join(word.title() for word in re.findall(r"[A-Za-z0-9]+", key.removeprefix("CTA ")))
