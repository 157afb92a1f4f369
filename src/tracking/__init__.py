"""MLflow: runs, registered model, gate."""
