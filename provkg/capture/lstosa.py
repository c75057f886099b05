"""lstosa's ``@trace`` by provkg: its definition, its variables, its sessions.

In ``osa/scripts/*.py``, instead of ``from osa.provenance.capture import trace``::

    from provkg.capture.lstosa import trace

The definition file and ``parse_variables`` are lstosa's own. The records are those of :mod:`provkg.capture`.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, TypeVar

from provkg.capture.recorder import Recorder
from provkg.capture.warned import warn

Traced = TypeVar("Traced", bound=Callable[..., Any])
_RUN = ("observation_run", "pedestal_run", "calibration_run")


def trace(function: Traced) -> Traced:
    """Record each call of a function that lstosa's definition has; as lstosa's decorator of that name."""
    return recorder().trace(function)


@cache
def recorder(path: str | None = None, **options: Any) -> Recorder:
    """Return the recorder of this process, with lstosa's definition and variables.

    Args:
        path: the file to append to, as :class:`provkg.capture.Recorder` has it.
        options: its other options.
    """
    options.setdefault("definition", str(files("osa.provenance") / "config/definition.yaml"))
    return Recorder(path, variables=variables, **options)


def variables(call: SimpleNamespace) -> None:
    """Set what expressions of lstosa's definition name, with the facts of the session and the sub-run.

    Args:
        call: ``__name__`` of the function, ``args`` and ``kwargs`` of the call.
    """
    parse, options = import_module("osa.provenance.utils").parse_variables, import_module("osa.configs.options")
    try:
        parse(call)
    except Exception as error:  # noqa: BLE001 - lstosa's own code; what it had set until then is there
        warn(f"lstosa could not say what {call.__name__} uses: {error!r}", level=6)
    found = vars(call)
    runs = {name: found.get(name.title().replace("_", "")) for name in _RUN}
    session: dict[str, Any] = {name: str(run) for name, run in runs.items() if run is not None}
    if "ObservationDate" in found:
        session["observation_date"] = str(found["ObservationDate"])
    if "SoftwareVersion" in found:
        session["software"] = {"name": "lstchain", "version": str(found["SoftwareVersion"])}
    if "ProcessingConfigFile" in found:
        session["config_file"] = str(found["ProcessingConfigFile"])
    session["name"] = "-".join(session[name] for name in _RUN if name in session)
    call.session = session
    call.lot = next(
        (text for text in map(str, call.args) if text.partition(".")[0] == session.get("observation_run")), ""
    )
    call.dry = bool(getattr(options, "simulate", False))
