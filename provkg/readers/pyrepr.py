"""Read the repr of a Python dict, fast and without evaluating anything.

Line logs hold ``repr(dict)``, not JSON. Most of it is JSON but for the quotes, so three steps are tried, each right
whenever it succeeds: swap the quotes; transcode token by token; :func:`ast.literal_eval`. What is left (``nan``,
``np.float64(1.5)``, ``PosixPath('/a')``, ``<Quantity 3 m>``) is read from the syntax tree, which is never run.
"""

import ast
import re
import warnings
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec

MAX_DEPTH = 100
MAX_BITS = 10_000  # Python writes no longer integers
MAX_TREE_BYTES = 2_000_000

_decode = msgspec.json.Decoder().decode
_TOKEN = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|[^'"]+""", re.DOTALL)
_WORD = re.compile(r"\b(None|True|False)\b")
_JSON_WORD = {"None": "null", "True": "true", "False": "false"}
_ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\\\'nrt"])|"')
_BRACKET = re.compile(r"[\[\](){}]")
_OBJECT = re.compile(r"<[^<>'\"]*>")


def loads(text: str) -> tuple[dict[Any, Any], int]:
    """Read one dict and count the values that were read tolerantly.

    Args:
        text: the repr of a dict.

    Raises:
        ValueError: the text is no dict, is nested deeper than 100, or is too long for the careful way.

    >>> loads("{'a': None, 'b': (1, 2), 'c': nan}")
    ({'a': None, 'b': [1, 2], 'c': nan}, 1)
    """
    if text.count("{") + text.count("[") + text.count("(") > MAX_DEPTH:
        _check_depth(text)
    value, notes = _loads(text)
    if type(value) is not dict:
        raise ValueError("the body is no dict")
    return value, notes


def _loads(text: str) -> tuple[Any, int]:
    try:
        if "\\" not in text and '"' not in text:
            try:
                return _decode(text.replace("'", '"')), 0
            except msgspec.DecodeError:
                pass
        if "\\/" not in text:  # a slash escaped in JSON is two characters in Python
            try:
                return _decode("".join(map(_transcoded, _TOKEN.findall(text)))), 0
            except (msgspec.DecodeError, ValueError):
                pass
    except UnicodeEncodeError:
        text = text.encode("utf-8", "backslashreplace").decode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    return _carefully(text)


def _transcoded(token: str) -> str:
    quote = token[0]
    if quote not in "'\"":
        if "(" in token:
            raise ValueError("a tuple or a call")
        return _WORD.sub(lambda match: _JSON_WORD[match[0]], token)
    inner = token[1:-1]
    if "\\" not in inner and '"' not in inner:
        return f'"{inner}"'
    return f'"{_ESCAPE.sub(_escaped, inner)}"'


def _escaped(match: re.Match[str]) -> str:
    escape = match[0]
    if escape == '"':
        return '\\"'
    if escape == "\\'":
        return "'"
    return "\\u00" + escape[2:] if escape[1] == "x" else escape


def _carefully(text: str) -> tuple[Any, int]:
    if len(text) > MAX_TREE_BYTES:
        raise ValueError("too long to be read tolerantly")
    with warnings.catch_warnings():  # Python warns of escapes that it will refuse one day
        warnings.simplefilter("ignore")
        try:
            return _listed(ast.literal_eval(text)), 0
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
        walk = _Walk()
        try:
            tree = ast.parse("".join(map(_quoted_object, _TOKEN.findall(text))).strip(), mode="eval")
            return walk.value(tree.body), walk.notes
        except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
            raise ValueError(f"no Python literal: {str(error).partition(' (')[0]}") from None


def _check_depth(text: str) -> None:
    depth = 0
    for token in _TOKEN.findall(text):
        if token[0] in "'\"":
            continue
        for bracket in _BRACKET.findall(token):
            depth += 1 if bracket in "[{(" else -1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deep")


def _quoted_object(token: str) -> str:
    if token[0] in "'\"":
        return token
    return _OBJECT.sub(lambda match: f"__repr__({match[0]!r})", token)


def _listed(value: Any) -> Any:
    """Give tuples and sets as lists, bytes as text: what JSON can say."""
    if isinstance(value, dict):
        return {_key(key): _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_listed(item) for item in value), key=repr)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return {"@repr": hex(value)}
    return repr(value) if isinstance(value, complex) else value


class _Walk:
    """Read the values of a syntax tree; what has no value is kept as ``{"@repr": text}``."""

    def __init__(self) -> None:
        self.notes = 0

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return _listed(node.value)
            case ast.Dict() if all(node.keys):
                return {
                    _key(self.value(key)): self.value(item)
                    for key, item in zip(node.keys, node.values, strict=True)
                    if key
                }
            case ast.List() | ast.Tuple() | ast.Set():
                return [self.value(item) for item in node.elts]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(operand)
                return -value if isinstance(value, int | float) else self._kept(node)
            case ast.Name(id="nan" | "inf" | "NaN" | "Infinity" as name):
                self.notes += 1
                return float(name)
            case ast.Attribute(attr="nan" | "inf" | "True_" | "False_" as name):
                self.notes += 1
                return name == "True_" if name.endswith("_") else float(name)
            case ast.Call():
                return self._call(node)
        return self._kept(node)

    def _call(self, node: ast.Call) -> Any:
        name = ast.unparse(node.func)
        short = name.rpartition(".")[2]
        arguments = [self.value(argument) for argument in node.args]
        self.notes += 1
        if short.endswith("Path") and len(arguments) == 1 and isinstance(arguments[0], str):
            return arguments[0]
        if short in _TIMES and not node.keywords and all(isinstance(item, int) for item in arguments):
            made = _TIMES[short](*arguments)
            return made.total_seconds() if isinstance(made, timedelta) else made.isoformat()
        if re.fullmatch(r"(np\.|numpy\.)?(float|int|uint|str|bool)_?\d*", name) and len(arguments) == 1:
            return arguments[0]
        if short == "__repr__":
            return {"@repr": arguments[0]}
        return {"@repr": ast.unparse(node)}

    def _kept(self, node: ast.expr) -> dict[str, str]:
        self.notes += 1
        return {"@repr": ast.unparse(node)}


_TIMES = {"datetime": datetime, "date": date, "time": time, "timedelta": timedelta}


def _key(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
