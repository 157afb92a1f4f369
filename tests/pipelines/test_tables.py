"""Optional tables in the commands: read, checked, counted, profiled; none of them is needed."""

import json

import pytest

EVENTS = """
[events]
source = "events.csv"
columns = { customer_id = "id", timestamp = "at" }
"""


@pytest.fixture
def with_events(project):
    """The finished project with a table of events, the text of which is given."""

    def add(text):
        (project.parent / "events.csv").write_text(text)
        project.write_text(project.read_text() + EVENTS)
        return project

    return add


def events(*bad):
    good = [f"00010,1997-02-{day:02d},visit" for day in range(1, 28)] * 5
    return "\n".join(["id,at,kind", *good, "nobody,1997-03-01,complaint", *bad]) + "\n"


def test_a_run_counts_profiles_and_reports_every_table(with_events, patronage, capsys):
    config = with_events(events(",1997-02-01,visit"))
    assert patronage("score", "--config", config) == 0
    latest = config.parent / "outputs" / "latest"
    manifest = json.loads((latest / "manifest.json").read_text())
    counts = manifest["counts"]["events"]
    assert (counts["rows_kept"], counts["rows_quarantined"]) == (136, 1)
    assert manifest["tables"]["events"]["unknown_customers"] == 1
    assert manifest["tables_missing"] == ["customers", "surveys", "subscriptions", "outcomes"]
    assert any(text.startswith("events: 1 of 2 customers") for text in manifest["to_look_at"])
    assert (latest / "quarantine" / "events.csv").exists()
    assert not (latest / "quarantine" / "transactions.csv").exists()
    said = capsys.readouterr()
    assert "events: 136 rows of 2 customers" in said.err
    assert "1 row in quarantine, 1 of events: " in said.out
    assert patronage("report", "--config", config) == 0
    page = (latest / "report.html").read_text()
    assert "136 rows of 2 customers, 1997-02-01 to 1997-03-01." in page
    assert "complaint (0.7%)" in page


def test_a_table_with_too_many_bad_rows_stops_the_run_by_its_name(with_events, patronage, capsys):
    config = with_events(events(*[",1997-02-01,visit"] * 9))
    assert patronage("score", "--config", config) == 3
    said = capsys.readouterr().err
    assert "9 of 145 rows of events (6.2%) break the contract" in said
    assert patronage("check", "--config", config, "--write", config.parent / "bad") == 3
    said = capsys.readouterr()
    assert "not configured: customers, surveys, subscriptions, outcomes" in said.out
    assert str(config.parent / "bad" / "events.csv") in said.err


def test_a_table_that_is_named_but_missing_is_refused(with_events, patronage, capsys):
    config = with_events(events())
    (config.parent / "events.csv").unlink()
    assert patronage("check", "--config", config) == 3
    assert "[events] source = 'events.csv' matches no file" in capsys.readouterr().err
