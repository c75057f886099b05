"""A policy of redaction: what is done with each kind of private data, from a TOML file.

::

    key = "…"                   # of the pseudonyms; or the variable PROVKG_POLICY_KEY
    account = "pseudonymise"    # each kind: keep, pseudonymise or drop
    host = "pseudonymise"
    contact = "drop"
    e-mail = "drop"
    home-directory = "pseudonymise"
    environment = "drop"        # variables of environments: keep or drop

A kind that is not named is dropped. The kinds are those of the question ``private-data``.
"""

from __future__ import annotations

import hmac
import os
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from provkg.errors import InputError, did_you_mean

KINDS = ("account", "host", "contact", "e-mail", "home-directory", "environment")
ACTIONS = ("keep", "pseudonymise", "drop")
_SHORTEST = 16  # letters of a key


@dataclass(frozen=True)
class Policy:
    """What is done with each kind of private data, and the key of the pseudonyms."""

    actions: dict[str, str]
    key: str = field(default="", repr=False)

    def action(self, kind: str) -> str:
        """Return what is done with a kind; it is dropped where nothing is said."""
        return self.actions.get(kind.replace(" ", "-"), "drop")

    def instead(self, kind: str, value: str) -> str:
        """Return what stands for a value: the same for the same value, and nothing tells which that was."""
        root = value[: value.index("/", 1) + 1] if kind == "home directory" else ""
        if self.action(kind) == "drop":
            return f"{root}removed"
        told = hmac.new(self.key.encode(), f"{kind}\0{value}".encode("utf-8", "backslashreplace"), sha256).hexdigest()
        return f"{root}{'user' if root else kind}-{told[:12]}"


def read_policy(path: str | Path) -> Policy:
    """Read a policy.

    Raises:
        InputError: it cannot be read, or says what no policy says.
    """
    try:
        said = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: {error}") from None
    key = said.pop("key", "") or os.environ.get("PROVKG_POLICY_KEY", "")
    for kind, action in said.items():
        if kind not in KINDS:
            raise InputError(f"{path}: {kind!r} is no kind of private data", hint=did_you_mean(kind, KINDS))
        known = ACTIONS if kind != "environment" else ("keep", "drop")
        if action not in known:
            raise InputError(
                f"{path}: {kind}: {action!r} is nothing that can be done", hint=f"one of {', '.join(known)}"
            )
    if "pseudonymise" in said.values() and (not isinstance(key, str) or len(key) < _SHORTEST):
        raise InputError(
            f"{path}: pseudonyms need a key of {_SHORTEST} letters or more", hint="key = … or PROVKG_POLICY_KEY"
        )
    return Policy({str(kind): str(action) for kind, action in said.items()}, str(key))
