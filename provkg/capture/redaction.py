"""What is not recorded: secrets, and what tells of a person where the policy says so."""

import getpass
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"
_SECRET = re.compile(
    r"(?i)(?:^|[^a-z])(?:pass(?:word|wd|phrase)?|secret|token|credentials?|api[-_]?key|access[-_]?key|private[-_]?key)"
    r"(?:$|[^a-z])"
)
_IN_URL = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_OPTION = re.compile(r"--?[A-Za-z]")


@lru_cache(4096)
def is_secret(name: str) -> bool:
    """Say whether a name is that of a secret.

    >>> is_secret("db_password"), is_secret("--api-key"), is_secret("passes"), is_secret("tokenizer")
    (True, True, False, False)
    """
    return _SECRET.search(name) is not None


def parameters(values: dict[str, Any]) -> dict[str, Any]:
    """Return parameters without the values of secrets, also inside of mappings.

    >>> parameters({"depth": 3, "login": {"token": "abc"}})
    {'depth': 3, 'login': {'token': '[redacted]'}}
    """
    for name, value in values.items():
        if type(value) is dict or is_secret(name):
            break
    else:
        return values  # as nearly always, at each call
    return {
        name: REDACTED if is_secret(name) else parameters(value) if type(value) is dict else value
        for name, value in values.items()
    }


def arguments(command: Sequence[str], home: str = "") -> list[str]:
    """Return a command line without the values of secrets.

    >>> arguments(["get", "--token", "abc", "--password=x", "https://me:pw@host/a"])
    ['get', '--token', '[redacted]', '--password=[redacted]', 'https://[redacted]@host/a']
    """
    found: list[str] = []
    hide = False
    for text in command:
        name, equals, _ = text.partition("=")
        is_option = _OPTION.match(text) is not None
        if hide and not is_option:
            found.append(REDACTED)
        elif equals and is_secret(name):
            found.append(f"{name}={REDACTED}")
        else:
            found.append(without_person(_IN_URL.sub(REDACTED, text), home))
        hide = is_option and not equals and is_secret(name)
    return found


def without_person(text: str, home: str) -> str:
    """Return text in which a home folder is ``~``.

    >>> without_person("/home/ada/lst/bin", "/home/ada")
    '~/lst/bin'
    """
    return re.sub(rf"(?<![\w.-]){re.escape(home)}(?![^/:;,=\s])", "~", text) if home and home != "/" else text


def home() -> str:
    """Return the home folder of this account, or nothing where it has none."""
    found = os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
    return found.rstrip("/") if found != "~" else ""


def account() -> str:
    """Return the name of this account, or nothing where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
