"""One client for a SPARQL server: queries and updates as SPARQLWrapper writes them, and the Graph Store Protocol.

Connections are kept alive. A request that may be repeated is sent again when the server cannot be reached or says that
it is busy (429, 502, 503, 504), after a wait that doubles, with jitter, or that ``Retry-After`` asks for. What the
server answers is never shown with a secret: only its own words are.
"""

import re
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from SPARQLWrapper import INSERT, JSON, POST, SELECT, URLENCODED, SPARQLWrapper
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from provkg.config import Remote
from provkg.errors import StoreError

BUSY = (429, 502, 503, 504)
LONGEST_WAIT = 60.0
CONNECT_SECONDS = 10.0
_SHOWN = 300
_LATER = "the server has too much to do, or is starting: say it again later"
_HINTS = {
    **dict.fromkeys(BUSY, _LATER),
    401: "set PROVKG_USER and PROVKG_PASSWORD, or PROVKG_TOKEN",
    403: "this user has no right to do that; set PROVKG_USER and PROVKG_PASSWORD, or PROVKG_TOKEN",
    404: "is that the address of the SPARQL server? see docs/servers.md",
    413: "the server takes no request of that size",
}


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class _Patience(Retry):
    """Wait at most a minute, and never ask again what took too long."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, LONGEST_WAIT)


class Client:
    """A connection to one server.

    Args:
        settings: who asks, and how long and how often.
        digest: user and password go by digest authentication.
    """

    def __init__(self, settings: Remote, *, digest: bool) -> None:
        self.timeout = settings.timeout
        self.sessions = {True: _session(settings.retries), False: _session(0)}
        auth: AuthBase | None = None
        if settings.token:
            auth = _Bearer(settings.token)
        elif settings.user:
            user, password = settings.user, settings.password
            auth = HTTPDigestAuth(user, password) if digest else HTTPBasicAuth(user.encode(), password.encode())
        for session in self.sessions.values():
            session.auth = auth

    def query(self, url: str, text: str, parameters: dict[str, list[str]]) -> requests.Response:
        """Ask a query, by a form, for JSON."""
        return self._sparql(url, text, parameters, update=False, repeat=True)

    def update(self, url: str, text: str, *, repeat: bool) -> None:
        """Send an update; ``repeat`` says that doing it twice does no harm."""
        self._sparql(url, text, {}, update=True, repeat=repeat)

    def post(self, url: str, data: bytes, kind: str, *, graph: str = "") -> None:
        """Add statements by the Graph Store Protocol, to one graph or to those that N-Quads name."""
        self._send("POST", url, data, {"Content-Type": kind}, repeat=True, params={"graph": graph} if graph else {})

    def header(self, url: str) -> str:
        """Return how the server names itself."""
        return self._reached("HEAD", url, b"", {}, repeat=True).headers.get("Server", "")

    def _sparql(
        self, url: str, text: str, parameters: dict[str, list[str]], *, update: bool, repeat: bool
    ) -> requests.Response:
        request = _Request(url, updateEndpoint=url, returnFormat=JSON, agent=_agent())
        request.setOnlyConneg(True)
        request.setMethod(POST)
        request.setRequestMethod(URLENCODED)
        request.queryString = text  # setQuery would guess what it is
        request.queryType = INSERT if update else SELECT
        for name, values in parameters.items():
            for value in values:
                request.addParameter(name, value)
        try:
            made = request.made()
        except UnicodeEncodeError:
            raise StoreError("a lone surrogate cannot be sent to a server") from None
        return self._send("POST", url, made.data, dict(made.header_items()), repeat=repeat)

    def _send(
        self,
        method: str,
        url: str,
        data: bytes,
        headers: dict[str, str],
        *,
        repeat: bool,
        params: dict[str, str] | None = None,
    ) -> requests.Response:
        response = self._reached(method, url, data, headers, repeat=repeat, params=params)
        if not response.ok or response.is_redirect:
            raise _refused(response, url)
        return response

    def _reached(
        self,
        method: str,
        url: str,
        data: bytes,
        headers: dict[str, str],
        *,
        repeat: bool,
        params: dict[str, str] | None = None,
    ) -> requests.Response:
        try:
            return self.sessions[repeat].request(
                method,
                url,
                params=params,
                data=data,
                headers=headers,
                timeout=(min(CONNECT_SECONDS, self.timeout), self.timeout),
                allow_redirects=False,
            )
        except requests.exceptions.Timeout:
            raise self._late(url) from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if isinstance(_cause(error), ReadTimeoutError):
                raise self._late(url) from None
            raise StoreError(f"{url} cannot be reached: {_reason(error)}", hint="is the server running?") from None
        except (requests.exceptions.RequestException, UnicodeError, ValueError) as error:
            raise StoreError(f"{url} is no address that can be asked: {type(error).__name__}") from None

    def _late(self, url: str) -> StoreError:
        hint = "timeout = SECONDS under [remote] in provkg.toml"
        return StoreError(f"{url} did not answer within {self.timeout:g} s", hint=hint)


class _Request(SPARQLWrapper):  # type: ignore[misc, unused-ignore]
    """Write a request as SPARQLWrapper does; it is sent by a connection that is kept alive."""

    def made(self) -> Any:
        return self._createRequest()


def _session(retries: int) -> requests.Session:
    session = requests.Session()
    patience = _Patience(
        total=None if retries else 0,
        connect=retries,
        read=retries,
        status=retries,
        other=0,
        status_forcelist=BUSY,
        allowed_methods=None,
        backoff_factor=0.25,
        backoff_jitter=0.25,
        backoff_max=LONGEST_WAIT,
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=patience))
    return session


def _agent() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - reads files

    return f"provkg/{version('provkg')}"


def _refused(response: requests.Response, url: str) -> StoreError:
    status = response.status_code
    if response.is_redirect:
        return StoreError(f"{url} has moved", hint="give the address that it has now")
    said = _words(response)
    denied = status >= 500 and "access denied" in said  # Virtuoso's way of saying 403
    hint = _HINTS.get(403 if denied else status, "")
    return StoreError(f"{url} refused with {status} {response.reason}{': ' + said if said else ''}", hint=hint)


def _words(response: requests.Response) -> str:
    """Return the beginning of what a server says, without markup and without the query that it repeats."""
    text = response.text.partition("SPARQL query:")[0]
    if "html" in response.headers.get("Content-Type", "") or text.lstrip().startswith("<"):
        text = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    sent = str(response.request.headers.get("Authorization", ""))  # a server may repeat what it was sent
    for secret in filter(None, (sent, *sent.split()[1:])):
        text = text.replace(secret, "***")
    return re.sub(r"(?i)(authorization:?\s*\w+)\s+\S+", r"\1 ***", " ".join(text.split()))[:_SHOWN]


def _cause(error: requests.exceptions.RequestException) -> object:
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)


def _reason(error: requests.exceptions.RequestException) -> str:
    """Return what the system says: 'Connection refused'."""
    text = str(_cause(error) or error)
    match = re.search(r"\[Errno -?\d+\] ([^')]+)", text)
    return match[1] if match else "the connection broke"
