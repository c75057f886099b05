"""Real SPARQL servers for tests: started once, on a free port of the loopback, in a folder of their own."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from provkg.config import Config
from provkg.store import open_store
from provkg.store.remote import RemoteStore

PASSWORD = "only-for-tests"
_PATIENCE = 90
_INI = """
[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
FileExtend = 200
MaxCheckpointRemap = 2000
TempStorage = TempDatabase
[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx
FileExtend = 200
[Parameters]
ServerPort = 127.0.0.1:{sql}
ServerThreads = 10
CheckpointInterval = 0
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
DirsAllowed = .
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerThreads = 10
KeepAliveTimeout = 10
MaxKeepAlives = 10
[SPARQL]
ResultSetMaxRows = 10000
MaxQueryExecutionTime = 60
"""


def emptied(config: Config) -> RemoteStore:
    """Remove all graphs of provkg from a server."""
    store = open_store(config)
    assert isinstance(store, RemoteStore)
    for base in (Config().base, "https://other.example.org/"):
        query = f"SELECT DISTINCT ?g WHERE {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), '{base}')) }}"
        for row in store.endpoint.select(query)[1]:
            store.endpoint.drop(str(getattr(row["g"], "value", "")))
    return store


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now; all are held open until the last is found."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def running(command: list[str], url: str, folder: Path) -> Iterator[None]:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        _wait(process, url, folder)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{process.args} did not start: {(folder / 'output').read_text(errors='replace')[-2000:]}")


@contextmanager
def oxigraph(folder: Path) -> Iterator[str]:
    """Run an Oxigraph server; skip the test where its package is not installed."""
    beside = Path(sys.executable).with_name("oxigraph")
    program = str(beside) if beside.exists() else shutil.which("oxigraph")
    if program is None:
        pytest.skip("oxigraph is not installed: pip install oxigraph")
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [program, "serve", "--location", str(folder / "data"), "--bind", f"127.0.0.1:{port}"]
    with running(command, f"{url}/query?query=ASK%7B%7D", folder):
        yield url


@contextmanager
def virtuoso(folder: Path) -> Iterator[str]:
    """Run a Virtuoso server whose dba has our password; skip the test where its package is not installed."""
    if shutil.which("virtuoso-t") is None or shutil.which("isql-vt") is None:
        pytest.skip("Virtuoso is not installed: apt-get install virtuoso-opensource")
    sql, http = free_ports(2)
    (folder / "virtuoso.ini").write_text(_INI.format(sql=sql, http=http))
    url = f"http://127.0.0.1:{http}/sparql"
    with running(["virtuoso-t", "+foreground", "+wait", "+configfile", "virtuoso.ini"], url, folder):
        change = f"exec=USER_SET_PASSWORD('dba', '{PASSWORD}');"
        subprocess.run(
            ["isql-vt", f"127.0.0.1:{sql}", "dba", "dba", change], check=True, capture_output=True, timeout=60
        )
        yield url
        with suppress(OSError, subprocess.SubprocessError):  # ends at once, without a checkpoint
            subprocess.run(
                ["isql-vt", f"127.0.0.1:{sql}", "dba", PASSWORD, "exec=raw_exit();"],
                check=False,
                capture_output=True,
                timeout=20,
            )


Reply = tuple[int, dict[str, str], bytes]


@contextmanager
def proxy(behind: str, answer: Callable[[BaseHTTPRequestHandler, bytes], Reply | None]) -> Iterator[str]:
    """Run an HTTP server before another; what ``answer`` does not answer itself goes to the one behind."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, data = answer(self, body) or self.forward(body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(b"" if self.command == "HEAD" else data)

        do_GET = do_HEAD = do_POST  # noqa: N815

        def forward(self, body: bytes) -> Reply:
            kept = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
            request = urllib.request.Request(behind + self.path, body or None, kept, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    status, given, data = response.status, response.headers, response.read()
            except urllib.error.HTTPError as error:
                status, given, data = error.code, error.headers, error.read()
            shown = {name: given[name] for name in ("Content-Type",) if name in given}
            return status, shown, data

        def version_string(self) -> str:
            return "Oxigraph/0.5 behind a proxy"

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
