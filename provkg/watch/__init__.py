"""Read records while pipelines write them: what is written can be asked seconds later."""

from provkg.watch.changes import Changes, shared
from provkg.watch.running import run
from provkg.watch.watching import Batch, Watching

__all__ = ["Batch", "Changes", "Watching", "run", "shared"]
