"""Take a SPARQL query apart, as far as is needed to page it: the prologue, the form, the group, what follows."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import pyoxigraph
from pyoxigraph import NamedNode

_TOKEN = re.compile(
    r"""(?P<iri><[^<>"{}|^`\\\x00-\x20]*>)|(?P<skip>\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''"""
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\#[^\r\n]*|@[A-Za-z-]+)|(?P<variable>[?$]\w+)"""
    r"""|(?P<name>[\w.-]*:(?:[\w:.%-]|\\.)*)|(?P<word>[A-Za-z]\w*)|(?P<mark>[{}()*])""",
    re.DOTALL,
)
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_MODIFIERS = ("GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES")


def tokens(text: str) -> Iterator[re.Match[str]]:
    """Give the tokens of a query that can matter: what is in a string or a comment is one token, of the group skip.

    >>> [token[0] for token in tokens("SELECT ?x { ?x e:p '?y' } # ?z") if token["variable"]]
    ['?x', '?x']
    """
    return _TOKEN.finditer(text)


@dataclass(frozen=True)
class Query:
    """The parts of a query.

    Args:
        prologue: its BASE and PREFIX declarations.
        form: SELECT, ASK, CONSTRUCT or DESCRIBE.
        head: what stands between the form and the group, without FROM: variables, targets; a template with its braces.
        default: the IRIs of FROM.
        named: the IRIs of FROM NAMED.
        group: the group with its braces; empty where a DESCRIBE has none.
        order: the ORDER BY clause.
        before: what stands between the group and ORDER BY.
        after: LIMIT, OFFSET and VALUES.
    """

    prologue: str
    form: str
    head: str
    default: tuple[str, ...]
    named: tuple[str, ...]
    group: str
    before: str
    order: str
    after: str

    @property
    def dataset(self) -> bool:
        """Say whether the query names its graphs."""
        return bool(self.default or self.named)

    def select(self, head: str, *, order: str = "") -> str:
        """Return the group as a SELECT query, with what follows it."""
        return f"{self.prologue}\nSELECT {head} WHERE {self.group}\n{self.before}\n{order or self.order}\n{self.after}"

    def over(self, default: Collection[str], named: Collection[str]) -> str:
        """Return the query over other graphs than those that it names."""
        graphs = [f"FROM {NamedNode(each)}" for each in default] + [f"FROM NAMED {NamedNode(each)}" for each in named]
        where = f"WHERE {self.group}" if self.group else ""
        return "\n".join(
            (self.prologue, f"{self.form} {self.head}", *graphs, where, self.before, self.order, self.after)
        )

    def page(self, variables: list[str], size: int, offset: int) -> str:
        """Return a piece of a SELECT query: in one order whatever the server does, as a sub-query."""
        every = " ".join(f"?{name}" for name in variables)
        order = f"{self.order}\n{every}" if self.order else f"ORDER BY {every}" if every else ""
        return f"{self._inside(order, every or '*')} LIMIT {size} OFFSET {offset}"

    def count(self) -> str:
        """Return the query that counts the rows of a SELECT query."""
        return self._inside(self.order, "(COUNT(*) AS ?n)")

    def _inside(self, order: str, head: str) -> str:
        """Return the query as the sub-query of another: the prologue stands before both, what is a comment ends."""
        inner = f"SELECT {self.head}\nWHERE {self.group}\n{self.before}\n{order}\n{self.after}\n"
        return f"{self.prologue}\nSELECT {head} WHERE {{ {{ {inner} }} }}"

    def variables(self) -> list[str]:
        """Return the variables of the head, each once."""
        found = (match["variable"] for match in _TOKEN.finditer(self.head))
        return list(dict.fromkeys(each[1:] for each in found if each))

    def resources(self) -> list[str]:
        """Return the resources of the head as they are written: IRIs and prefixed names."""
        return [match[0] for match in _TOKEN.finditer(self.head) if match["iri"] or match["name"]]


def parse(text: str) -> Query:
    """Take a query apart; it was checked before.

    >>> parse("PREFIX e: <http://e/> SELECT ?s FROM e:g { ?s ?p 'FROM' } ORDER BY ?s LIMIT 3").default
    ('http://e/g',)
    """
    tokens = [match for match in _TOKEN.finditer(text) if not match["skip"]]
    start = next(number for number, match in enumerate(tokens) if (match["word"] or "").upper() in _FORMS)
    prologue, form = text[: tokens[start].start()], tokens[start][0].upper()
    prefixes = _prefixes(tokens[:start])
    head, at, datasets = _head(text, tokens, start + 1, prefixes, template=form == "CONSTRUCT")
    opened = at < len(tokens) and tokens[at][0] == "{"
    end = _closing(tokens, at) if opened else at - 1
    group = text[tokens[at].start() : tokens[end].end()] if opened else ""
    rest = tokens[end + 1 :]
    tail = text[tokens[end].end() :] if opened else text[tokens[at].start() :] if at < len(tokens) else ""
    before, order, after = _tail(tail, rest, tokens[end].end() if opened else len(text) - len(tail))
    if form == "CONSTRUCT" and not head.strip():  # the short form
        head = group
    default, named = ([iri for is_named, iri in datasets if is_named is wanted] for wanted in (False, True))
    return Query(prologue, form, head, tuple(default), tuple(named), group, before, order, after)


def words(text: str) -> set[str]:
    """Return the words of a query that stand in no string, IRI or comment, in capitals.

    >>> sorted(words("select ?from { ?from e:service '# SERVICE' }"))
    ['SELECT']
    """
    return {token["word"].upper() for token in tokens(text) if token["word"]}


def check(text: str) -> None:
    """Parse a query as the embedded store does, so that no server is sent an update.

    Raises:
        SyntaxError: it is no query, or an update, or asks another server; the message names line and column.
    """
    one_store(text)
    pyoxigraph.Store().query(text)


def one_store(text: str) -> set[str]:
    """Return the words of a query.

    Raises:
        SyntaxError: it asks another server.
    """
    said = words(text)
    if "SERVICE" in said:
        raise SyntaxError("SERVICE is refused: a query asks one store")
    return said


def services(text: str) -> set[str]:
    """Return the servers that a query asks, from its parsed algebra; one that a variable names is ``?name``.

    Raises:
        SyntaxError: the query speaks of a service and cannot be parsed.

    >>> services("SELECT * { SERVICE SILENT <http://e/> { ?s ?p 'SERVICE' } }")
    {'http://e/'}
    """
    if not re.search("service", text, re.IGNORECASE):  # the word cannot be written in any other way
        return set()
    from rdflib import URIRef  # noqa: PLC0415 - slow to import
    from rdflib.plugins.sparql.algebra import translateQuery, traverse  # noqa: PLC0415
    from rdflib.plugins.sparql.parser import parseQuery  # noqa: PLC0415

    found: set[str] = set()

    def see(node: object) -> None:
        if getattr(node, "name", "") == "ServiceGraphPattern":
            term = node.term  # type: ignore[attr-defined]
            found.add(str(term) if isinstance(term, URIRef) else f"?{term}")

    try:
        traverse(translateQuery(parseQuery(text)).algebra, visitPre=see)
    except Exception as error:  # noqa: BLE001 - whatever its parser says of what it does not understand
        raise SyntaxError(f"a query that speaks of SERVICE cannot be read: {type(error).__name__}") from None
    return found


def allowed(text: str, known: Collection[str]) -> None:
    """Refuse a query that asks another server than the known ones.

    Raises:
        SyntaxError: it does.
    """
    if others := sorted(services(text) - set(known)):
        raise SyntaxError(f"SERVICE is refused: {', '.join(others)} is no server that may be asked")


def _prefixes(tokens: list[re.Match[str]]) -> dict[str, str]:
    """Return what prefixes stand for; that of BASE is ``<>``."""
    found, name = {"<>": ""}, ""
    for token in tokens:
        if token["name"]:
            name = token[0]
        elif token["iri"]:
            found[name or "<>"] = urljoin(found["<>"], token[0][1:-1])
            name = ""
    return found


def _head(
    text: str, tokens: list[re.Match[str]], at: int, prefixes: dict[str, str], *, template: bool
) -> tuple[str, int, list[tuple[bool, str]]]:
    """Return the head, the number of the token that ends it, and the graphs that it names."""
    start = tokens[at - 1].end()
    pieces: list[str] = []
    datasets: list[tuple[bool, str]] = []
    depth = 0
    while at < len(tokens):
        token, word = tokens[at], (tokens[at]["word"] or "").upper()
        if template and token[0] == "{":
            end = _closing(tokens, at)
            pieces.append(text[token.start() : tokens[end].end()])
            at, start, template = end + 1, tokens[end].end(), False
            continue
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0 and (token[0] == "{" or word == "WHERE" or word in _MODIFIERS):
            pieces.append(text[start : token.start()])
            return " ".join(pieces), at + (word == "WHERE"), datasets
        if depth == 0 and word == "FROM":
            pieces.append(text[start : token.start()])
            named = (tokens[at + 1]["word"] or "").upper() == "NAMED"
            at += 1 + named
            datasets.append((named, _resolved(tokens[at], prefixes)))
            start = tokens[at].end()
        template = template and word != "FROM"
        at += 1
    return " ".join([*pieces, text[start:]]), at, datasets


def _resolved(token: re.Match[str], prefixes: dict[str, str]) -> str:
    if token["iri"]:
        return urljoin(prefixes["<>"], token[0][1:-1])
    prefix, _, local = token[0].partition(":")
    return prefixes[prefix + ":"] + re.sub(r"\\(.)", r"\1", local)


def _closing(tokens: list[re.Match[str]], at: int) -> int:
    """Return the number of the brace that closes one."""
    depth = 0
    for number in range(at, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[number][0], 0)
        if depth == 0:
            return number
    raise SyntaxError("a brace is not closed")


def _tail(text: str, tokens: list[re.Match[str]], start: int) -> tuple[str, str, str]:
    """Part what follows the group into what stands before ORDER BY, ORDER BY, and what stands after it."""
    order = after = len(text)
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(token[0], 0)
        word = (token["word"] or "").upper() if depth == 0 else ""
        if word == "ORDER" and order == len(text):
            order = token.start() - start
        if word in ("LIMIT", "OFFSET", "VALUES") and after == len(text):
            after = token.start() - start
    order = min(order, after)
    return text[:order], text[order:after], text[after:]


def chunks(lines: Iterator[str], count: int, characters: int) -> Iterator[list[str]]:
    """Part lines into pieces of at most so many, and so long where a line is not longer itself."""
    piece: list[str] = []
    size = 0
    for line in lines:
        if piece and (len(piece) >= count or size + len(line) > characters):
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield piece
