"""Load quads in pieces, in a second thread, while the next source is mapped."""

from concurrent.futures import Future, ThreadPoolExecutor

from provkg.store import PIECE_CHARACTERS, Writing


def in_graph(graph: str, lines: list[str]) -> str:
    """Return N-Triples lines as N-Quads of a graph."""
    end = f"<{graph}> .\n"
    return "".join([line[:-1] + end for line in lines])


class Loading:
    """What waits to be loaded into one transaction."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.parts: list[str] = []
        self.size = 0
        self.loader = ThreadPoolExecutor(1)
        self.loads: list[Future[None]] = []

    def add(self, quads: str) -> None:
        """Take N-Quads; loading happens in pieces, in the other thread."""
        if not quads:
            return
        self.parts.append(quads)
        self.size += len(quads)
        if self.size >= PIECE_CHARACTERS:
            self.submit()

    def submit(self) -> None:
        """Hand what there is to the other thread."""
        if self.parts:
            for load in self.loads[:-1]:  # at most two pieces wait in memory
                load.result()
            self.loads = [*self.loads[-1:], self.loader.submit(self.writing.load_lines, self.parts)]
            self.parts, self.size = [], 0

    def flush(self) -> None:
        """Load what waits."""
        self.submit()
        for load in self.loads:
            load.result()
        self.loads = []

    def stop(self) -> None:
        """End the other thread."""
        self.loader.shutdown(cancel_futures=True)
