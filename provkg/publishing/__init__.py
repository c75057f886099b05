"""A store as a static site: pages, pictures, data, a search and SPARQL that need no server, in a bag with checksums."""
