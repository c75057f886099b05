"""A process that answers requests: ``python -m provkg.server.worker``, which the server begins.

It opens the store for reading only, takes no more memory than it may, and is ended by the system when one request takes
more processor time than it may, even where the server is gone.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
from typing import IO

from provkg.server.messages import Asked, Reply, Setup, read, write


def main() -> None:
    """Answer what comes on standard input until it ends."""
    source, sink = sys.stdin.buffer, _own_output()
    setup = read(source, Setup)
    if setup is None:
        return
    from provkg.server.site import Site  # noqa: PLC0415 - slow to import; who begins us waits for it

    site = Site(setup)
    site.warm()
    gc.freeze()
    _limit_memory(setup.memory)
    write(sink, Reply(204))
    while (asked := read(source, Asked)) is not None:
        _limit_time(setup.seconds)
        write(sink, site.respond(asked))


def _own_output() -> IO[bytes]:
    """Return standard output; what else is printed goes to standard error, so that it breaks no message."""
    kept = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return kept


def _limit_memory(most: int) -> None:
    """Take no more memory than this; files that are mapped do not count."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _limit_time(seconds: float) -> None:
    """Be ended by the system when processors have worked for much longer than one request may take."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    threads = (os.cpu_count() or 1) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent + seconds * threads) + 1, hard))


if __name__ == "__main__":
    main()
