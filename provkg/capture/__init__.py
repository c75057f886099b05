"""Capture: what a program did, as it does it, in lines that ``provkg ingest`` reads.

It watches any program and depends on none; its own trouble is a warning and never an error of the program.
"""

from provkg.capture.command import run_command
from provkg.capture.recorder import Recorder, Run

__all__ = ["Recorder", "Run", "run_command"]
