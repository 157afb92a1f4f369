"""Fitted models as JSON files: numbers and names, nothing that runs when it is read."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from patronage.errors import DataError

UNITS = "units"


def save_model(model: Any, path: Path | str, units: Mapping[str, str] | None = None) -> None:
    """Write a fitted model; the file is there whole or not at all.

    Parameters
    ----------
    model
        Any model with `to_dict`, fitted.
    path
        The file; its folder exists. What it held is replaced.
    units
        For whoever reads it, such as {"time": "weeks", "money": "USD"}; by default those that the
        model was loaded with.
    """
    named = getattr(model, "units_", {}) if units is None else units
    content = {**model.to_dict(), UNITS: dict(named)}
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
    _replace(Path(path), text + "\n")


def load_model(path: Path | str) -> Any:
    """Read a model that `save` wrote, of whatever class; `units_` tells its units.

    Raises
    ------
    DataError
        If there is no such file, it holds no saved model, or one of an unknown class or format.
    """
    content = _read(Path(path))
    known = saved_classes()
    name = content.get("model")
    if name not in known:
        raise DataError(
            f"{path} holds a saved {name}, which is not known; known are "
            f"{', '.join(sorted(known))}. Import the module that defines it, or fit anew."
        )
    try:
        model = known[name].from_dict(content)
    except KeyError as error:
        raise DataError(f"{path} lacks {error} of a saved {name}. Fit and save it anew.") from error
    model.units_ = dict(content.get(UNITS, {}))
    return model


def saved_classes() -> dict[str, Any]:
    """Every class of models that can be saved, by name."""
    from patronage.models.customer_value import CustomerValueModel
    from patronage.models.likelihood_model import LikelihoodModel

    return {"CustomerValueModel": CustomerValueModel, **_below(LikelihoodModel)}


def _below(parent: type[Any]) -> dict[str, Any]:
    """The classes derived from it that can be made, by name."""
    found: dict[str, Any] = {}
    for child in parent.__subclasses__():
        found |= _below(child)
        if not getattr(child, "__abstractmethods__", None):
            found[child.__name__] = child
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"there is no saved model {path}. Write one: model.save(path)") from error
    except ValueError as error:
        raise DataError(f"{path} holds no saved model: {error}") from error
    if not isinstance(content, dict) or "model" not in content:
        raise DataError(f"{path} holds no saved model: it does not say of which class.")
    return content


def _replace(path: Path, text: str) -> None:
    """Write beside the file and rename: whoever reads sees the old content or the new."""
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
