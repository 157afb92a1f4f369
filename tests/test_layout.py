"""The folders on disk, the packages in the wheel and the import name agree."""

import tomllib
from pathlib import Path

import pytest

import patronage
import patronage.pipelines

ROOT = Path(__file__).parent.parent
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def packages_on_disk():
    for package, folder in SETUPTOOLS["package-dir"].items():
        for folder_of_modules in {path.parent for path in (ROOT / folder).rglob("*.py")}:
            yield ".".join((package, *folder_of_modules.relative_to(ROOT / folder).parts))


def test_every_folder_of_modules_goes_into_the_wheel():
    assert sorted(SETUPTOOLS["packages"]) == sorted(packages_on_disk())


@pytest.mark.parametrize(
    ("package", "folder"), [(patronage, "src"), (patronage.pipelines, "pipelines")]
)
def test_the_tests_run_against_this_checkout(package, folder):
    assert Path(package.__file__).resolve().parent == ROOT / folder


def test_static_tools_see_every_package():
    linked = {link.name: link.resolve() for link in (ROOT / ".typing" / "patronage").iterdir()}
    assert linked == {
        **{init.parent.name: init.parent for init in (ROOT / "src").glob("*/__init__.py")},
        "pipelines": ROOT / "pipelines",
        **{module.name: module for module in (ROOT / "src").glob("*.py")},
        "py.typed": ROOT / "src" / "py.typed",
    }
