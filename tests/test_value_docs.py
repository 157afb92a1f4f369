"""The code of the pages on value models runs, and names nothing that does not exist."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import patronage.models
import patronage.report

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("value_models.md", "from_lifetimes.md")
LIFETIMES = Path(find_spec("lifetimes").origin).parent
INNER = {"coalesce", "forceAspect", "BaseFitter", "p2", "to_period"}
"""Not called by users."""


def text(page):
    return (DOCS / page).read_text()


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_the_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", text(page), flags=re.DOTALL)
    assert blocks
    names = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES)
def test_every_class_that_the_page_names_can_be_imported(page):
    known = {*vars(patronage.models), *vars(patronage.report)}
    ours = text(page).split("## pymc-marketing")[0] if page == "from_lifetimes.md" else text(page)
    assert set(re.findall(r"`(\w+Model)\b", ours)) <= known


def test_every_model_is_on_the_page():
    page = text("value_models.md")
    models = [name for name in patronage.models.__all__ if name.endswith("Model")]
    assert [
        name for name in models if name not in page and name not in ("ChurnModel", "PurchaseModel")
    ] == []


def calls_of(path):
    """Public classes, functions and methods of a module, without importing it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def test_every_call_of_lifetimes_is_on_the_page():
    modules = ["utils.py", "plotting.py", "generate_data.py", "datasets/__init__.py"]
    paths = [LIFETIMES / module for module in modules]
    paths += LIFETIMES.glob("fitters/*.py")
    names = {name for path in paths for name in calls_of(path)} - INNER
    assert len(names) > 40
    page = text("from_lifetimes.md")
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", page)) == []
