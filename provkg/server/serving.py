"""How a store is served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provkg.server.messages import Setup


@dataclass(frozen=True)
class Serving:
    """How a store is served.

    Args:
        setup: what each worker begins with.
        workers: how many there are.
        loopback: whether only this machine can ask: then no other name of a host is answered to.
        url: the address that others know the server by, without a slash at its end; what they ask for where empty.
        cors: origins whose pages may read; ``*`` is any. Pages of this machine may, where there is none.
        per_client: how many requests of one client are answered at once; the others wait.
        waiting: how many of one client may wait.
        longest: the most bytes of a request.
        tokens: digests of the tokens of those who may send records, by their names; nobody may where it is empty.
        inbox: the folder of what they send.
        log: is told of each request.
    """

    setup: Setup
    workers: int = 4
    loopback: bool = True
    url: str = ""
    cors: tuple[str, ...] = ()
    per_client: int = 2
    waiting: int = 64
    longest: int = 2**20
    tokens: dict[str, str] = field(default_factory=dict)
    inbox: Path = Path("inbox")
    log: Callable[[dict[str, Any]], None] = lambda _: None
