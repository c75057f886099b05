"""A Virtuoso server of our own, on loopback, with its database in a temporary folder."""

import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER, CLIENTS = "virtuoso-t", ("isql-vt", "isql")
_INI = """[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
FileExtend = 200
[TempDatabase]
DatabaseFile = {folder}/temp.db
TransactionFile = {folder}/temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DirsAllowed = {folder}
NumberOfBuffers = 85000
MaxDirtyBuffers = 65000
MaxQueryMem = 2G
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = {folder}
ServerThreads = 4
[SPARQL]
ResultSetMaxRows = 1000000
MaxQueryCostEstimationTime = 0
MaxQueryExecutionTime = 0
"""


def installed() -> bool:
    """Say whether there is a server and its client."""
    return bool(shutil.which(SERVER) and client())


def client() -> str | None:
    """Return the SQL client."""
    return next((found for name in CLIENTS if (found := shutil.which(name))), None)


class Virtuoso:
    """A running server."""

    def __init__(self, folder: Path, sql: int, http: int) -> None:
        self.folder, self.sql = folder, sql
        self.endpoint = f"http://127.0.0.1:{http}/sparql"

    def run(self, *statements: str) -> None:
        """Run SQL."""
        command = [str(client()), f"127.0.0.1:{self.sql}", "dba", "dba", "ERRORS=STDOUT", "VERBOSE=OFF", "BANNER=OFF"]
        text = ";\n".join([*statements, ""])
        ran = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        if "*** Error" in ran.stdout:
            raise RuntimeError(ran.stdout)

    def load(self, quads: bytes) -> None:
        """Load N-Quads as a site would: the file on the server, its bulk loader, then a checkpoint."""
        (self.folder / "night.nq").write_bytes(quads)
        self.run(f"ld_dir('{self.folder}', 'night.nq', 'urn:none')", "rdf_loader_run()", "checkpoint")

    def rows(self, query: str) -> int:
        """Run a SELECT with one column, and return how many rows came back."""
        body = urllib.parse.urlencode({"query": query, "format": "text/csv"}).encode()
        with urllib.request.urlopen(self.endpoint, body) as answer:  # our own, on loopback
            return int(answer.read().count(b"\n")) - 1


@contextmanager
def server(folder: Path) -> Iterator[Virtuoso]:
    """Start a server, and stop it at the end."""
    folder.mkdir(parents=True)
    sql, http = _free_ports()
    (folder / "virtuoso.ini").write_text(_INI.format(folder=folder, sql=sql, http=http))
    # +wait returns when the server answers
    command = [SERVER, "+configfile", str(folder / "virtuoso.ini"), "+wait"]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running = Virtuoso(folder, sql, http)
    try:
        yield running
    finally:
        subprocess.run(
            [str(client()), f"127.0.0.1:{sql}", "dba", "dba", "EXEC=shutdown()"], capture_output=True, check=False
        )


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
