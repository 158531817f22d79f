"""Every case in ``cases/``: a small world, what is asked for, and what must come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.worlds import freeze_case, pins_of, read_case
from venvman.model.errors import VenvmanError

FOLDER = Path(__file__).parent / "cases"
CASES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.toml"))


@pytest.mark.parametrize("name", CASES)
def test_a_case_comes_out_as_it_says(name: str, tmp_path: Path) -> None:
    case = read_case(FOLDER / name)
    if case.pins is not None:
        assert pins_of(freeze_case(case, tmp_path)) == sorted(case.pins), case.why
        return
    with pytest.raises(VenvmanError) as raised:
        freeze_case(case, tmp_path)
    error = raised.value
    said = " ".join(f"{problem.message} {problem.why or ''}" for problem in error.problems)
    assert error.code == case.code, f"{case.why} {said}"
    assert [part for part in case.conflict if part not in said] == [], said
