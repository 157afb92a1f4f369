import tomllib
from datetime import date

import pytest

from patronage.config import EngineSection, load_settings
from patronage.errors import SettingsError
from patronage.pipelines.demo import SETTINGS
from patronage.pipelines.settings_file import settings_text

DEMO = settings_text(SETTINGS)


def settings_with(tmp_path, old="", new=""):
    assert old in DEMO
    path = tmp_path / "patronage.toml"
    path.write_text(DEMO.replace(old, new, 1))
    return load_settings(path)


def test_the_demo_settings_are_read(tmp_path):
    settings = settings_with(tmp_path)
    assert settings.ledger.currency == "USD"
    assert settings.run.as_of == "latest"
    assert settings.retention.actions[0].redeem_rate == 0.6


def test_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    settings = settings_with(tmp_path)
    monkeypatch.chdir("/")
    assert settings.path(settings.tracking.folder) == tmp_path / "mlruns"


def test_a_day_can_be_given(tmp_path):
    settings = settings_with(tmp_path, "# as_of = 2026-01-31", "as_of = 1998-06-01")
    assert settings.run.as_of == date(1998, 6, 1)


FAULTS = {
    "unknown key, near a known one": (
        'currency = "USD"',
        'curency = "USD"',
        r"\[ledger\] curency is not known. Did you mean currency\?",
    ),
    "unknown section": (
        "[value]",
        "[worth]",
        r"\[worth\] is not known. Known: churn, customers, engine, events, features",
    ),
    "unknown nested key": (
        'customer_id = "customer_id"',
        'customer = "x"',
        r"\[transactions.columns\] customer is not known. Did you mean customer_id\?",
    ),
    "missing money": ("budget = 500.0", "", r"\[retention\] budget is missing and has no default"),
    "missing in a list": (
        "accept_rate = 0.15",
        "",
        r"\[retention.actions\] accept_rate is missing and has no default",
    ),
    "impossible share": (
        "accept_rate = 0.15",
        "accept_rate = 15",
        r"\[retention.actions\] accept_rate = 15: .*less than or equal to 1",
    ),
    "negative money": ("budget = 500.0", "budget = -1", r"\[retention\] budget = -1: .*than or"),
    "no horizon": ("horizon_days = 90", "horizon_days = 0", r"\[churn\] horizon_days = 0: .*than"),
    "word for number": ("margin = 0.3", 'margin = "a"', r"\[value\] margin = 'a': .*number"),
    "flag for a share": (
        "[ledger]",
        "[ledger]\nmax_bad_share = true",
        r"\[ledger\] max_bad_share = True: .*valid number",
    ),
    "text for a whole number": (
        "active_days = 365",
        'active_days = "365"',
        r"\[features\] active_days = '365': .*valid integer",
    ),
    "text for a flag": (
        "[ledger]",
        '[ledger]\ndrop_duplicates = "yes"',
        r"\[ledger\] drop_duplicates = 'yes': .*valid boolean",
    ),
    "flag for money": ("margin = 0.3", "margin = true", r"\[value\] margin = True: .*number"),
    "no day of the run": (
        "[run]",
        '[run]\nas_of = "foo"',
        r"cannot be used:\n  \[run\] as_of = 'foo': is no day; give one such as [^\n]*$",
    ),
    "a moment as day of the run": (
        "[run]",
        "[run]\nas_of = 2026-01-31T10:00:00",
        r"\[run\] as_of = datetime.*: is no day",
    ),
    "delimiter that ends lines": (
        "[transactions]",
        '[transactions]\ndelimiter = "\\n"',
        r"\[transactions\] delimiter = .*: cannot part columns: it ends lines or quotes",
    ),
    "zone": ('# timezone = "UTC"', 'timezone = "Mars"', r"timezone = 'Mars': is no IANA time zone"),
    "currency": (
        '"USD"',
        '"dollar"',
        r"\[ledger\] currency = 'dollar': is no ISO 4217 code of three capital letters",
    ),
    "lead longer than activity": (
        "lead_days = 0",
        "lead_days = 365",
        r"\[churn\] lead_days = 365 must be shorter than \[features\] active_days = 365",
    ),
    "no rule for cutoffs": (
        "[churn]",
        "[churn]\ncutoffs = 0",
        r"\[churn\] cutoffs = 0: is no rule for cutoffs; give .monthly., .weekly., a number",
    ),
    "no day among the cutoffs": (
        "[churn]",
        '[churn]\ncutoffs = ["2026-01-31", "31.2.2026"]',
        r"\[churn\] cutoffs = .*: has '31.2.2026', which is no day",
    ),
    "no TOML": ("[ledger]", "[ledger", "is no valid TOML"),
    "folder is ours": ("\n[ledger]", '\nfolder = "x"\n[ledger]', "folder is not a setting"),
    "same action twice": (
        "[run]",
        '[[retention.actions]]\nname = "5 dollar voucher by mail"\ncontact_cost = 1\n'
        "offer_cost = 1\naccept_rate = 0.1\n[run]",
        "two actions named 5 dollar voucher by mail; give each its own name",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_faults_are_named_with_section_key_and_value(tmp_path, old, new, message):
    with pytest.raises(SettingsError, match=message):
        settings_with(tmp_path, old, new)


RULES = {
    '"weekly"': "weekly",
    "14": 14,
    '["2026-02-28", 2026-01-31]': (date(2026, 1, 31), date(2026, 2, 28)),
}


@pytest.mark.parametrize(("text", "rule"), RULES.items(), ids=RULES.keys())
def test_cutoffs_are_a_rule_or_days(tmp_path, text, rule):
    settings = settings_with(tmp_path, "[churn]", f"[churn]\ncutoffs = {text}")
    assert settings.churn.cutoffs == rule


def test_all_faults_are_told_at_once(tmp_path):
    path = tmp_path / "patronage.toml"
    path.write_text("[ledger]\n[features]\nactive_days = -1\n")
    with pytest.raises(SettingsError, match=r"(?s)currency is missing.*active_days = -1") as told:
        load_settings(path)
    assert str(told.value).count("\n") == 6


def test_a_missing_file_says_how_to_write_one(tmp_path):
    with pytest.raises(SettingsError, match=r"no settings file .*patronage init"):
        load_settings(tmp_path / "patronage.toml")


def test_every_setting_that_the_template_shows_exists(tmp_path):
    """Each commented-out default can be switched on as it stands."""
    lines = [
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line
        for line in DEMO.splitlines()
    ]
    text = "\n".join(line for line in lines if line != "#" and not line.startswith("# "))
    assert len(tomllib.loads(text)) == 14
    (tmp_path / "patronage.toml").write_text(text)
    settings = load_settings(tmp_path / "patronage.toml")
    assert settings.transactions.encoding == "cp1252"
    assert [section.table for section in settings.tables] == [
        *("transactions", "customers", "events", "surveys", "subscriptions", "outcomes")
    ]


def test_an_unknown_key_of_an_optional_table_names_the_nearest(tmp_path):
    added = '[subscriptions]\nsource = "s.csv"\nend_know = "at_end"\n[features]'
    message = r"\[subscriptions\] end_know is not known. Did you mean end_known\?"
    with pytest.raises(SettingsError, match=message):
        settings_with(tmp_path, "[features]", added)


MORE = "# more_horizons_days = []"
HORIZONS_THAT_CANNOT_BE = {
    "the main one": ("[30, 90]", r"more_horizons_days has 90, which is horizon_days"),
    "one twice": ("[60, 30, 60]", r"more_horizons_days .*names 60 twice; name each horizon once"),
    "too many": ("[1, 2, 3, 4, 5, 6]", "more_horizons_days .*at most 5 items"),
    "none": ("[0]", "more_horizons_days .*greater than 0"),
    "a contract's": ('[30]\nlabel = "subscriptions"', r"= \[30\] goes with label = \"purchases\""),
}


@pytest.mark.parametrize(
    ("value", "said"), HORIZONS_THAT_CANNOT_BE.values(), ids=HORIZONS_THAT_CANNOT_BE.keys()
)
def test_further_horizons_that_cannot_be_are_refused(tmp_path, value, said):
    with pytest.raises(SettingsError, match=said):
        settings_with(tmp_path, MORE, f"more_horizons_days = {value}")


def test_further_horizons_are_put_in_order(tmp_path):
    settings = settings_with(tmp_path, MORE, "more_horizons_days = [60, 180, 30]")
    assert settings.churn.more_horizons_days == [30, 60, 180]


def test_a_secret_among_sparks_options_is_refused_unseen():
    options = {"spark.hadoop.fs.s3a.secret.key": "hunter2"}
    with pytest.raises(ValueError, match="fs.s3a.secret.key looks like a secret") as raised:
        EngineSection(name="spark", spark_options=options)
    assert "hunter2" not in str(raised.value)
