"""A policy of redaction: what is done with each kind of private data, from a TOML file.

::

    key = "…"                   # of the pseudonyms; or the variable PROVKG_POLICY_KEY
    account = "pseudonymise"    # each kind: keep, pseudonymise, generalise or drop
    host = "generalise"
    contact = "drop"
    e-mail = "drop"
    home-directory = "pseudonymise"
    token = "drop"              # what looks like a key or a password: keep or drop
    environment = ["LANG"]      # variables of environments: keep, drop, or the names of those that are kept
    allow = ["^v[0-9.]+-g[0-9a-f]+$"]   # what the gate lets pass: regular expressions for whole words

    [paths]                     # what paths begin with, and what stands for it
    "/fefs/aswg" = "/data"

A kind that is not named is dropped. The kinds are those of the question ``private-data``, and ``token``.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from provkg.errors import InputError, did_you_mean

KINDS = ("account", "host", "contact", "e-mail", "home-directory", "environment", "token")
ACTIONS = ("keep", "pseudonymise", "generalise", "drop")
_OF_KIND = {"environment": ("keep", "drop"), "token": ("keep", "drop")}
_SHORTEST = 16  # letters of a key
GENERAL = {"account": "a user", "host": "a host", "contact": "a contact", "e-mail": "an address"}


@dataclass(frozen=True)
class Policy:
    """What is done with each kind of private data, and the key of the pseudonyms.

    Args:
        actions: by kind.
        key: of the pseudonyms; one that nobody knows stands in where there is none.
        paths: what paths begin with, and what stands for it.
        variables: of environments, which are kept.
        allow: what the gate lets pass.
    """

    actions: dict[str, str]
    key: str = field(default="", repr=False)
    paths: dict[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    nobodys: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    def action(self, kind: str) -> str:
        """Return what is done with a kind; it is dropped where nothing is said."""
        return self.actions.get(kind.replace(" ", "-"), "drop")

    def instead(self, kind: str, value: str) -> str:
        """Return what stands for a value in a text."""
        action, root = self.action(kind), _root(kind, value)
        if action == "drop":
            return f"{root}removed"
        if action == "generalise":
            if kind == "e-mail":
                return f"{GENERAL[kind]} at {value.rpartition('@')[2]}"
            return f"{root}user" if root else GENERAL[kind]
        return self.in_iri(kind, value)

    def in_iri(self, kind: str, value: str) -> str:
        """Return what stands for a value in an IRI: two values never become one, and nothing tells which that was."""
        root = _root(kind, value)
        key = self.key if self.action(kind) == "pseudonymise" else self.nobodys
        told = hmac.new(key.encode(), f"{kind}\0{value}".encode("utf-8", "backslashreplace"), sha256).hexdigest()
        return f"{root}{'user' if root else kind.replace(' ', '-')}-{told[:12]}"

    def fingerprint(self) -> str:
        """Return the sha256 of what the policy says, without its key."""
        told = repr((sorted(self.actions.items()), sorted(self.paths.items()), self.variables, self.allow))
        return sha256(told.encode()).hexdigest()


def _root(kind: str, value: str) -> str:
    """Return what stands before the name of a home directory."""
    return value[: max(value.rfind("/"), value.rfind("\\")) + 1] if kind == "home directory" else ""


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
    paths, allow = _paths(path, said.pop("paths", {})), _allow(path, said.pop("allow", []))
    variables: tuple[str, ...] = ()
    if isinstance(said.get("environment"), list):
        variables, said["environment"] = tuple(map(str, said["environment"])), "drop"
    for kind, action in said.items():
        if kind not in KINDS:
            raise InputError(f"{path}: {kind!r} is no kind of private data", hint=did_you_mean(kind, KINDS))
        known = _OF_KIND.get(kind, ACTIONS)
        if action not in known:
            hint = f"one of {', '.join(known)}"
            raise InputError(f"{path}: {kind}: {action!r} is nothing that can be done", hint=hint)
    if "pseudonymise" in said.values() and (not isinstance(key, str) or len(key) < _SHORTEST):
        raise InputError(
            f"{path}: pseudonyms need a key of {_SHORTEST} letters or more", hint="key = … or PROVKG_POLICY_KEY"
        )
    actions = {str(kind): str(action) for kind, action in said.items()}
    return Policy(actions, str(key), paths, variables, allow)


def _paths(path: str | Path, said: Any) -> dict[str, str]:
    """Return what stands for the beginnings of paths; two of them must not become one."""
    told = {str(old).rstrip("/"): str(new).rstrip("/") for old, new in said.items()} if isinstance(said, dict) else {}
    if not isinstance(said, dict) or not all(
        each.startswith("/") and len(each) > 1 for pair in told.items() for each in pair
    ):
        raise InputError(f"{path}: [paths] gives absolute paths for absolute paths", hint='"/fefs/aswg" = "/data"')
    if len({*told.values()}) < len(told):
        raise InputError(f"{path}: [paths] makes one path of two", hint="give each its own")
    return told


def _allow(path: str | Path, said: Any) -> tuple[str, ...]:
    try:
        return tuple(re.compile(each).pattern for each in said)
    except (re.error, TypeError) as error:
        raise InputError(f"{path}: allow: {error}", hint='a list of regular expressions: ["^v[0-9.]+$"]') from None
