"""The registered model's code: MLflow copies this file into each version and runs it on loading."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from patronage.models.scorer import CustomerScorer


class PatronageModel(PythonModel):
    """Scores customers from their features; see `CustomerScorer.score` for the columns."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the JSON numbers and the text of each booster."""
        files = {role: Path(path) for role, path in context.artifacts.items()}
        self.scorer = CustomerScorer.load(**files)

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Scores on the index of `model_input`."""
        return self.scorer.score(model_input)


set_model(PatronageModel())
