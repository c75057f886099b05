"""Which of the formats that can be given suits an Accept header best; RFC 9110, 12.5.1."""

from collections.abc import Mapping


def best(accept: str, offered: Mapping[str, str]) -> str | None:
    """Return the name of the format that is accepted most; of several the first that is offered, None where none is.

    Args:
        accept: the Accept header; without one everything is accepted.
        offered: media types without parameters, each with the name of its format, the preferred first.

    >>> best("text/turtle;q=0.5, text/*;q=0.8", {"text/turtle": "turtle", "text/html": "html"})
    'html'
    """
    ranges = _ranges(accept) or {"*/*": 1.0}
    weights = {media: _weight(media, ranges) for media in offered}
    most = max(weights.values(), default=0.0)
    return next((offered[media] for media, weight in weights.items() if weight == most > 0), None)


def _weight(media: str, ranges: Mapping[str, float]) -> float:
    """Return how much a media type is accepted: the most specific range that has it says so."""
    for each in (media, media.partition("/")[0] + "/*", "*/*"):
        if each in ranges:
            return ranges[each]
    return 0.0


def _ranges(accept: str) -> dict[str, float]:
    """Return the media ranges of an Accept header with their weights; a weight that is no number counts nothing."""
    found: dict[str, float] = {}
    for piece in accept.split(","):
        media, *parameters = (part.strip().lower() for part in piece.split(";"))
        if not media:
            continue
        weight = next((part.partition("=")[2] for part in parameters if part.startswith("q=")), "1")
        found[media] = max(found.get(media, 0.0), _number(weight))
    return found


def _number(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
