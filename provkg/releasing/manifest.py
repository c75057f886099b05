"""The manifest of a release: what was removed, by kind and stand-in, and of which graph; signed.

It holds no value that was removed. It is signed with a key of OpenSSH, and anybody checks that with::

    ssh-keygen -Y verify -f allowed_signers -I archive@example.org -n provkg -s release.json.sig < release.json
"""

from __future__ import annotations

import hmac
import json
import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from provkg.errors import InputError, MissingExtra
from provkg.releasing.policy import Policy
from provkg.releasing.redacting import Redaction

NAMESPACE = "provkg"


def manifest(redaction: Redaction, policy: Policy, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a release.

    Args:
        redaction: what was done.
        policy: by which policy; it is named by its fingerprint, and its key makes ``mac`` where there is one.
        facts: the digest of the graph that is released, its base, the version and the time.
    """
    told: dict[str, Any] = {
        **facts,
        "policy": policy.fingerprint(),
        "actions": dict(sorted(policy.actions.items())),
        "removed": [{"kind": each.kind, "instead": each.instead, "times": each.times} for each in redaction.removed],
        "leftOut": redaction.left_out,
        "gate": "passed",
    }
    if policy.key:
        told["mac"] = hmac.new(policy.key.encode(), canonical(told), sha256).hexdigest()
    return told


def canonical(told: Mapping[str, Any]) -> bytes:
    """Return a manifest without its mac as the bytes that the mac is of."""
    kept = {key: value for key, value in told.items() if key != "mac"}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write_manifest(told: Mapping[str, Any], path: str | Path, *, sign_with: str | Path | None = None) -> None:
    """Write a manifest, and its signature beside it.

    Args:
        told: the manifest.
        path: where to.
        sign_with: a private key of OpenSSH, or its public key where an agent holds it.

    Raises:
        MissingExtra: there is no ssh-keygen.
        InputError: the file cannot be written, or the key cannot sign.
    """
    target = Path(path)
    try:
        target.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
        signature = target.with_name(target.name + ".sig")
        signature.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{target}: {error.strerror or error}") from None
    if sign_with is None:
        return
    tool = shutil.which("ssh-keygen")
    if tool is None:
        raise MissingExtra("ssh-keygen is needed to sign", hint="apt-get install openssh-client")
    command = [tool, "-Y", "sign", "-f", str(sign_with), "-n", NAMESPACE, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode or not signature.exists():
        raise InputError(f"{sign_with}: {(done.stderr.strip().splitlines() or ['no signature'])[-1]}")
