"""A real tool of ctapipe: it reads a file and writes one. ``python tool.py mixin|install|plain IN OUT``."""

import sys
from pathlib import Path

from ctapipe.core import Provenance, Tool

from provkg.capture import ctapipe
from provkg.capture.digesting import Policy

HOW, SOURCE, TARGET = sys.argv[1:]
if HOW == "install":
    ctapipe.install(Policy(which="outputs"))
    ctapipe.install()


class Copy(*([ctapipe.WithDigests] if HOW == "mixin" else []), Tool):
    name = "copy-tool"

    def start(self):
        Provenance().add_input_file(SOURCE, role="DL1/Event")
        Path(TARGET).write_text(Path(SOURCE).read_text())
        Provenance().add_output_file(TARGET, role="DL2/Event")


Copy().run([])
