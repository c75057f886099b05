"""A store as a static site: pages, pictures, data, a search and SPARQL that need no server, in a bag with checksums."""

from provkg.publishing.site import About, Published, publish

__all__ = ["About", "Published", "publish"]
