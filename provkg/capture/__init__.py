"""Capture: what a program did, as it does it, in lines that ``provkg ingest`` reads.

It watches any program and depends on none; its own trouble is a warning and never an error of the program.
"""

from provkg.capture.command import run_command
from provkg.capture.recorder import Recorder
from provkg.capture.run import Run, current
from provkg.capture.signature import Generated, Mark, Used
from provkg.capture.warned import CaptureWarning

__all__ = ["CaptureWarning", "Generated", "Mark", "Recorder", "Run", "Used", "current", "run_command"]
