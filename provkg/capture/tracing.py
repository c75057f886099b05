"""Functions and classes of which each call is recorded, and which do what they did before."""

import functools
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from provkg.capture import redaction
from provkg.capture.call import Call, Plan
from provkg.capture.facts import plain
from provkg.capture.run import CURRENT, Run, outcome
from provkg.capture.signature import Signature
from provkg.capture.warned import warn

if TYPE_CHECKING:
    from provkg.capture.recorder import Recorder

Traced = TypeVar("Traced", bound=Callable[..., Any])


def traced(recorder: "Recorder", what: Traced, *, name: str = "", parameters: dict[str, Any] | None = None) -> Traced:
    """Return a function whose calls are recorded, or a class whose methods' calls are.

    Args:
        recorder: where to.
        what: a function, a coroutine function, a generator function, or a class.
        name: the type of activity; the name of the function when empty.
        parameters: what all calls are configured by.
    """
    if inspect.isclass(what):
        return _class(recorder, what)  # type: ignore[return-value]
    if inspect.isasyncgenfunction(what):
        warn(f"{what.__qualname__} is an asynchronous generator: its calls are not recorded", level=4)
        return what
    try:
        tracer = _Tracer(recorder, what, name or getattr(what, "__name__", type(what).__name__), parameters or {})
    except Exception as error:  # noqa: BLE001 - the program that is watched goes on
        warn(f"{what!r} cannot be looked at, its calls are not recorded: {error}", level=4)
        return what
    if inspect.iscoroutinefunction(what):
        wrapper: Any = tracer.coroutine()
    elif inspect.isgeneratorfunction(what):
        wrapper = tracer.generator()
    else:
        wrapper = tracer.function()
    return functools.wraps(what)(wrapper)  # type: ignore[return-value]


def _class(recorder: "Recorder", what: type) -> type:
    """Trace the methods of a class: those that the definition has, without a definition all that are public."""
    known = recorder.pipeline.activities if recorder.pipeline is not None else None
    for name, held in list(vars(what).items()):
        if name not in known if known is not None else name.startswith("_"):
            continue
        if inspect.isfunction(held):
            setattr(what, name, traced(recorder, held))
        elif isinstance(held, staticmethod | classmethod):
            setattr(what, name, type(held)(traced(recorder, held.__func__)))
    return what


class _Tracer:
    """Record the calls of one function."""

    def __init__(
        self, recorder: "Recorder", function: Callable[..., Any], name: str, parameters: dict[str, Any]
    ) -> None:
        self.recorder, self.called, self.name = recorder, function, name
        self.parameters = redaction.parameters(plain(parameters))
        self.signature = Signature(function)
        described = recorder.pipeline.plan(name) if recorder.pipeline is not None else None
        self.plan: Plan = described or self.signature
        self.is_described = described is not None

    def function(self) -> Callable[..., Any]:
        """Return a function that records, calls, and records."""
        recorder, called, begin, end = self.recorder, self.called, self.begin, self.end

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not recorder.enabled:
                return called(*args, **kwargs)
            call, run = begin(args, kwargs)
            token = CURRENT.set(run)
            try:
                result = None if recorder.dry else called(*args, **kwargs)
            except BaseException as error:
                CURRENT.reset(token)
                end(call, run, error)
                raise
            CURRENT.reset(token)
            end(call, run, None)
            return result

        return wrapper

    def coroutine(self) -> Callable[..., Any]:
        """Return the same for a coroutine function."""

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not self.recorder.enabled:
                return await self.called(*args, **kwargs)
            call, run = self.begin(args, kwargs)
            run.enter()
            try:
                result = None if self.recorder.dry else await self.called(*args, **kwargs)
            except BaseException as error:
                run.leave()
                self.end(call, run, error)
                raise
            run.leave()
            self.end(call, run, None)
            return result

        return wrapper

    def generator(self) -> Callable[..., Any]:
        """Return the same for a generator function: the activity lasts until it is exhausted or closed.

        What its consumer does in between is not part of it, so it is not the current activity.
        """

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not self.recorder.enabled:
                return (yield from self.called(*args, **kwargs))
            call, run = self.begin(args, kwargs)
            try:
                result = None if self.recorder.dry else (yield from self.called(*args, **kwargs))
            except BaseException as error:
                self.end(call, run, error)
                raise
            self.end(call, run, None)
            return result

        return wrapper

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, Run]:
        """Record the start of a call."""
        call = Call({})
        try:
            call.values = self.signature.bind(args, kwargs)
            if self.is_described:
                self._scope(call, args, kwargs)
            self.plan.before(call)
        except Exception as error:  # noqa: BLE001 - the program that is watched goes on
            warn(f"provkg could not look at a call of {self.name}: {error!r}", level=4)
        told: dict[str, Any] = {}
        if self.parameters:
            call.parameters = self.parameters | call.parameters
        if call.parameters:
            told["parameters"] = redaction.parameters(call.parameters)
        used = call.used
        if used:
            if self.recorder.at_once:
                used = self.recorder.digested("used", used)
            told["used"] = used
            call.used = []
        if call.paths:
            told["paths"] = call.paths
        run = self.recorder.start(self.name, told, session=call.session, dry=call.dry)
        if used and self.recorder.later:
            run.later("used", used)
        if call.derived:
            for entity, source in call.derived:
                run.write("derived", {"entity": entity, "source": source, "before": True})
            call.derived = []
        return call, run

    def end(self, call: Call, run: Run, error: BaseException | None) -> None:
        """Record the end of a call; where it failed, only files that are there and have changed were generated."""
        try:
            self.plan.after(call)
        except Exception as trouble:  # noqa: BLE001 - the program that is watched goes on
            warn(f"provkg could not look at what {self.name} did: {trouble!r}", level=4)
        told = outcome(error)
        if error is not None:
            call.generated = [each for each in call.generated if "size" in each and "unchanged" not in each]
            call.members, call.derived = [], []
        if self.recorder.at_once:
            digested = self.recorder.digested
            call.used, call.generated = digested("used", call.used), digested("generated", call.generated)
        if call.used:
            told["used"] = call.used
        if call.generated:
            told["generated"] = call.generated
        if call.paths:
            told["paths"] = call.paths
        run.end(**told)
        if self.recorder.later:
            run.later("used", call.used)
            run.later("generated", call.generated)
        for collection, member in call.members:
            run.write("member", {"collection": collection, "member": member})
        for entity, source in call.derived:
            run.write("derived", {"entity": entity, "source": source})

    def _scope(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Find where expressions of the definition begin: what the pipeline sets, its object, arguments, globals."""
        named = SimpleNamespace(__name__=self.name, args=args, kwargs=kwargs)
        if self.recorder.variables is not None:
            self.recorder.variables(named)
            given = vars(named)
            call.session, call.lot = dict(given.pop("session", {})), str(given.pop("lot", ""))
            call.dry = given.pop("dry", False) is True
        call.scopes = [{"args": args, "kwargs": {**call.values, **kwargs}}, vars(named)]
        if self.signature.is_method and args:
            call.scopes.append(args[0])
        call.scopes += [call.values, getattr(inspect.unwrap(self.called), "__globals__", {})]
