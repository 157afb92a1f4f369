"""Fitted models as JSON files: numbers and names, nothing that runs when it is read."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from patronage.errors import DataError, PatronageError, SettingsError
from patronage.models.rfm_input import FloatArray

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
        If there is no such file, it holds no saved model, one of an unknown class or format, or a
        value that cannot be.
    """
    content = _read(Path(path))
    known = saved_classes()
    name = str(content.get("model"))
    if name not in known:
        raise DataError(
            f"{path} holds a saved {name}, which is not known; known are "
            f"{', '.join(sorted(known))}. Import the module that defines it, or fit anew."
        )
    units = content.get(UNITS, {})
    if not isinstance(units, dict) or not all(isinstance(unit, str) for unit in units.values()):
        raise _damaged(path, f"units is {units!r}, no mapping of names to text")
    try:
        model = known[name].from_dict(content)
    except KeyError as error:
        raise DataError(f"{path} lacks {error} of a saved {name}. Fit and save it anew.") from error
    except SettingsError as error:
        raise _damaged(path, str(error).rstrip(".")) from error
    except (TypeError, ValueError, IndexError, AttributeError, ArithmeticError) as error:
        if isinstance(error, PatronageError):
            raise
        raise _damaged(path, f"a value of the saved {name} cannot be ({error})") from error
    model.units_ = units
    return model


def _damaged(path: Path | str, what: str) -> DataError:
    return DataError(f"{path} is damaged: {what}. Take a copy of it, or fit and save it anew.")


def saved_numbers(name: str, value: Any, shape: tuple[int, ...] | None = None) -> FloatArray:
    """Numbers of a file as an array.

    Raises
    ------
    ValueError
        If one is missing, none, NaN or infinite, or their shape is another.
    """
    numbers = np.array(value)
    if numbers.size and numbers.dtype.kind not in "iuf":
        raise ValueError(f"{name} is {value!r}, which is not all numbers")
    if not np.isfinite(numbers.astype(np.float64)).all():
        raise ValueError(f"{name} is {value!r}, which is not all finite")
    if shape is not None and numbers.shape != shape:
        raise ValueError(f"{name} has the shape {numbers.shape}, not {shape}")
    return numbers.astype(np.float64)


def saved_text(name: str, value: Any) -> str:
    """A text of a file."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, which is no text")
    return value


def saved_covariance(value: Any, size: int) -> FloatArray:
    """The covariance of so many estimates; NaN where none was known."""
    if value is None:
        return np.full((size, size), np.nan)
    return saved_numbers("covariance", value, (size, size))


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
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"there is no saved model {path}. Write one: model.save(path)") from error
    except ValueError as error:
        raise DataError(f"{path} holds no saved model: {error}") from error
    if not isinstance(content, dict) or "model" not in content:
        raise DataError(f"{path} holds no saved model: it does not say of which class.")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it is damaged, for {name} is never saved")


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
