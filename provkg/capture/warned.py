"""Trouble of capture is a warning: it is never an error of the program that is watched."""

import sys
import warnings


class CaptureWarning(UserWarning):
    """Something was not recorded, or not as it was meant."""


def warn(message: str, *, level: int = 3) -> None:
    """Warn; where warnings are made errors, say it on stderr instead."""
    try:
        warnings.warn(message, CaptureWarning, stacklevel=level)
    except CaptureWarning:
        sys.stderr.write(f"warning: {message}\n")
