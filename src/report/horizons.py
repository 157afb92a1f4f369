"""How each horizon did, beside the model of purchases alone."""

from collections.abc import Mapping
from typing import Any

from patronage.models.churn_evaluation import OURS
from patronage.models.further_horizons import FURTHER
from patronage.retention.wording import counted

START = "p_no_purchase"
HEAD = (
    *("Horizon", "As of", "Customers", "Left", "Predicted", "AUC", "Log loss"),
    *("AUC, value model", "Log loss, value model"),
)
NOTE = (
    "A shorter horizon is judged on the same day as the main one, which stands first, a longer one "
    "on the newest day whose label is known for it, on customers whose labels it had not seen "
    "then; the value model is P(no purchase) in the same days. The chances of one customer never "
    "rise with the horizon. The gate, the list and the budget go by the main horizon alone."
)


def horizon_sentence(days: int | str, figures: Mapping[str, Any]) -> str:
    """How one further horizon did, in a sentence.

    Parameters
    ----------
    days
        Of the horizon.
    figures
        As `judged_horizons` gives them.
    """
    ours, start = figures["models"][OURS], figures["models"][START]
    return (
        f"{counted(int(days), 'day')}, as of {figures['as_of']}: {figures['churn_rate']:.1%} of "
        f"{figures['n']:,} left, {ours['mean_predicted']:.1%} were predicted; log loss "
        f"{ours['log_loss']:.4f} (value model {start['log_loss']:.4f}), AUC {ours['auc']:.4f} "
        f"({start['auc']:.4f})"
    )


def horizon_rows(metrics: Mapping[str, Any], main_days: int | None) -> list[list[str]]:
    """One row of texts per horizon, columns as `HEAD`, the main one first; none where it is alone.

    Parameters
    ----------
    metrics
        Of a training run: `test`, and `FURTHER` where there are further horizons.
    main_days
        The main horizon.
    """
    further = metrics.get(FURTHER, {})
    if not further or main_days is None:
        return []
    return [
        _row(main_days, metrics["test"]),
        *(_row(days, further[str(days)]) for days in sorted(map(int, further))),
    ]


def _row(days: int, figures: Mapping[str, Any]) -> list[str]:
    ours, start = figures["models"][OURS], figures["models"][START]
    quality = (f"{one[key]:.3f}" for one in (ours, start) for key in ("auc", "log_loss"))
    return [
        counted(days, "day"),
        str(figures["as_of"]),
        f"{figures['n']:,}",
        f"{figures['churn_rate']:.1%}",
        f"{ours['mean_predicted']:.1%}",
        *quality,
    ]
