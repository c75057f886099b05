"""Processes that watch, and waiting for what they do."""

import subprocess
import time
from collections.abc import Callable

DEADLINE = 60
Watcher = Callable[..., "subprocess.Popen[str]"]


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
