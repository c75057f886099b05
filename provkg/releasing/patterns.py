"""What private data look like in any text: the same patterns redact it and look for what is left of it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

E_MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}")
HOME = re.compile(r"(?:[/\\](?:home|Users)|/afs/[\w.]+/user/\w)[/\\]([^/\\\s\"',:;<>]+)")
TOKEN = re.compile(
    r"""(?x)
    AKIA[0-9A-Z]{16}
    | gh[pousr]_[A-Za-z0-9]{20,}
    | github_pat_\w{20,}
    | glpat-[\w-]{16,}
    | xox[abprs]-[\w-]{10,}
    | sk-[A-Za-z0-9_-]{20,}
    | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)
    | (?<=[Bb]earer\ )[\w.~+/=-]{8,}
    | (?i:(?<=password=)|(?<=passwd=)|(?<=token=)|(?<=secret=)|(?<=api_key=)|(?<=apikey=)|(?<=api-key=))
      (?!\[|removed)[^\s&"',\[\]]{4,}
    """
)
ADDRESS = re.compile(r"(?<![\w.])(?:(?:10|127)\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d{1,3}\.\d{1,3}(?![\w.])")
INTERNAL = re.compile(
    r"(?<![\w.-])[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.(?:local|lan|internal|intranet|localdomain)(?![\w-])"
)
STAND_IN = re.compile(r"(?:user|removed)(?:-[0-9a-f]{12})?")
_WORD = re.compile(r"[A-Za-z0-9+_=-]{20,}")
_INSTEAD = re.compile(r"(?:account|host|contact|e-mail|user|token|removed)-[0-9a-f]{12}")
_DIGEST = re.compile(
    r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MOST_ORDERED = 3.9  # bits a letter: words of language and paths have less, keys in base64 have more


def suspects(text: str, *, digests: bool) -> Iterator[str]:
    """Give the words of a text that are as random as keys are.

    >>> list(suspects("token 9fKq2LmZx0Vb7Rt4Wc1Yd8Ns, r0_to_dl1_calibration_of_run", digests=True))
    ['9fKq2LmZx0Vb7Rt4Wc1Yd8Ns']

    Args:
        text: any.
        digests: digests and UUIDs are expected here.
    """
    for match in _WORD.finditer(_INSTEAD.sub(" ", text)):
        word = match[0]
        if digests and (_DIGEST.fullmatch(word) or _UUID.search(word)):
            continue
        if _mixed(word) and entropy(word) > _MOST_ORDERED:
            yield word


def entropy(word: str) -> float:
    """Return the Shannon entropy of the letters of a word, in bits a letter.

    >>> entropy("aabb")
    1.0
    """
    counts = Counter(word)
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counts.values())


def _mixed(word: str) -> bool:
    """Say whether a word mixes digits with letters as keys do: in several places, not at its end."""
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(word))
    return changes >= 5
