"""The command line: what each command does stands in the pipeline of its name.

Libraries are imported inside the commands, so that `patronage --help` answers at once.
"""

import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from patronage import __version__
from patronage.errors import GateError, MonitorAlarm, PatronageError, SettingsError

if TYPE_CHECKING:
    from patronage.config import Settings
    from patronage.pipelines.run import Finished
    from patronage.snapshot_settings import SnapshotSettings

app = typer.Typer(
    name="patronage",
    help="Which customers are about to leave, what each is worth, and whom to contact.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
log = logging.getLogger("patronage")
backtest = typer.Typer(help="Judge models by what came after a day of the past.")
app.add_typer(backtest, name="backtest", no_args_is_help=True)
Config = Annotated[
    Path, typer.Option("--config", "-c", help="The settings file; paths in it are relative to it.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"], help="The day of the run, in place of that in the settings."
    ),
]
SETTINGS_FILE = Path("patronage.toml")
Value = TypeVar("Value")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"patronage {__version__}")
        raise typer.Exit


@app.callback()
def options(
    json_log: Annotated[
        bool, typer.Option("--json-log", help="Log lines as JSON, for unattended jobs.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Take the options that hold for every command."""
    from patronage.pipelines.log import set_up_log

    set_up_log(as_json=json_log)


@app.command()
def init(
    source: Annotated[str, typer.Argument(help="Your transactions: CSV or Parquet file or glob.")],
    config: Config = SETTINGS_FILE,
) -> None:
    """Write a commented settings file for your tables."""
    from patronage.pipelines.init import write_settings_for

    print(write_settings_for(source, config))


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write the example.")],
) -> None:
    """Write the CDNOW example: transactions and settings."""
    from patronage.pipelines.demo import write_demo

    print(f"{write_demo(folder)} and the transactions it names are in place")


@app.command()
def check(
    config: Config = SETTINGS_FILE,
    write: Annotated[
        Path | None, typer.Option(help="Write the rows that would be quarantined to this folder.")
    ] = None,
) -> None:
    """Read every source against its contract and print what would be quarantined."""
    from patronage.config import load_settings
    from patronage.pipelines.check import check as check_sources

    print(check_sources(load_settings(config), write_to=write, run_at=datetime.now(UTC)))


@app.command()
def run(config: Config = SETTINGS_FILE, as_of: AsOf = None) -> None:
    """Do it all: check, features, train, gate, score, list and report."""
    from patronage.pipelines.run import run as run_all
    from patronage.pipelines.snapshot import run as run_snapshot

    if _is_snapshot(config):
        _finish(run_snapshot(_snapshot_settings(config, as_of), run_at=datetime.now(UTC)))
        return
    _finish(run_all(_settings(config, as_of), run_at=datetime.now(UTC)))


@app.command()
def train(config: Config = SETTINGS_FILE, as_of: AsOf = None) -> None:
    """Train and register a challenger, which becomes champion if it passes the gate."""
    from patronage.pipelines.run import train as train_only
    from patronage.pipelines.snapshot import train as train_snapshot

    if _is_snapshot(config):
        _finish(train_snapshot(_snapshot_settings(config, as_of), run_at=datetime.now(UTC)))
        return
    _finish(train_only(_settings(config, as_of), run_at=datetime.now(UTC)))


@app.command()
def score(config: Config = SETTINGS_FILE, as_of: AsOf = None) -> None:
    """Score every customer with the champion, without training."""
    from patronage.pipelines.run import score as score_only
    from patronage.pipelines.snapshot import score as score_snapshot

    if _is_snapshot(config):
        _finish(score_snapshot(_snapshot_settings(config, as_of), run_at=datetime.now(UTC)))
        return
    _finish(score_only(_settings(config, as_of), run_at=datetime.now(UTC)))


@app.command()
def promote(
    config: Config = SETTINGS_FILE,
    version: Annotated[
        int | None, typer.Option(min=1, help="Of the registered model; the challenger by default.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also one that did not pass the gate.")
    ] = False,
) -> None:
    """Make the challenger champion, and the champion previous_champion."""
    from patronage.pipelines.registry import promote_version
    from patronage.snapshot_settings import load_any_settings

    number = None if version is None else str(version)
    print(promote_version(load_any_settings(config), version=number, force=force))


@app.command()
def rollback(config: Config = SETTINGS_FILE) -> None:
    """Make the previous champion champion again; once more undoes it."""
    from patronage.pipelines.registry import roll_back_champion
    from patronage.snapshot_settings import load_any_settings

    print(roll_back_champion(load_any_settings(config)))


@app.command()
def report(config: Config = SETTINGS_FILE) -> None:
    """Make list and report anew from the latest scores, say after a change of costs."""
    from patronage.pipelines.run import report as report_only
    from patronage.pipelines.snapshot import report as report_snapshot

    if _is_snapshot(config):
        _finish(report_snapshot(_snapshot_settings(config, None), run_at=datetime.now(UTC)))
        return
    _finish(report_only(_settings(config, None), run_at=datetime.now(UTC)))


@app.command()
def monitor(config: Config = SETTINGS_FILE, as_of: AsOf = None) -> None:
    """Watch drift, volume and realised quality; exit code 5 when something calls for you."""
    from patronage.pipelines.monitor import monitor as watch

    if _is_snapshot(config):
        from patronage.pipelines.snapshot_monitor import monitor as watch_snapshot

        settings = _snapshot_settings(config, as_of)
        finished = watch_snapshot(settings, run_at=datetime.now(UTC))
    else:
        finished = watch(_settings(config, as_of), run_at=datetime.now(UTC))
    print(finished.summary)
    if finished.alarms:
        raise MonitorAlarm("\n".join(finished.alarms))


@app.command()
def panel(
    to: Annotated[Path, typer.Option(help="The folder to write; it must not exist.")],
    config: Config = SETTINGS_FILE,
    cutoffs: Annotated[
        str | None,
        typer.Option(help="monthly, weekly, 14 (days apart), or days: 2026-01-31,2026-02-28."),
    ] = None,
    horizons: Annotated[
        str | None, typer.Option(help="Days, a label for each: 30,60,90; [churn] by default.")
    ] = None,
    sample: Annotated[
        str, typer.Option(help="Share of the customers, such as 0.1, or so many of them.")
    ] = "1.0",
    seed: Annotated[int, typer.Option(min=0, max=2**53, help="Of the sample.")] = 0,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Also who is not eligible; without a label.")
    ] = False,
    as_of: AsOf = None,
) -> None:
    """Write features and labels of many days as Parquet, for models of your own."""
    from patronage.cutoff_setting import cutoff_setting, horizons_of, share_or_number
    from patronage.pipelines.panel import panel as write_panel

    print(
        write_panel(
            _settings(config, as_of),
            to=to.absolute(),
            run_at=datetime.now(UTC),
            cutoffs=None if cutoffs is None else _read("--cutoffs", cutoff_setting, cutoffs),
            horizons_days=() if horizons is None else _read("--horizons", horizons_of, horizons),
            sample=_read("--sample", share_or_number, sample),
            seed=seed,
            everyone=everyone,
        )
    )


@app.command()
def features(
    config: Config = SETTINGS_FILE,
    show: Annotated[bool, typer.Option("--list", help="Print the catalogue; the default.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Try your own features for leakage on your own data.")
    ] = False,
    family: Annotated[str | None, typer.Option(help="Of the catalogue, this family only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The catalogue as JSON.")] = False,
) -> None:
    """Print the catalogue of features, or check those of your own modules."""
    from patronage.config import load_settings
    from patronage.pipelines.features import check_features, features_listed

    known = config.exists() or config != SETTINGS_FILE
    if show or not check:
        settings = load_settings(config) if known else None
        print(features_listed(settings, family=family, as_json=as_json))
    if check:
        print(check_features(load_settings(config), run_at=datetime.now(UTC)))


@backtest.command("value")
def backtest_value(
    config: Config = SETTINGS_FILE,
    cutoff: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day the models do not know."),
    ] = None,
    horizon_days: Annotated[
        int | None, typer.Option(min=1, help="Days judged; [value] horizon_days by default.")
    ] = None,
) -> None:
    """Compare the value models, rules that need none, and lifetimes on your latest purchases."""
    from patronage.config import load_settings
    from patronage.pipelines.backtest import backtest_value as judge_value

    day = None if cutoff is None else cutoff.date()
    settings = load_settings(config)
    print(judge_value(settings, cutoff=day, horizon_days=horizon_days, run_at=datetime.now(UTC)))


