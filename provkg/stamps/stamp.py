"""What a stamp says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from provkg.errors import InputError
from provkg.store import is_iri

MOST_BYTES = 1024
KEYS = {"product": "PVKGPROD", "recipe": "PVKGRECI", "snapshot": "PVKGSNAP", "evidence": "PVKGEVID"}  # 8 letters: FITS


@dataclass(frozen=True)
class Stamp:
    """What a product carries of its provenance.

    Args:
        product: the IRI of the version that the file was when it was stamped.
        recipe: its recipe digest, or empty where none can be made.
        snapshot: what the store knew: ``sources:sha256:…`` over the digests of all its sources.
        evidence: how the version was known: ``byContent``, ``byPath`` or ``asked``.
    """

    product: str
    recipe: str
    snapshot: str
    evidence: str

    def __post_init__(self) -> None:
        if not is_iri(self.product):
            raise InputError(f"a stamp names a product by its IRI, and not {self.product!r}")
        if sum(len(text.encode()) for text in asdict(self).values()) > MOST_BYTES:
            raise InputError(f"the stamp is longer than {MOST_BYTES} bytes: the IRI is too long")

    def cards(self) -> dict[str, str]:
        """Return the keys and values that stand in a file."""
        return {KEYS[name]: text for name, text in asdict(self).items()}


def of_cards(cards: Mapping[str, object]) -> Stamp | None:
    """Return the stamp that stands in keys and values, or None where none does that can be one."""
    found = {name: str(cards.get(key) or "") for name, key in KEYS.items()}
    try:
        return Stamp(**found) if found["product"] else None
    except InputError:
        return None
