"""Tell alarms to others: lines of JSON in a file, or each to a web hook."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from msgspec import to_builtins

from provkg.errors import InputError
from provkg.watch.rules import Alarm

_TRIES = 3
_SECONDS = 5.0


def as_json(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm with the time at which it is said."""
    return {"time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **to_builtins(alarm)}


class AlarmFile:
    """A file of alarms, a line of JSON each; what it holds was said already.

    Args:
        path: the file, which is made when it is not there.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.touch()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None

    def said(self) -> set[tuple[str, str]]:
        """Return rule and subject of the alarms that it holds; a line that is torn is none."""
        found = set()
        for line in self.path.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, KeyError, TypeError):
                told = json.loads(line)
                found.add((str(told["rule"]), str(told["subject"])))
        return found

    def tell(self, alarm: Alarm) -> None:
        """Add an alarm."""
        line = json.dumps(as_json(alarm), ensure_ascii=False) + "\n"
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())


class WebHook:
    """A URL that takes alarms as JSON; who waits for it is a thread of its own.

    Args:
        url: http or https.
        failed: is told what could not be sent.

    Raises:
        InputError: it is no such URL.
    """

    def __init__(self, url: str, failed: Any) -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError(f"{url!r} is no web hook", hint="http://HOST/PATH or https://HOST/PATH")
        self.url, self.failed = url, failed
        self.threads = ThreadPoolExecutor(1)

    def tell(self, alarm: Alarm) -> None:
        """Send an alarm, soon."""
        self.threads.submit(self._send, as_json(alarm))

    def close(self) -> None:
        """Wait until all is sent, or could not be."""
        self.threads.shutdown()

    def _send(self, told: dict[str, Any]) -> None:
        reason = ""
        for _ in range(_TRIES):
            try:
                requests.post(self.url, json=told, timeout=_SECONDS, allow_redirects=False).raise_for_status()
            except requests.RequestException as error:
                reason = str(error)
            else:
                return
        self.failed(f"{self.url} did not take an alarm: {reason}")
