"""What is installed for an interpreter; other interpreters run this source too, so it needs nothing but Python."""

import json
import platform
import sys
from importlib import metadata


def installed() -> "dict[str, object]":
    """Return executable, version and packages of this interpreter, as plain data.

    >>> "python" in installed()
    True
    """
    found: dict[str, dict[str, object]] = {}
    for each in metadata.distributions():
        name = each.metadata["Name"]
        if not name or name in found:  # the first on the path is what is imported
            continue
        found[name] = {"name": name, "version": each.version}
        try:
            origin = json.loads(each.read_text("direct_url.json") or "{}")
        except ValueError:
            origin = {}
        if origin.get("vcs_info", {}).get("commit_id"):
            found[name]["commit"] = origin["vcs_info"]["commit_id"]
        if origin.get("dir_info", {}).get("editable"):
            found[name]["editable"] = True
    python = {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "packages": [found[name] for name in sorted(found)],
    }
    return {"executable": sys.executable, "python": python}


if __name__ == "__main__":
    print(json.dumps(installed()))  # noqa: T201 - what the asking process reads
