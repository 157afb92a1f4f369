import importlib
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from patronage.features import CustomerTables, customer_tables, digests
from patronage.features.digests import code_digest, own_code, tables_digest


@pytest.fixture(scope="module")
def tables(ledger_of_all_tables):
    return made(ledger_of_all_tables(5))


def made(ledger, **changed):
    ledger = {**ledger, **changed}
    return customer_tables(ledger.pop("transactions"), **ledger)


def test_the_same_data_have_the_same_digest(tables, ledger_of_all_tables):
    assert tables_digest(made(ledger_of_all_tables(5))) == tables_digest(tables)


def test_other_data_have_another(tables, ledger_of_all_tables):
    ledger = ledger_of_all_tables(5)
    others = [made(ledger, **{name: table.head(-1)}) for name, table in ledger.items()]
    others.append(made(ledger_of_all_tables(6)))
    found = {tables_digest(other) for other in [tables, *others]}
    assert len(found) == len(others) + 1


def changes(tables):
    days = tables.days
    spend = days.measures["spend"].copy()
    spend[3] = np.nextafter(spend[3], np.inf)
    yield replace(tables, end_known="at_start")
    yield replace(tables, surveys=None)
    yield replace(tables, days=replace(days, measures=days.measures | {"spend": spend}))
    yield replace(tables, days=replace(days, first_day=days.first_day - 1))
    yield replace(tables, days=replace(days, customer_ids=days.customer_ids + "x"))
    kinds = tables.events.texts["kind"]
    renamed = replace(kinds, values=(*kinds.values[:-1], "zzz"))
    yield replace(tables, events=replace(tables.events, texts={"kind": renamed}))
    yield CustomerTables(days)


def test_every_value_counts_to_the_last_bit(tables):
    found = [tables_digest(changed) for changed in [tables, *changes(tables)]]
    assert len(set(found)) == len(found) == 8


def test_a_chunk_is_digested_as_the_same_customers_alone(tables):
    (first, *_) = tables.chunks(3)
    alone = replace(first, days=replace(first.days, day=first.days.day.copy()))
    assert tables_digest(first) == tables_digest(alone) != tables_digest(tables)


def test_the_code_has_a_digest_that_changes_with_any_file(tmp_path, monkeypatch):
    (tmp_path / "features" / "deep").mkdir(parents=True)
    for name in ("__init__.py", "features/rfm.py", "features/deep/more.py"):
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(digests.patronage, "__file__", str(tmp_path / "__init__.py"))
    found = [code_digest()]
    assert found == [code_digest()]
    for name in ("__init__.py", "features/rfm.py", "features/deep/more.py", "features/new.py"):
        (tmp_path / name).write_text("x = 2\n")
        found.append(code_digest())
    monkeypatch.setattr(digests.patronage, "__version__", "99")
    assert len({*found, code_digest()}) == 6


def test_code_of_the_user_counts_with_all_that_it_imports(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source, helper = tmp_path / "own.py", tmp_path / "helper_of_own_features.py"
    source.write_text("x = 1\n")
    helper.write_text("y = 1\n")
    feature = SimpleNamespace(name="on_mondays", source=str(source), digest="a")
    importlib.import_module("helper_of_own_features")
    found = [own_code([feature])]
    assert found == [own_code([feature])]
    helper.write_text("y = 2\n")
    found.append(own_code([feature]))
    source.write_text("x = 2\n")
    found.append(own_code([feature]))
    found.append(own_code([SimpleNamespace(name="other", source=str(source), digest="a")]))
    assert len({tuple(one) for one in found}) == 4
    named = {name for name, _ in found[0]}
    assert {"own.py", "helper_of_own_features.py"} <= named
    assert not {"rfm.py", "json.py", "decoder.py"} & named
    del sys.modules["helper_of_own_features"]


def test_without_features_of_the_user_no_code_of_his_counts():
    assert own_code([]) == []
