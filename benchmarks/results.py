"""Put ``RESULTS.md`` together from what the benchmarks found.

    python benchmarks/results.py

A benchmark whose figures are not in ``figures/`` is named, and has no section: run it first.
"""

from pathlib import Path

from measure import Part, Table, loaded

RESULTS = Path(__file__).parent / "RESULTS.md"
PARTS = {  # and how each is run
    "night": "make bench",
    "peers": "make bench",
    "reader": "make bench",
    "questions": "make bench",
    "histories": "make bench",
    "histories-of-nights": "make bench-year",
    "pictures": "make bench",
    "serving": "make bench",
    "exporting": "make bench",
    "layout": "make bench",
    "watching": "make bench",
    "capture": "make bench",
    "validation": "make bench",
    "year": "make bench-year",
    "synthetic": "make bench-year",
}


def aims(parts: list[Part]) -> str:
    """Return what is wanted beside what was measured."""
    table = Table("", ("what", "wanted", "measured", "reached"))
    for part in parts:
        for what, aim, measured, reached in part.aims:
            table.add(what, aim, measured, "yes" if reached else "**no**")
    return table.markdown()


def machines(parts: list[Part]) -> str:
    """Return on what the parts were run: each machine and set of versions once."""
    known: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        known.setdefault((part.machine["machine"], part.machine["versions"]), []).append(part.name)
    return "\n\n".join(f"{machine}; {versions} ({', '.join(names)})." for (machine, versions), names in known.items())


def main() -> None:
    """Write the results."""
    found = {name: loaded(name) for name in PARTS}
    parts = [part for part in found.values() if part is not None]
    missing = [f"`{name}.py` ({PARTS[name]})" for name, part in found.items() if part is None]
    pieces = [
        "# Results of the benchmarks",
        "Written by `make bench` and `make bench-year`; do not edit. Medians, with the least and the most in brackets; "
        "× is a ratio. Seconds are of one machine; ratios are measured side by side, in one process where possible.",
        machines(parts),
        f"Not run: {', '.join(missing)}." if missing else "",
        "## What is wanted and what was measured",
        aims(parts),
        *(part.markdown() for part in parts),
    ]
    RESULTS.write_text("\n\n".join(piece.strip() for piece in pieces if piece) + "\n", "utf-8")
    print(f"{RESULTS}: {len(parts)} of {len(PARTS)} benchmarks")


if __name__ == "__main__":
    main()
