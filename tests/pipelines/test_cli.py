"""The command line: errors a user can cause are one message and an exit code, never a traceback."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys

import pandas as pd
import pytest

from patronage.config import load_settings


def log_of(customers, days, amount="10.00"):
    """Each customer buys on each of so many days after 2024-01-01, ten days apart."""
    rows = [
        (f"c{number}", pd.Timestamp("2024-01-01") + pd.Timedelta(days=10 * day + number % 7))
        for number in range(customers)
        for day in range(days)
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "date"])
    return table.assign(date=table["date"].dt.strftime("%Y%m%d"), dollar_value=amount)


GOOD = log_of(customers=5, days=10).assign(number_of_cds=1)


def text(table):
    return table.to_csv(index=False)


def replaced(column, values):
    table = GOOD.copy()
    table[column] = table[column].astype(str)
    table.loc[: len(values) - 1, column] = values
    return text(table)


REFUSED = {
    "no such file": (None, r"source = 'data/cdnow.csv' matches no file"),
    "empty file": ("", "is empty: it has no header and no rows"),
    "header only": (text(GOOD.head(0)), "no row"),
    "column missing": (
        text(GOOD.rename(columns={"date": "day"})),
        r"(?s)has no column 'date' for timestamp.*\[transactions.columns\] timestamp = ",
    ),
    "header twice": (
        text(GOOD).replace("number_of_cds", "date", 1),
        "names 'date' more than once in its header",
    ),
    "dates that are none": (
        replaced("date", ["soon", "31/31/2024", "n/a"]),
        r"(?s)3 of 50.*timestamp.*soon",
    ),
    "text for amounts": (
        replaced("dollar_value", ["ten", "n/a", "x"]),
        r"(?s)3 of 50.*amount.*ten",
    ),
    "NaN for amounts": (replaced("dollar_value", ["NaN", "NaN"]), r"(?s)2 of 50.*amount"),
    "dates in the future": (replaced("date", ["22000101", "22000102"]), r"(?s)2 of 50.*future"),
    "a history too short": (
        text(GOOD[GOOD["customer_id"] == "c1"]),
        "the data cover 91 days, .* one cutoff needs 180: 90 of history",
    ),
    "one customer only": (
        text(log_of(customers=1, days=60).assign(number_of_cds=1)),
        "the churn model cannot learn: of [0-9]+ labelled rows, nobody churned",
    ),
    "forty customers who all come back": (
        text(log_of(customers=40, days=60).assign(number_of_cds=1)),
        "the churn model cannot learn: of [0-9]+ labelled rows, nobody churned",
    ),
}


@pytest.fixture
def project_of(tmp_path, finished):
    """A project whose transaction file holds this text; None: there is no file."""

    def write(content):
        (tmp_path / "patronage.toml").write_text(finished.read_text())
        (tmp_path / "data").mkdir()
        if content is not None:
            (tmp_path / "data" / "cdnow.csv").write_text(content)
        return tmp_path / "patronage.toml"

    return write


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_data_are_refused_with_one_message(project_of, patronage, capsys, content, message):
    config = project_of(content)
    assert patronage("run", "--config", config) == 3
    said = capsys.readouterr().err
    assert re.search(message, said), said
    assert said.count("error: ") == 1
    assert "Traceback" not in said
    outputs = config.parent / "outputs"
    left = {".lock", ".panels"}
    assert {path.name for path in outputs.iterdir()} <= left


def test_no_customer_with_a_second_purchase(project_of, patronage, capsys):
    once = log_of(customers=300, days=1)
    first = once["date"].astype(int)
    spread = pd.to_datetime(first.astype(str)) + pd.to_timedelta(range(300), unit="D")
    config = project_of(text(once.assign(date=spread.dt.strftime("%Y%m%d"), number_of_cds=1)))
    assert patronage("run", "--config", config) == 3
    assert "had anybody bought twice" in capsys.readouterr().err


def test_a_few_bad_rows_are_set_aside_and_counted(project, patronage, capsys):
    path = project.parent / "data" / "cdnow.csv"
    lines = path.read_text().splitlines()
    lines[5] = ",19970101,1,10.00"
    lines[7] = "00010,19970101,1,ten"
    path.write_text("\n".join(lines))
    assert patronage("score", "--config", project) == 0
    quarantine = project.parent / "outputs" / "latest" / "quarantine" / "transactions.csv"
    rows = pd.read_csv(quarantine, dtype=str)
    assert rows["row"].tolist() == ["5", "7"]
    assert rows["file"].tolist() == ["data/cdnow.csv"] * 2
    assert "customer_id is missing" in rows.loc[0, "reason"]
    assert "ten" in rows.loc[1, "reason"]
    said = f"2 rows in quarantine, 2 of transactions: {quarantine.parent.resolve()}\n"
    assert said in capsys.readouterr().out
    assert patronage("report", "--config", project) == 0
    assert said in capsys.readouterr().out


def test_check_prints_what_would_be_quarantined(project, patronage, capsys, tmp_path):
    path = project.parent / "data" / "cdnow.csv"
    path.write_text(path.read_text() + "00010,someday,1,10.00\n")
    assert patronage("check", "--config", project, "--write", tmp_path / "bad") == 0
    said = capsys.readouterr().out
    assert "someday" in said
    assert (tmp_path / "bad" / "transactions.csv").exists()


def test_settings_that_cannot_be_used(tmp_path, patronage, capsys):
    assert patronage("run", "--config", tmp_path / "patronage.toml") == 2
    assert "no settings file" in capsys.readouterr().err


def test_scores_before_any_model(project_of, patronage, capsys, every_tenth):
    config = project_of(every_tenth.to_csv(index=False))
    assert patronage("score", "--config", config) == 3
    assert "no champion model yet. Train one: patronage train" in capsys.readouterr().err
    assert patronage("report", "--config", config) == 3
    assert "no scores in" in capsys.readouterr().err


def test_as_of_before_the_data(project, patronage, capsys):
    assert patronage("score", "--config", project, "--as-of", "1990-01-01") == 3
    assert "as_of = 1990-01-01 is not after the first transaction" in capsys.readouterr().err


def test_as_of_so_late_that_nobody_is_active(project, patronage, capsys):
    assert patronage("run", "--config", project, "--as-of", "1999-07-01") == 3
    assert "365 days before as_of = 1999-07-01: nobody bought within" in capsys.readouterr().err


def with_setting(project, section, line):
    text = project.read_text()
    place = text.index(f"[{section}]") + len(section) + 2
    project.write_text(f"{text[:place]}\n{line}{text[place:]}")


ODD_FOLDERS = {
    "outputs on a file": ("run", 'outputs = "data/cdnow.csv"', 2, "data/cdnow.csv"),
    "outputs below a file": ("run", 'outputs = "data/cdnow.csv/out"', 2, "Not a directory"),
}


@pytest.mark.parametrize(
    ("section", "line", "code", "said"), ODD_FOLDERS.values(), ids=ODD_FOLDERS.keys()
)
def test_a_folder_that_is_none_is_one_message(
    project, patronage, capsys, section, line, code, said
):
    with_setting(project, section, line)
    assert patronage("score", "--config", project) == code
    assert said in capsys.readouterr().err


def test_a_tracking_folder_whose_name_no_address_can_hold(project_of, patronage, capsys):
    config = project_of("")
    config.write_text(config.read_text().replace('# folder = "mlruns"', 'folder = "a%20b"'))
    assert patronage("run", "--config", config) == 2
    assert "holds %, which a database's address cannot" in capsys.readouterr().err


def test_a_database_that_is_none(project_of, patronage, capsys):
    config = project_of("")
    (config.parent / "mlruns").mkdir()
    (config.parent / "mlruns" / "mlflow.db").write_text("junk" * 1000)
    assert patronage("run", "--config", config) == 3
    assert "mlflow.db cannot be used" in capsys.readouterr().err


def test_scores_that_somebody_has_spoilt(project, patronage, capsys):
    latest = (project.parent / "outputs" / "latest").resolve()
    (latest / "features.parquet").write_text("junk")
    assert patronage("report", "--config", project) == 3
    assert "Make them anew: patronage score" in capsys.readouterr().err
    (latest / "features.parquet").unlink()
    assert patronage("report", "--config", project) == 3
    assert "Make them anew: patronage score" in capsys.readouterr().err


def test_a_project_that_was_moved(finished, tmp_path, patronage, capsys):
    shutil.copytree(finished.parent, tmp_path / "moved", symlinks=True)
    booster = next((tmp_path / "moved" / "mlruns").rglob("booster.txt"))
    assert booster.exists()
    database = tmp_path / "moved" / "mlruns" / "mlflow.db"
    with sqlite3.connect(database) as connection:
        for table, column in (
            ("model_versions", "storage_location"),
            ("logged_models", "artifact_location"),
        ):
            connection.execute(
                f"update {table} set {column} = replace({column}, 'project', 'gone')"
            )
    assert patronage("score", "--config", tmp_path / "moved" / "patronage.toml") == 3
    assert "if the project's folder was moved, move it back" in capsys.readouterr().err


@pytest.fixture
def older(finished, tmp_path):
    """A project whose champion was written before the scorer knew of currencies."""
    shutil.copytree(finished.parent, tmp_path / "older", symlinks=True)
    database = tmp_path / "older" / "mlruns" / "mlflow.db"
    with sqlite3.connect(database) as connection:
        for table, column in (
            ("model_versions", "storage_location"),
            ("logged_models", "artifact_location"),
            ("experiments", "artifact_location"),
        ):
            connection.execute(
                f"update {table} set {column} = replace({column}, ?, ?)",
                (str(finished.parent), str(tmp_path / "older")),
            )
    for numbers in (tmp_path / "older" / "mlruns").rglob("patronage.json"):
        content = json.loads(numbers.read_text())
        del content["currency"]
        numbers.write_text(json.dumps(content))
    return tmp_path / "older" / "patronage.toml"


def test_a_champion_of_another_release_does_not_score(older, patronage, capsys):
    assert patronage("score", "--config", older) == 3
    said = capsys.readouterr().err
    assert "was written by another release of patronage, or is damaged" in said
    assert "(KeyError: 'currency'). Train anew: patronage run" in said
    assert "moved" not in said


def test_a_run_replaces_a_champion_of_another_release(older, patronage, capsys):
    assert patronage("run", "--config", older) == 0
    assert capsys.readouterr().err.count("the champion is not compared with: model version") == 1
    made = json.loads((older.parent / "outputs" / "latest" / "manifest.json").read_text())
    names = [one["other"] for one in made["training"]["gate"]["comparisons"]]
    assert names == ["p_no_purchase", "inactivity_rule"]
    assert made["model_version"] == made["training"]["version"]


def test_a_run_stops_where_neither_model_is_of_use(older, patronage, capsys, monkeypatch):
    monkeypatch.setattr("patronage.tracking.gate.Verdict.passed", property(lambda self: False))
    assert patronage("run", "--config", older) == 4
    assert "did not pass the gate, and there is no champion to use" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(patronage, capsys):
    assert patronage("run", "--confg", "x") == 2


def test_init_names_the_columns_it_recognises(tmp_path, patronage, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sales.csv").write_text(
        "Kunden-Nr;Kunde;Rechnungsdatum;Menge;Preis\n1;a;31.12.2024;2;1,50\n"
    )
    assert patronage("init", "sales.csv") == 0
    written = (tmp_path / "patronage.toml").read_text()
    assert 'source = "sales.csv"' in written
    assert 'timestamp = "Rechnungsdatum"' in written
    assert 'amount = "Menge * Preis"' in written
    assert "name the columns" not in capsys.readouterr().out
    with pytest.raises(ValueError, match="currency is missing and has no default"):
        load_settings(tmp_path / "patronage.toml")
    (tmp_path / "patronage.toml").write_text("mine")
    assert patronage("init", "sales.csv") == 2


def test_another_schema_needs_settings_only(tmp_path, patronage, every_tenth):
    """Other names, day-first dates, semicolons and decimal commas."""
    table = pd.DataFrame(
        {
            "Kunde": every_tenth["customer_id"],
            "Kaufdatum": pd.to_datetime(every_tenth["date"]).dt.strftime("%d.%m.%Y"),
            "Betrag": every_tenth["dollar_value"].str.replace(".", ",", regex=False),
        }
    )
    table.to_csv(tmp_path / "käufe.csv", sep=";", index=False, encoding="latin-1")
    (tmp_path / "patronage.toml").write_text(
        """
        [ledger]
        currency = "EUR"
        [transactions]
        source = "käufe.csv"
        decimal = ","
        encoding = "latin-1"
        date_format = "%d.%m.%Y"
        columns = { customer_id = "Kunde", timestamp = "Kaufdatum", amount = "Betrag" }
        [features]
        active_days = 365
        [churn]
        horizon_days = 60
        lead_days = 7
        trials = 1
        [value]
        horizon_days = 180
        margin = 0.4
        annual_discount_rate = 0.1
        [retention]
        budget = 50
        [[retention.actions]]
        name = "mail"
        contact_cost = 0.1
        offer_cost = 2
        accept_rate = 0.1
        """
    )
    assert patronage("run", "--config", tmp_path / "patronage.toml") in (0, 4)
    customers = pd.read_parquet(tmp_path / "outputs" / "latest" / "customers.parquet")
    assert len(customers) == every_tenth["customer_id"].nunique()


def imported_by(code):
    lines = f"import sys\n{code}\nprint(*sorted(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-W", "error", "-c", lines], capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


def test_every_line_of_a_json_log_is_json(project, patronage, capsys):
    path = project.parent / "data" / "cdnow.csv"
    assert patronage("--json-log", "score", "--config", project) == 0
    path.write_text("")
    assert patronage("--json-log", "score", "--config", project) == 3
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["levelname"] for line in lines[:-1]} == {"INFO"}
    assert "score ..." in [line["message"] for line in lines]
    assert lines[-1]["levelname"] == "ERROR"
    assert "is empty" in lines[-1]["message"]


def test_help_waits_for_no_library():
    heavy = {"mlflow", "pandas", "numpy", "lightgbm", "optuna", "duckdb", "sklearn", "matplotlib"}
    assert heavy & imported_by("import patronage.pipelines.cli") == set()


def test_import_does_nothing():
    assert "patronage.errors" not in imported_by("import patronage")
