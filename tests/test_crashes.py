"""kill -9 at any moment: what readers see is whole, and the command said again ends as if nothing had been."""

from pathlib import Path

import pytest

from tests.crashing import Case, cases, killed, moments, took
from tests.test_ledger import long_log

KILLS = 3  # of each command; make torture has 200


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    folder = tmp_path_factory.mktemp("crashes")
    for name, seeds in (("logs", (1, 2)), ("more", (3,))):
        (folder / name).mkdir()
        for seed in seeds:
            (folder / name / f"{seed}.log").write_text(long_log(60, seed))
    return cases(folder, folder / "logs", folder / "more")


@pytest.mark.parametrize("number", range(5))
def test_a_command_that_is_killed_is_said_again(every: list[Case], number: int, tmp_path: Path) -> None:
    case = every[number]
    seconds = took(case, tmp_path / "case")
    caught = sum(killed(case, tmp_path / "case", moment) for moment in moments(seconds, KILLS, number))
    assert caught, "it was over each time"
