"""What contacting the first so many of the test customers would have brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patronage.report.label_words import judged_on
from patronage.report.quality import SCORE_NAMES
from patronage.retention.campaign_cuts import THRESHOLD
from patronage.retention.wording import chance, counted, money

CUT_NAMES = (
    "Contacted",
    "Customers",
    "Were leaving",
    "Of all who left",
    "Would have stayed",
    "Leavers among contacted",
    "Lift",
    "Net value, expected",
    "Net value, once it was known who left",
)
PROFIT_NAMES = ("Score", "Contacts", "They bring", "Best action", "MPC", "EMPC", "Expected cost")


@dataclass(frozen=True)
class Cuts:
    """The section as texts: two sentences, a row per cut and a row per score."""

    sentence: str
    rows: list[list[str]]
    scores: list[list[str]]


def cuts_section(metrics: Mapping[str, Any], currency: str) -> Cuts | None:
    """The cuts that `judged_money` judged; None where the scores were not judged in money.

    Parameters
    ----------
    metrics
        `test`, with `as_of`, `n` and, where it is known, `money`.
    currency
        ISO 4217 code of all amounts.
    """
    test = metrics["test"]
    if "money" not in test:
        return None
    found = test["money"]
    return Cuts(
        _sentence(test, found["cuts"][-1], currency),
        [_cut(cut, currency) for cut in found["cuts"]],
        [_score(name, model, test["n"], currency) for name, model in found["models"].items()],
    )


def _sentence(test: Mapping[str, Any], cut: Mapping[str, Any], currency: str) -> str:
    who = counted(test["n"], "customer")
    if not cut["customers"]:
        return (
            f"For none of the {who} {judged_on(test)} did an action promise more than it costs: "
            "nobody would have been contacted."
        )
    expected, came = (
        money(cut[f"{name}_net_value"], currency) for name in ("expected", "realised")
    )
    return (
        f"Of the {who} {judged_on(test)}, an action promised more than it costs for "
        f"{cut['customers']:,}. {cut['churners_caught']:,} of them did leave, "
        f"{chance(cut['share_of_churners'])} of all who left; {cut['wasted_contacts']:,} would "
        f"have stayed anyway. Contacting them should have brought {expected} and, now that it is "
        f"known who left, would have brought {came}."
    )


def _cut(cut: Mapping[str, Any], currency: str) -> list[str]:
    everyone = cut["cut"] == THRESHOLD
    precision, lift = cut["precision"], cut["lift"]
    return [
        "All for whom it pays" if everyone else f"The first {cut['cut']}",
        f"{cut['customers']:,}",
        f"{cut['churners_caught']:,}",
        chance(cut["share_of_churners"]),
        f"{cut['wasted_contacts']:,}",
        "–" if precision is None else chance(precision),
        "–" if lift is None else f"{lift:.2f}",
        money(cut["expected_net_value"], currency),
        money(cut["realised_net_value"], currency),
    ]


def _score(name: str, model: Mapping[str, Any], customers: int, currency: str) -> list[str]:
    best = max(model["actions"], key=lambda action: float(action["empc"]))
    return [
        SCORE_NAMES.get(name, name),
        f"{model['contacts']:,}",
        money(model["realised_net_value"], currency),
        str(best["action"]),
        *(money(best[key] * customers, currency) for key in ("mpc", "empc", "expected_cost")),
    ]
