"""What fuzzing kept is thrown again, and some mutations of it: tests/fuzzing does the same for hours."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing.corpus import kept
from tests.fuzzing.seeds import seeds, small_store, words
from tests.fuzzing.targets import NAMES, target

MOST = 100  # of the corpus of a target, drawn anew for each version of it
Thrown = tuple[str, Callable[[bytes], None], list[bytes]]


@pytest.fixture(scope="module", params=NAMES)
def thrown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Thrown:
    """Give a target, and what is thrown at it."""
    folder = tmp_path_factory.mktemp("fuzzing")
    store = small_store(folder)
    try:
        begin = seeds(request.param, store)
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    return request.param, target(request.param, folder, store), begin


def test_what_fuzzing_kept_is_no_finding(thrown: Thrown) -> None:
    name, target, begin = thrown
    corpus = kept(name)
    assert corpus, "each target has a corpus"
    for data in [*begin, *random.Random(len(corpus)).sample(corpus, min(MOST, len(corpus)))]:
        target(data)


@given(data=st.data())
def test_mutations_of_it_are_no_findings(thrown: Thrown, data: st.DataObject) -> None:
    name, target, begin = thrown
    base = data.draw(st.sampled_from([*begin, *kept(name)[:40]]))
    pieces = st.sampled_from(list(words(name))) | st.binary(max_size=8)
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(base))), data.draw(st.sampled_from([0, 0, 1, 4, 40]))
        base = base[:at] + data.draw(pieces) + base[at + length :]
    target(base)
