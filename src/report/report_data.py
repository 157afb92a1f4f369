"""What the page is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from patronage.report.alive_chart import ProbabilityAlive
from patronage.report.label_words import LabelWords


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything the page shows, as plain tables and numbers.

    Attributes
    ----------
    at_risk
        As made by `patronage.retention.at_risk_list`, or without what a policy decides: customers
        by `p_churn`, highest first, with their reasons.
    customers
        One row per customer: `eligible`, `p_churn`, and where it is known `value_at_risk`.
    metrics
        `test`: `as_of`, `n`, `churn_rate` and `models`, a mapping of each score's name to its
        metrics; a metric is None where the score is no probability; `money`, where the scores were
        judged in money (`judged_money`). `value_models`, where it is
        known: how the models of purchases compared (`PurchaseChoice.to_dict`).
    manifest
        Of the run: `run_id`, `as_of`, `model_version`, `currency`, `counts`, `settings`,
        `versions`; the last three may be nested and are shown as they are.
    evaluation
        One row per customer of the test cutoff: `churned` and one column per score; None leaves
        the charts of quality out.
    tracking
        `week`, `actual` and `expected` purchases; None leaves the chart out.
    p_alive_matrix
        P(alive) of any `frequency`, `recency` and `T`, in days; None
        leaves the chart out.
    """

    at_risk: pd.DataFrame
    customers: pd.DataFrame
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any]
    evaluation: pd.DataFrame | None = None
    tracking: pd.DataFrame | None = None
    p_alive_matrix: ProbabilityAlive | None = None

    @property
    def currency(self) -> str:
        """ISO 4217 code of every amount."""
        return str(self.manifest["currency"])

    @property
    def words(self) -> LabelWords:
        """What leaving means in this run."""
        return LabelWords.of(self.manifest.get("settings", {}))

    @property
    def has_policy(self) -> bool:
        """Whether the list says whom to contact, with what; without costs it cannot."""
        return "selected" in self.at_risk

    @property
    def chosen(self) -> pd.DataFrame:
        """The customers to contact."""
        if not self.has_policy:
            return self.at_risk.head(0)
        return self.at_risk[self.at_risk["selected"].astype(bool)]

    def setting(self, section: str, key: str) -> Any:
        """A setting of the run, None where the manifest has none."""
        return self.manifest.get("settings", {}).get(section, {}).get(key)
