"""The graph and its engine as scripts: a page that was opened from a file may load these, and nothing else.

Oxigraph is shipped as npm has it (``static/oxigraph``); here its module becomes a plain script, and its WebAssembly and
the graph become compressed text within scripts.
"""

from __future__ import annotations

import base64
import gzip
import re
from pathlib import Path

from provkg.errors import StoreError

_FOLDER = Path(__file__).parent / "static" / "oxigraph"
_EXPORTS = "BlankNode,DefaultGraph,Literal,NamedNode,Quad,Store,Variable,parse,init:__wbg_init"


def engine() -> str:
    """Return Oxigraph's module as a plain script that defines ``oxigraph``."""
    text = (_FOLDER / "web.js").read_text("utf-8")
    plain, exports = re.subn(r"(?m)^export (class|function)", r"\1", text)
    plain, last = re.subn(r"(?m)^export \{ initSync, __wbg_init as default \};$", "", plain)
    if not exports or last != 1:
        raise StoreError("Oxigraph's module is another than was expected", hint="make oxigraph")
    plain = plain.replace("import.meta.url", '""')
    return f"var oxigraph=(function(){{\n{plain}\nreturn {{{_EXPORTS}}};\n}})();\n"


def engine_code() -> str:
    """Return Oxigraph's WebAssembly as a script that defines ``oxigraphCode``."""
    return f'var oxigraphCode="{_packed((_FOLDER / "web_bg.wasm").read_bytes())}";\n'


def shard(number: int, compressed: bytes) -> str:
    """Return compressed N-Quads as a script that gives them to the page."""
    return f'provkgShard({number},"{base64.b64encode(compressed).decode()}");\n'


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()
