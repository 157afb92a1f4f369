"""Value and churn models, one estimator per file."""
