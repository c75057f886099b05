"""How deep a document of RDF is nested: parsers that recurse end the whole process on one that is too deep."""

import re

from pyoxigraph import RdfFormat

LIMIT = 200  # levels; the parser of pyoxigraph 0.5 crashes between 1,000 and 30,000 of JSON-LD and of triple terms
_TURTLE = re.compile(
    rb'(<<)|(>>)|"""(?:[^"\\]|\\.|""?(?!"))*"""|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|<[^<>\s]*>|#[^\n]*', re.DOTALL
)
_JSON = re.compile(rb'([{\[])|([}\]])|"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_XML = re.compile(rb"(<[^\s<>/!?][^<>]*(?<!/)>)|(</)|<!--.*?-->", re.DOTALL)


def too_deep(data: bytes, form: RdfFormat) -> bool:
    """Say whether a document is nested deeper than the limit.

    Only triple terms count in Turtle and its relatives: their parser does not recurse into collections.

    >>> too_deep(b"[" * 201, RdfFormat.JSON_LD), too_deep(b'["[[[["]' * 201, RdfFormat.JSON_LD)
    (True, False)
    """
    if form is RdfFormat.RDF_XML:
        pattern = _XML
    elif form is RdfFormat.JSON_LD:
        pattern = _JSON
    elif data.count(b"<<") <= LIMIT:
        return False
    else:
        pattern = _TURTLE
    depth = 0
    for token in pattern.finditer(data):
        if token.lastindex is not None:
            depth = depth + 1 if token.lastindex == 1 else max(0, depth - 1)
            if depth > LIMIT:
                return True
    return False
