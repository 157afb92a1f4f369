"""`patronage init`: a commented settings file that names what the header of a table shows."""

from pathlib import Path

from patronage.data.guessing import guess_columns
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
    columns, amount = guess_columns(source, Path())
    named: dict[str, Value] = {
        f"transactions.columns.{name}": column for name, column in columns.items()
    }
    values: dict[str, Value] = {"transactions.source": _relative(source, config), **named}
    if amount is not None:
        values["transactions.amount"] = amount
    write_settings_file(config, values)
    missing = [name for name in ("customer_id", "timestamp") if name not in columns]
    missing += ["amount"] if "amount" not in columns and amount is None else []
    name_them = f"\nname the columns for {', '.join(missing)}" if missing else ""
    return (
        f"wrote {config}{name_them}\nfill in the lines marked required, then: "
        f"patronage check --config {config}"
    )


def _relative(source: str, config: Path) -> str:
    """The source as seen from the settings file's folder; unchanged if it lies elsewhere."""
    absolute, folder = Path(source).absolute(), config.absolute().parent
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)
