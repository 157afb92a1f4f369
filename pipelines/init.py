"""`patronage init`: a commented settings file that names what the header of a table shows."""

import json
from pathlib import Path

from patronage.data.guessing import Guess, guess
from patronage.pipelines.settings_file import Value, write_settings_file


def write_settings_for(source: str, config: Path) -> str:
    """Write the settings file for a source, named relative to it; tells what is left to do.

    Raises
    ------
    DataError
        If the source cannot be read.
    SettingsError
        If the settings file exists.
    """
    guessed = guess(source, Path())
    values = {"transactions.source": _relative(source, config), **_values(guessed)}
    write_settings_file(config, values, notes=_notes(guessed), columns=guessed.names)
    steps = [f"wrote {config}", *_to_do(guessed)]
    steps.append(f"fill in the lines marked required, then: patronage check --config {config}")
    return "\n".join(steps)


def _values(guessed: Guess) -> dict[str, Value]:
    """The settings that differ from their defaults."""
    found = {
        "transactions.amount": guessed.amount,
        "transactions.encoding": guessed.encoding if guessed.encoding != "utf-8" else None,
        "transactions.decimal": guessed.decimal if guessed.decimal != "." else None,
        "transactions.date_format": guessed.date.format,
        **{f"transactions.columns.{name}": column for name, column in guessed.columns.items()},
    }
    return {name: value for name, value in found.items() if value is not None}


def _notes(guessed: Guess) -> dict[str, str]:
    other = guessed.date.other
    if other is None:
        return {}
    return {"transactions.date_format": f'check: "{other}" would fit the values as well'}


def _to_do(guessed: Guess) -> list[str]:
    """What the user has to look at besides the lines marked required."""
    lines = _about_encoding(guessed)
    columns = {**guessed.columns, **({"amount": ""} if guessed.amount else {})}
    missing = [name for name in ("customer_id", "timestamp", "amount") if name not in columns]
    if missing:
        lines.append(f"name the columns for {', '.join(missing)}")
    if guessed.timestamp_by_values:
        lines.append(f'check that "{guessed.columns["timestamp"]}" is when: its values are days')
    money = [name for name in ("discount", "margin") if name in guessed.columns]
    if money:
        named = " and ".join(f'"{guessed.columns[name]}" ({name})' for name in money)
        lines.append(f"check that {named} is in money, not per cent")
    if guessed.date.other:
        lines.append(
            f'check date_format: days fit "{guessed.date.format}" and "{guessed.date.other}"'
        )
    return lines


def _about_encoding(guessed: Guess) -> list[str]:
    """A text that is no Unicode does not tell how it is to be read; its letters are a hint."""
    if guessed.encoding in ("utf-8", "utf-16"):
        return []
    odd = [name for name in guessed.names if not name.isascii()]
    shown = f", such as {', '.join(json.dumps(name, ensure_ascii=False) for name in odd[:3])}"
    return [
        f'encoding = "{guessed.encoding}" is a guess: the file is not UTF-8. Look at the columns '
        f"in the settings file{shown if odd else ''}: if letters are wrong, set another encoding "
        "(docs/settings.md lists them) before you name columns"
    ]


def _relative(source: str, config: Path) -> str:
    """The source as seen from the settings file's folder; unchanged if it lies elsewhere."""
    absolute, folder = Path(source).absolute(), config.absolute().parent
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)