@backtest.command("churn")
def backtest_churn(
    config: Config = SETTINGS_FILE,
    cutoffs: Annotated[
        str | None,
        typer.Option(
            help="How many past days to judge at (the newest; 12 by default), a rule (monthly, "
            "weekly), or days: 2026-01-31,2026-02-28."
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Of each search; [churn] trials by default.")
    ] = None,
) -> None:
    """Train the churn model anew at many past days and judge it, beside baselines, by what came."""
    from patronage.config import load_settings
    from patronage.pipelines.backtest_churn import Asked
    from patronage.pipelines.backtest_churn import backtest_churn as judge_churn

    asked = Asked() if cutoffs is None else _read("--cutoffs", Asked.of, cutoffs)
    settings = load_settings(config)
    print(judge_churn(settings, asked=asked, trials=trials, run_at=datetime.now(UTC)))


def _read(option: str, parse: Callable[[str], Value], text: str) -> Value:
    """The value of an option; what cannot be read is an error of usage."""
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{option} {text}: {error}") from error


def _settings(config: Path, as_of: datetime | None) -> "Settings":
    """The settings of the file, with the day given on the command line in place of its own."""
    from patronage.config import load_settings

    settings = load_settings(config)
    if as_of is None:
        return settings
    return settings.model_copy(
        update={"run": settings.run.model_copy(update={"as_of": as_of.date()})}
    )


def _is_snapshot(config: Path) -> bool:
    from patronage.snapshot_settings import is_snapshot

    return is_snapshot(config)


def _snapshot_settings(config: Path, as_of: datetime | None) -> "SnapshotSettings":
    """The settings of a snapshot, with the day given on the command line in place of its own."""
    from patronage.snapshot_settings import load_snapshot_settings

    settings = load_snapshot_settings(config)
    if as_of is None:
        return settings
    return settings.model_copy(
        update={"run": settings.run.model_copy(update={"as_of": as_of.date()})}
    )


def _finish(finished: "Finished") -> None:
    print(finished.summary)
    if finished.gate_passed is False:
        log.warning(
            "the challenger did not pass the gate and is not used; the champion, if any, stays"
        )
        raise typer.Exit(GateError.exit_code)


def main() -> None:
    """Run a command; an error that a user can cause is one message, never a traceback."""
    # Idle threads of LightGBM would otherwise spin: ten times slower on a machine that is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        app()
    except PatronageError as error:
        log.error("%s", error)
        sys.exit(error.exit_code)
    except OSError as error:  # a folder that is none, a disk that is full, a file kept from us
        where = error.filename or "the output or a folder for scratch files, TMPDIR"
        log.error("%s: %s", where, error.strerror or error)
        sys.exit(SettingsError.exit_code)
