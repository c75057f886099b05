"""Programs that are run by a Python that has lstosa, logprov and ctapipe: ``make peers`` installs it."""
