"""What MLflow keeps of the rows of one cutoff: name, columns, size, a fingerprint, and no row."""

import pandas as pd
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.types import ColSpec, Schema
from pandas.util import hash_pandas_object


class PanelDataset(MetaDataset):
    """The labelled rows of one cutoff."""

    def __init__(self, rows: pd.DataFrame) -> None:
        columns = rows.select_dtypes(["number", "category"])
        cutoff = str(rows["as_of"].iloc[0].date())
        self.rows = len(rows)
        super().__init__(
            CodeDatasetSource({"as_of": cutoff}),
            name=f"panel {cutoff}",
            digest=f"{int(hash_pandas_object(columns, index=False).sum()):016x}",
            schema=Schema([_spec(columns[name]) for name in columns]),
        )

    @property
    def profile(self) -> dict[str, int]:
        """Number of rows."""
        return {"num_rows": self.rows}


def _spec(column: pd.Series) -> ColSpec:
    kind = "string" if column.dtype == "category" else "double"
    return ColSpec(kind, str(column.name), required=False)
