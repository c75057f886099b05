"""Fuzz one target in this process: python -m tests.fuzzing.one TARGET FOLDER [option of libFuzzer …]."""

import atexit
import sys
import time
from pathlib import Path


def main() -> None:
    """Fuzz until told to stop, or until something is found."""
    import atheris  # make fuzz installs it

    name, folder, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["provkg", "prov"]):
        from tests.fuzzing.targets import target
    begin = time.monotonic()
    thrown = target(name, Path(folder) / "work", Path(folder) / "store")
    atexit.register(lambda: sys.stderr.write(f"fuzzed for {time.monotonic() - begin:.1f} s\n"))
    itself = f"{sys.executable} -m tests.fuzzing.one {name} {folder}"  # libFuzzer starts itself again to merge
    atheris.Setup([itself, *options], thrown)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
