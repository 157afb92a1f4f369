"""The user's own modules: found, run, and their features collected."""

import ast
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from patronage.errors import PatronageError, SettingsError
from patronage.features.own_digest import code_digest
from patronage.features.own_feature import OwnFeature
from patronage.features.own_tables import refuse_taken_names

EXAMPLE = '@feature(meaning="...", unit="share")'


def own_features(modules: Sequence[str], *, folder: Path) -> tuple[OwnFeature, ...]:
    """The features of these modules, in the order of their code, each with the digest of its code.

    The modules are run, as any import is.

    Parameters
    ----------
    modules
        Files, their paths relative to `folder`, or names that can be imported.
    folder
        That of the settings file.

    Raises
    ------
    SettingsError
        If a module is not there, fails, or has no feature, or a name is taken; the message names
        the module, and line or feature.
    """
    found: dict[int, OwnFeature] = {}
    for name in modules:
        module = _loaded(name, folder)
        _refuse_lost(name, module)
        features = list(_features(vars(module).values()))
        if not features:
            raise SettingsError(
                f"[features] modules: {name} has no feature. Decorate a function: {EXAMPLE}"
            )
        found |= {id(own): own for own in features}
    refuse_taken_names(list(found.values()))
    return tuple(replace(own, digest=code_digest(own.function)) for own in found.values())


def _refuse_lost(name: str, module: ModuleType) -> None:
    """A second function of one name would take the place of the first, unseen."""
    code = inspect.getsource(module) if module.__file__ else ""
    named = [
        part.name
        for part in ast.parse(code).body
        if isinstance(part, ast.FunctionDef) and part.decorator_list
    ]
    lost = sorted({one for one in named if named.count(one) > 1})
    if lost:
        raise SettingsError(
            f"[features] modules: {name} has two functions of the name {', '.join(lost)}, and the "
            "second would take the place of the first. Give each its own name."
        )


def _features(values: Iterable[Any]) -> Iterable[OwnFeature]:
    """Features of a module, also in lists and tuples."""
    for value in values:
        if isinstance(value, OwnFeature):
            yield value
        elif isinstance(value, list | tuple):
            yield from _features(value)


def _loaded(name: str, folder: Path) -> ModuleType:
    try:
        return _from_file(name, folder) if _is_file(name) else importlib.import_module(name)
    except PatronageError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise _failed(name, error) from error
        raise SettingsError(
            f"[features] modules: there is no module {name} to import. Install it, or name its "
            f'file, such as "{name}.py", relative to {folder}.'
        ) from error
    except (Exception, SystemExit) as error:
        raise _failed(name, error) from error


def _is_file(name: str) -> bool:
    return name.endswith(".py") or "/" in name or "\\" in name


def _from_file(name: str, folder: Path) -> ModuleType:
    path = (folder / name).absolute()
    if not path.is_file():
        near = ", ".join(sorted(one.name for one in folder.glob("*.py"))) or "no .py file at all"
        raise SettingsError(
            f"[features] modules: there is no file {path}. Paths are relative to the settings "
            f"file; its folder holds {near}."
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"[features] modules: {path} is no Python file; name one that is.")
    module = importlib.util.module_from_spec(spec)
    _run(module, spec.loader)
    return module


def _run(module: ModuleType, loader: Any) -> None:
    """Run it, known by its name meanwhile, unless that is another module's."""
    name = module.__name__
    shown = name not in sys.modules
    if shown:
        sys.modules[name] = module
    try:
        loader.exec_module(module)
    finally:
        if shown:
            del sys.modules[name]


def _failed(name: str, error: BaseException) -> SettingsError:
    steps = traceback.extract_tb(error.__traceback__)
    own = [step.lineno for step in steps if Path(step.filename).stem == Path(name).stem]
    line = f" in line {own[-1]}" if own else ""
    return SettingsError(
        f"[features] modules: {name} failed{line}: {type(error).__name__}: {error}. It must run "
        "without error: python -W error " + (name if _is_file(name) else f"-m {name}")
    )
