"""Writing a commented settings file, empty for `init` and filled for `demo`."""

import json
from collections.abc import Mapping
from pathlib import Path

import jinja2

from patronage.errors import SettingsError

Value = str | int | float
FILE_NAME = "patronage.toml"


def write_settings_file(path: Path, values: Mapping[str, Value]) -> Path:
    """Write the commented settings with `values` filled in; a different file is never overwritten.

    Raises
    ------
    SettingsError
        If `path` exists and holds something else.
    """
    text = settings_text(values)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise SettingsError(
            f"{path} exists and differs from what would be written. Move it away first, or name "
            "another folder."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def settings_text(values: Mapping[str, Value]) -> str:
    """The commented settings as TOML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("patronage.pipelines", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.get_template("settings.toml.j2").render(values=values)
