"""Customer value and churn, from transactions to an at-risk list."""

__version__ = "0.1.0"
