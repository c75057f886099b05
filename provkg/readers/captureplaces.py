"""Where the things are that captured activities used and generated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from provkg import identity
from provkg.config import Config
from provkg.readers.captured import Reference
from provkg.readers.logentities import data_level
from provkg.records import Entity, Properties
from provkg.vocab import PKG


@dataclass(frozen=True)
class Places:
    """Where the things of one activity lie: files in the site, or on the host; things in memory in the session."""

    config: Config
    host: str
    session: str

    def place(self, reference: Reference) -> str:
        """Name the place of a file, a collection, a URL, or a thing in memory."""
        path = str(reference.get("real") or reference.get("path") or "")
        if path and not _is_collection(reference):
            local = path.startswith(self.config.local_paths) and self.host
            return identity.file(path, local or self.config.site)
        if reference.get("url"):
            return str(reference["url"])
        return identity.thing(self.session, path or str(reference.get("local")))

    def entities(self, references: Iterable[Reference], line: int) -> Iterator[Entity]:
        """Give the entities of references."""
        for each in references:
            kind, label, role = (str(each.get(key) or "") for key in ("type", "name", "role"))
            path = str(each.get("real") or each.get("path") or "")
            properties: Properties = ((PKG.recordedType, kind),) if kind and not (path and kind == "File") else ()
            properties += ((PKG.localId, str(each["local"])),) if each.get("local") is not None else ()
            yield Entity(
                name=self.place(each),
                path=path or str(each.get("url") or ""),
                label=label,
                content_type=str(each.get("content_type") or ""),
                level=data_level(label or role),
                types=("collection",) if _is_collection(each) else (),
                properties=properties,
                line=line,
            )


def _is_collection(reference: Reference) -> bool:
    return "Collection" in str(reference.get("type") or "")
