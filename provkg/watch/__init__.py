"""Read records while pipelines write them: what is written can be asked seconds later."""

from provkg.watch.changes import Changes, shared
from provkg.watch.rules import RULES, Alarm, Rules
from provkg.watch.running import run
from provkg.watch.telling import AlarmFile, WebHook
from provkg.watch.watching import Batch, Watching

__all__ = ["RULES", "Alarm", "AlarmFile", "Batch", "Changes", "Rules", "Watching", "WebHook", "run", "shared"]
