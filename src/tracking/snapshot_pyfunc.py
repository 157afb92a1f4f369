"""The registered model's code for a snapshot: MLflow copies this file into each version."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from patronage.models.snapshot_scorer import SnapshotScorer


class SnapshotModel(PythonModel):
    """Scores rows of a snapshot; see `SnapshotScorer.score` for the columns."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the JSON numbers and the booster's text."""
        self.scorer = SnapshotScorer.load(
            numbers=Path(context.artifacts["numbers"]), booster=Path(context.artifacts["booster"])
        )

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Scores on the index of `model_input`."""
        return self.scorer.score(model_input)


set_model(SnapshotModel())
