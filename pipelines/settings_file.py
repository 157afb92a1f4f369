"""Writing a commented settings file, empty for `init` and filled for `demo`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from pydantic.fields import FieldInfo

from patronage import churn_settings, config, snapshot_settings, table_settings
from patronage.errors import SettingsError
from patronage.table_settings import Section

Value = str | int | float
FILE_NAME = "patronage.toml"
SECTIONS: dict[str, type[Section]] = {
    "[ledger]": config.LedgerSection,
    "[transactions]": table_settings.TransactionsSection,
    "[transactions.columns]": table_settings.TransactionColumns,
    "[customers]": table_settings.CustomersSection,
    "[customers.columns]": table_settings.CustomerColumns,
    "[events]": table_settings.EventsSection,
    "[events.columns]": table_settings.EventColumns,
    "[surveys]": table_settings.SurveysSection,
    "[surveys.columns]": table_settings.SurveyColumns,
    "[subscriptions]": table_settings.SubscriptionsSection,
    "[subscriptions.columns]": table_settings.SubscriptionColumns,
    "[outcomes]": table_settings.OutcomesSection,
    "[outcomes.columns]": table_settings.OutcomeColumns,
    "[features]": config.FeaturesSection,
    "[churn]": churn_settings.ChurnSection,
    "[value]": config.ValueSection,
    "[retention]": config.RetentionSection,
    "[[retention.actions]]": config.Action,
    "[run]": config.RunSection,
    "[tracking]": config.TrackingSection,
    "[monitor]": config.MonitorSection,
    "[engine]": config.EngineSection,
    "[snapshot]": snapshot_settings.SnapshotSection,
    "[[snapshot.joins]]": snapshot_settings.SnapshotJoin,
    '[churn] with label = "snapshot"': snapshot_settings.SnapshotChurnSection,
}


def write_settings_file(
    path: Path,
    values: Mapping[str, Value],
    *,
    notes: Mapping[str, str] | None = None,
    columns: Sequence[str] = (),
) -> Path:
    """Write the commented settings with `values` filled in; a different file is never overwritten.

    Parameters as for `settings_text`.

    Raises
    ------
    SettingsError
        If `path` exists and holds something else.
    """
    text = settings_text(values, notes=notes, columns=columns)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise SettingsError(
            f"{path} exists and differs from what would be written. Move it away first, or name "
            "another file: --config FILE"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def settings_text(
    values: Mapping[str, Value],
    *,
    notes: Mapping[str, str] | None = None,
    columns: Sequence[str] = (),
) -> str:
    """The commented settings as TOML.

    Parameters
    ----------
    values
        By section and key, such as "ledger.currency"; other lines are commented out.
    notes
        Comments in place of the usual ones, by section and key.
    columns
        Columns of the source, for a comment that lists them.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("patronage.pipelines", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.get_template("settings.toml.j2").render(
        values=values, notes=notes or {}, columns=columns
    )


def settings_markdown() -> str:
    """Every setting with its default and meaning, as docs/settings.md prints it."""
    head = (
        "# The settings\n\nOne TOML file; paths in it are relative to it; unknown keys and "
        "impossible values are refused.\n`patronage init` writes a commented file.\n"
    )
    return head + "".join(_section_markdown(name, model) for name, model in SECTIONS.items())


def _section_markdown(name: str, model: type[Section]) -> str:
    rows = (
        f"| {key} | {_default(field)} | {' '.join((field.description or '').split())} |\n"
        for key, field in model.model_fields.items()
    )
    title = f"\n## {name}\n\n{(model.__doc__ or '').strip()}\n\n"
    return f"{title}| key | default | meaning |\n| --- | --- | --- |\n{''.join(rows)}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if isinstance(field.default, Section) or field.default in (None, "", [], {}):
        return ""
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    shown = field.default if isinstance(field.default, int | float) else f'"{field.default}"'
    return f"`{shown}`"
