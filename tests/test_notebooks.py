"""The notebooks run from top to bottom, and carry no outputs."""

import json
from pathlib import Path

import pytest

SHOWS = {
    "cdnow_value": lambda names: abs(names["bias"]) < 0.2,
    "own_features": lambda names: (
        ["spend_ever of" in fault for fault in names["faults"]] == [True]
        and names["silent"] == []
        and {one.feature for one in names["suspicions"]} == {"spend_ahead"}
        and names["auc"]["with our own"] > 0.7
    ),
}
"""What each of them finds."""
NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def code_cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path):
    names = {}
    for number, cell in enumerate(code_cells(path)):
        exec(compile(source(cell), f"{path.name}, code cell {number}", "exec"), names)
    assert SHOWS[path.stem](names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_carries_no_outputs(path):
    assert all(cell["outputs"] == [] for cell in code_cells(path))
