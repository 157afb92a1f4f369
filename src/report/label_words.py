"""What leaving means, in every form in which report, workbook and card have to say it.

A log says it of purchases, a contract of its end, and a snapshot has a column that says who left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from patronage.models.training_panel import SUBSCRIPTIONS
from patronage.report.leaving import leaving_meaning, leaving_name
from patronage.retention.wording import counted

SNAPSHOT = "snapshot"


@dataclass(frozen=True, kw_only=True)
class LabelWords:
    """The question that a project's scores answer, in words.

    Attributes
    ----------
    label
        "subscriptions", "snapshot" or "purchases".
    days, lead_days, grace_days, active_days
        As in [churn] and [features]; None where the settings do not have them.
    column
        Of a snapshot: the column that says who left.
    """

    label: str
    days: int | None = None
    lead_days: int | None = None
    grace_days: int | None = None
    active_days: int | None = None
    column: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """By the settings of a run, as its manifest holds them."""
        churn = settings.get("churn", {})
        return cls(
            label=churn.get("label", "purchases"),
            days=churn.get("horizon_days"),
            lead_days=churn.get("lead_days"),
            grace_days=churn.get("grace_days"),
            active_days=settings.get("features", {}).get("active_days"),
            column=settings.get("snapshot", {}).get("churned", ""),
        )

    @property
    def of_contracts(self) -> bool:
        """Whether leaving is letting a subscription end."""
        return self.label == SUBSCRIPTIONS

    @property
    def of_snapshot(self) -> bool:
        """Whether a column says who left."""
        return self.label == SNAPSHOT

    @property
    def sentence(self) -> str:
        """What churn means.

        Examples
        --------
        >>> LabelWords(label="purchases", days=90, lead_days=7).sentence
        'a customer makes no purchase in the 90 days that begin 7 days after the day of the run'
        >>> LabelWords(label="subscriptions", days=30, grace_days=5).sentence
        "a customer's subscription ends in the 30 days that begin with the day of the run and is \
not renewed within 5 days"
        >>> LabelWords(label="snapshot", column="Churn Label").sentence
        'a customer leaves, as the column "Churn Label" has it'
        """
        if self.of_snapshot:
            left = self._within(f'a customer leaves, as the column "{self.column}" has it')
            return f"{left} after the day of the row" if self.days else left
        begin = f"{counted(self.lead_days, 'day')} after" if self.lead_days else "with"
        span = f"in the {counted(self.days or 0, 'day')} that begin {begin} the day of the run"
        if self.of_contracts:
            return f"a customer's subscription ends {span} and is {self._not_renewed}"
        return f"a customer makes no purchase {span}"

    @property
    def expected_name(self) -> str:
        """Who is counted as leaving, as the name of a number."""
        if self.of_contracts:
            return f"Expected to end and not renew in {counted(self.days or 0, 'day')}"
        return self._within("Expected to leave") if self.of_snapshot else leaving_name(self.days)

    @property
    def will(self) -> str:
        """What those do who leave, of a number of customers.

        Examples
        --------
        >>> LabelWords(label="purchases", days=90).will
        'will not buy again within 90 days'
        >>> LabelWords(label="subscriptions", days=30).will
        'will let their subscription end and not renew it within 30 days'
        """
        if self.of_contracts:
            return self._within("will let their subscription end and not renew it")
        return self._within("will leave" if self.of_snapshot else "will not buy again")

    @property
    def did(self) -> str:
        """What those did who left."""
        if self.of_contracts:
            return "that is, let their subscription end in the horizon and did not renew it in time"
        if self.of_snapshot:
            return f'as the column "{self.column}" has it'
        return "that is, bought nothing in the horizon"

    @property
    def meaning(self) -> str:
        """What the chances of the list are chances of, in a sentence or two."""
        if not (self.of_contracts or self.of_snapshot):
            return leaving_meaning(self.days, self.lead_days)
        return f"Chance to leave: the probability that {self.sentence}."

    @property
    def customers(self) -> str:
        """One of those who are listed."""
        if self.of_snapshot:
            return "customer"
        return "customer with a subscription" if self.of_contracts else "active customer"

    @property
    def eligible(self) -> str:
        """Who is scored, as what they have done."""
        if self.of_snapshot:
            return "who is like those of the table"
        if self.of_contracts:
            return "who has a subscription in force on the day of the run"
        return (
            f"who bought within {counted(self.active_days or 0, 'day')} before the day of the run"
        )

    @property
    def nobody_eligible(self) -> str:
        """Why a list is empty."""
        if self.of_snapshot:
            return "No customer is listed: the table holds none who has not left already."
        if self.of_contracts:
            return "No customer is eligible: nobody has a subscription in force."
        return "No customer is eligible: nobody has bought within the active days."

    @property
    def chance_column(self) -> str:
        """What the column of the chance to leave holds."""
        if self.of_contracts or self.of_snapshot:
            return (
                f"Probability that {self.sentence}. Of 100 customers at 70%, about 70 leave in "
                "this sense."
            )
        return (
            "Probability that the customer buys nothing within the horizon; who leaves in this "
            "sense may come back later. Of 100 customers at 70%, about 70 buy nothing."
        )

    @property
    def _not_renewed(self) -> str:
        grace = f" within {counted(self.grace_days, 'day')}" if self.grace_days else ""
        return f"not renewed{grace}"

    def _within(self, text: str) -> str:
        return f"{text} within {counted(self.days, 'day')}" if self.days else text


def judged_on(test: Mapping[str, Any]) -> str:
    """Which customers a model was judged by, after their number.

    Examples
    --------
    >>> judged_on({"as_of": "2026-01-31"}), judged_on({"as_of": None})
    ('as of 2026-01-31', 'kept aside')
    """
    return "kept aside" if test.get("as_of") is None else f"as of {test['as_of']}"
