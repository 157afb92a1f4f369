import logging
from dataclasses import replace
from datetime import date

import narwhals as nw
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from patronage.features import ChurnLabels, customer_tables, digests, feature, panel_store
from patronage.features.own_modules import own_features
from patronage.features.own_tables import with_features
from patronage.features.panel_cache import PanelCache
from patronage.features.panel_store import stored_panel

CUTOFFS = [date(2026, 9, 1), date(2026, 3, 1)]
LABELS = ChurnLabels(horizons_days=(30,), lead_days=5, data_end=date(2026, 11, 1))
RULE = {"cutoffs": CUTOFFS, "active_days": 60, "eligible_only": True, "labels": LABELS}


@pytest.fixture(scope="module")
def tables(ledger_of_all_tables):
    ledger = ledger_of_all_tables(11)
    return customer_tables(ledger.pop("transactions"), **ledger)


@pytest.fixture
def cache(tmp_path):
    return PanelCache(tmp_path / "cache", keep=20)


@pytest.fixture
def written(monkeypatch):
    """What is written is counted."""
    calls, write = [], panel_store.write_panel

    def counted(*arguments, **options):
        calls.append(options)
        return write(*arguments, **options)

    monkeypatch.setattr(panel_store, "write_panel", counted)
    return calls


def test_the_second_time_it_is_read_and_the_same_to_the_last_bit(tables, cache, written, caplog):
    first = stored_panel(tables, cache, **RULE)
    with caplog.at_level(logging.INFO):
        second = stored_panel(tables, cache, **{**RULE, "cutoffs": CUTOFFS[::-1]})
    assert len(written) == 1
    assert "read from the cache" in caplog.text
    assert_frame_equal(first, second, check_exact=True)


CHANGES = {
    "cutoffs": {"cutoffs": CUTOFFS[:1]},
    "who is eligible": {"active_days": 61},
    "who is in it": {"eligible_only": False},
    "no labels": {"labels": None},
    "horizon": {"labels": replace(LABELS, horizons_days=(31,))},
    "lead": {"labels": replace(LABELS, lead_days=4)},
    "end of the data": {"labels": replace(LABELS, data_end=date(2026, 10, 31))},
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES.keys())
def test_another_setting_makes_it_anew(tables, cache, written, changed):
    stored_panel(tables, cache, **RULE)
    stored_panel(tables, cache, **{**RULE, **changed})
    assert len(written) == 2


def test_other_data_make_it_anew(tables, cache, written):
    stored_panel(tables, cache, **RULE)
    stored_panel(tables.sample(5, seed=0), cache, **RULE)
    stored_panel(replace(tables, end_known="at_start"), cache, **RULE)
    assert len(written) == 3


def test_other_code_makes_it_anew(tables, cache, written, monkeypatch):
    stored_panel(tables, cache, **RULE)
    monkeypatch.setattr(digests.patronage, "__version__", "99")
    stored_panel(tables, cache, **RULE)
    assert len(written) == 2


def test_own_code_makes_it_anew(tables, cache, written, tmp_path):
    def with_module(text):
        (tmp_path / "own.py").write_text(f"from patronage.features import feature\n{text}")
        return with_features(tables, own_features(["own.py"], folder=tmp_path))

    day = '@feature(meaning="Day.", unit="days")\ndef day(grid):\n    return grid.away + '
    for text in (day + "1.0\n", day + "2.0\n", day + "1.0\n"):
        panel = stored_panel(with_module(text), cache, **RULE)
        assert (panel["day"] - panel["days_since_last"]).unique() == [float(text[-4:])]
    assert len(written) == 2


def test_what_own_expressions_give_is_part_of_the_data(ledger_of_all_tables, cache, written):
    @feature(table="events", meaning="Largest value.", unit="number", null="without one")
    def largest_value():
        return nw.col("value").max()

    events = ledger_of_all_tables(11)["events"]
    for table in (events, events.with_columns(value=pl.col("value") + 1)):
        made = customer_tables(ledger_of_all_tables(11)["transactions"], events=table)
        made = with_features(made, [largest_value])
        stored_panel(replace(made, events=None), cache, **RULE)
    assert len(written) == 2
