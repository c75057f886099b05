"""What a sample tells of all: the exact upper bound of the hypergeometric distribution."""

from math import comb
from typing import NamedTuple


class Confidence(NamedTuple):
    """What is sure of all after a sample: at most ``most`` of ``population`` are not as recorded."""

    confidence: float
    most: int
    population: int

    def __str__(self) -> str:
        if not self.population:
            return "there was nothing to sample"
        return (
            f"{100 * self.confidence:.4g} % sure that at most {self.most:,} of {self.population:,} files"
            f" ({self.most / self.population:.2%}) are not as recorded"
        )


def bound(population: int, sample: int, bad: int, confidence: float) -> Confidence:
    """Return how many of all are bad at most, with a confidence.

    The most for which a sample with so few bad ones, or fewer, is more likely than ``1 - confidence``. See Buonaccorsi
    1987, "A note on confidence intervals for proportions in finite populations".

    Args:
        population: how many there are.
        sample: how many were looked at, each at most once.
        bad: how many of these were bad.
        confidence: between 0 and 1.

    >>> bound(100, 100, 0, 0.99).most
    0
    >>> bound(12345, 500, 0, 0.99)
    Confidence(confidence=0.99, most=110, population=12345)
    """
    low, high = bad, population - (sample - bad)
    while low < high:
        middle = (low + high + 1) // 2
        if _likely(population, sample, bad, middle) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return Confidence(confidence, low, population)


def _likely(population: int, sample: int, bad: int, all_bad: int) -> float:
    """Return how likely a sample holds at most ``bad`` of ``all_bad``."""
    ways = sum(comb(all_bad, each) * comb(population - all_bad, sample - each) for each in range(bad + 1))
    return ways / comb(population, sample)


def size_of(text: str, population: int) -> int:
    """Return how many a sample has, from a number or a percentage.

    Raises:
        ValueError: it is neither, or not above 0.

    >>> size_of("1%", 250), size_of("500", 250)
    (3, 250)
    """
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf") or (text.endswith("%") and number > 100):
        raise ValueError(f"{text!r} is no size of a sample")
    count = -int(-population * number // 100) if text.endswith("%") else int(number)
    return min(count, population)
