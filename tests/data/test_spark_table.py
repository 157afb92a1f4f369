"""What Spark reads, refuses and collapses is what DuckDB does, row for row."""

from datetime import date, datetime

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from odd_tables import COLUMNS, TYPED, assert_same, texts, typed

from patronage.config import EngineSection
from patronage.data import read_ledger
from patronage.errors import DataError, SettingsError
from patronage.features import customer_days, rfm_summary
from patronage.features.rfm_groups import purchase_histories, rfm_groups

READ_AT = datetime(2026, 1, 1)


@pytest.fixture
def both(tmp_path, settings_at, spark_engine):
    """Read the files that are there by DuckDB and on Spark; the two ledgers."""
    opened = []

    def read(**options):
        settings = settings_at(tmp_path, max_bad_share=1, **options)
        for engine in (EngineSection(), spark_engine):
            chosen = settings.model_copy(update={"engine": engine})
            opened.append(read_ledger(chosen, read_at=READ_AT, work_folder=tmp_path))
        return opened

    yield read
    for ledger in opened:
        ledger.close()


def test_parquet_texts_are_read_alike_with_their_files_and_rows(both, tmp_path):
    table = texts()
    pq.write_table(table.slice(0, 350), tmp_path / "a.parquet")
    pq.write_table(table.slice(350), tmp_path / "b c.parquet")
    ledgers = both(
        source="*.parquet",
        columns=COLUMNS,
        timezone="Europe/Berlin",
        where="\"group\" <> 'POST' OR units > 3",
        amount="net * coalesce(units, 1)",
    )
    assert_same(ledgers, tmp_path)
    assert [r.file for r in ledgers[1].reasons] == [r.file for r in ledgers[0].reasons]


def test_typed_parquet_is_read_alike(both, tmp_path):
    pq.write_table(typed(), tmp_path / "orders.parquet")
    ledgers = both(source="orders.parquet", columns=TYPED, timezone="America/New_York")
    assert_same(ledgers, tmp_path)


def test_csv_is_read_alike_with_lines_of_another_shape(both, tmp_path):
    table = texts(200)
    pa_csv.write_csv(table.slice(0, 100), tmp_path / "a.csv")
    pa_csv.write_csv(table.slice(100), tmp_path / "b.csv")
    with (tmp_path / "b.csv").open("a") as file:
        file.write('1,2\n"x","y","1","2","0","3","4","5","6"\nlast,2024-01-01,5,1,0,1,p1,a\n')
    ledgers = both(source="*.csv", columns=COLUMNS)
    assert_same(ledgers, tmp_path)
    assert ledgers[1].counts.reasons["line has too few fields"] == 1
    as_of = date(2025, 3, 1)
    days = customer_days(ledgers[1].transactions)
    groups = rfm_groups(purchase_histories(days, as_of=as_of), as_of=as_of)
    each = rfm_summary(ledgers[0].collect(customer_days), as_of=as_of)
    counted = each.groupby(["T", "recency", "frequency"]).size()
    assert groups["weights"].tolist() == counted.tolist()
    assert groups["T"].tolist() == counted.index.get_level_values("T").tolist()


def test_a_column_that_is_not_there_is_named(both, tmp_path):
    pq.write_table(texts(5), tmp_path / "orders.parquet")
    with pytest.raises(DataError, match="has no column 'customer_id'"):
        both(source="orders.parquet")


def test_a_file_that_spark_cannot_read_is_said(tmp_path, settings_at, spark_engine):
    (tmp_path / "orders.parquet").write_bytes(b"PAR1 and no more PAR1")
    settings = settings_at(tmp_path, source="orders.parquet")
    with pytest.raises(DataError, match=r"orders\.parquet.* cannot be read on Spark"):
        read_ledger(settings.model_copy(update={"engine": spark_engine}), read_at=READ_AT)


def test_an_option_that_results_hang_on_is_refused(settings_at, tmp_path):
    pq.write_table(texts(5), tmp_path / "orders.parquet")
    options = {"spark.sql.session.timeZone": "Europe/Berlin"}
    engine = EngineSection(name="spark", spark_options=options)
    settings = settings_at(tmp_path, source="orders.parquet").model_copy(update={"engine": engine})
    with pytest.raises(SettingsError, match=r"spark.sql.session.timeZone cannot be set: .* UTC"):
        read_ledger(settings, read_at=READ_AT)
