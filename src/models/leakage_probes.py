"""Whether a feature knows more of the future than it should: three probes on the labelled panel.

They cannot prove a leak, nor its absence; they name what a person should look at. No probe judges
with fewer than `FEWEST` customers of either outcome, and each limit must be passed by four standard
errors.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.features import CustomerTables, Feature, Grid
from patronage.features.catalogue import FAMILIES
from patronage.features.event_kinds import FIRM_TRIGGERED
from patronage.models.panel_matrix import is_text
from patronage.models.separation import Separation, separation

MOST_ROWS = 50_000
"""Drawn at random where the panel has more."""
FEWEST = 30
ERRORS = 4
BASELINE = "p_no_purchase"
"""Of a model fitted on what lies before each cutoff: it cannot know the future."""
PAST = ("days_since_last", "frequency", "T")
"""What the echo of the label window is held against."""
ECHO = 0.1
FIRM = 0.9
SPANS = (30, 90, 365, None)
FROM_DAYS = frozenset(family.name for family in FAMILIES if family.needs is None)
"""Families of the customer days alone, which a property test holds to the past."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """What a probe found: `value` is beyond `limit`, both as the text says."""

    feature: str
    probe: str
    value: float
    limit: float
    text: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def leakage_suspicions(
    panel: pd.DataFrame, features: Sequence[Feature], tables: CustomerTables | None = None
) -> list[Suspicion]:
    """Features that may leak, of all that a churn model is given.

    - *too good*: alone, it tells who churns better than half way from the best of what it is held
      against to perfect, in all rows or in those of the newest cutoff. Features of customer days
      are held against the value model's probability of no purchase, which was fitted on the past
      alone; all others against the best of both.
    - *label echo*: its AUC for the label is higher by more than 0.1 than for the past, split in
      the same shares: days since the last purchase, number of purchases, age.
    - *firm count*: it ranks customers as the number of things does that the firm itself sent them
      (`FIRM_TRIGGERED`), rank correlation beyond 0.9. Looked for in own features and attributes.

    Parameters
    ----------
    panel
        As made by `training_panel`; columns that are not there are passed over.
    features
        What the columns are.
    tables
        Those that the panel was made from, for the firm's own events.
    """
    rows = panel.sample(MOST_ROWS, random_state=0) if len(panel) > MOST_ROWS else panel
    rows = rows.reset_index(drop=True)
    known = [one for one in features if one.name in rows and rows[one.name].nunique() > 1]
    churned = rows["churned"].to_numpy() == 1
    found: list[Suspicion] = []
    if _enough(churned):
        newest = rows[rows["as_of"] == rows["as_of"].max()].reset_index(drop=True)
        found += _too_good(rows, newest, known)
        found += _echoes(rows, known)
    if tables is not None and tables.events is not None:
        found += _firm_counts(rows, [one for one in known if _is_users(one)], tables)
    return sorted(found, key=lambda one: (one.probe, -one.value))


def _is_users(feature: Feature) -> bool:
    return feature.family in ("own", "attributes")


def _enough(churned: Flags) -> bool:
    return min(int(churned.sum()), int((~churned).sum())) >= FEWEST


def _separations(rows: pd.DataFrame, known: Sequence[Feature]) -> dict[str, Separation]:
    """How well each feature, and the value model, tells who churns."""
    churned = rows["churned"].to_numpy() == 1
    names = [one.name for one in known]
    baseline = [BASELINE] if BASELINE in rows else []
    return {name: _separation(rows, name, churned) for name in (*names, *baseline)}


def _separation(rows: pd.DataFrame, name: str, outcome: Flags) -> Separation:
    column = rows[name]
    values = _rates(column, rows, outcome) if is_text(column) else column.to_numpy(dtype=float)
    return separation(values, outcome)


def _rates(column: pd.Series, rows: pd.DataFrame, outcome: Flags) -> NDArray[np.float64]:
    """The share of the outcome among other customers of the same text."""
    half = pd.util.hash_pandas_object(rows["customer_id"], index=False).to_numpy() % 2 == 0
    text = column.astype(object)
    rates = np.full(len(rows), float(outcome.mean()))
    for side in (half, ~half):
        learned = pd.Series(outcome[~side]).groupby(text[~side].to_numpy()).mean()
        rates[side] = text[side].map(learned).fillna(outcome.mean()).to_numpy(dtype=float)
    return rates


def _too_good(
    rows: pd.DataFrame, newest: pd.DataFrame, known: Sequence[Feature]
) -> Iterator[Suspicion]:
    said: set[str] = set()
    for some, when in ((rows, "all cutoffs"), (newest, "the newest cutoff")):
        if not _enough(some["churned"].to_numpy() == 1):
            continue
        found = _separations(some, known)
        safe = [one.name for one in known if one.family in FROM_DAYS]
        best = max(
            (*safe, *found.keys() & {BASELINE}), key=lambda name: found[name].auc, default=""
        )
        for one in known:
            against = BASELINE if one.family in FROM_DAYS and BASELINE in found else best
            if one.name in said or not against or against == one.name:
                continue
            limit = (1 + found[against].auc) / 2
            if found[one.name].auc - ERRORS * found[one.name].error > limit:
                said.add(one.name)
                yield _good(one.name, found, against, limit, when)


def _good(
    name: str, found: Mapping[str, Separation], against: str, limit: float, when: str
) -> Suspicion:
    auc = found[name].auc
    return Suspicion(
        feature=name,
        probe="too good",
        value=auc,
        limit=limit,
        text=(
            f"{name} alone tells who churns with an AUC of {auc:.3f} at {when}; {against} has "
            f"{found[against].auc:.3f}, and beyond {limit:.3f} it looks like a leak. Was it filled "
            "in later than it says?"
        ),
    )


def _echoes(rows: pd.DataFrame, known: Sequence[Feature]) -> Iterator[Suspicion]:
    churned = rows["churned"].to_numpy() == 1
    mirrors = [_mirror(rows[name], float(churned.mean())) for name in PAST if name in rows]
    mirrors = [mirror for mirror in mirrors if _enough(mirror)]
    for one in known:
        ahead = _separation(rows, one.name, churned)
        back = max((_separation(rows, one.name, past).auc for past in mirrors), default=1.0)
        if ahead.auc - ERRORS * ahead.error > back + ECHO:
            yield Suspicion(
                feature=one.name,
                probe="label echo",
                value=ahead.auc,
                limit=back + ECHO,
                text=(
                    f"{one.name} tells what comes after as_of with an AUC of {ahead.auc:.3f}, and "
                    f"what came before with {back:.3f} at most: it echoes the label window. Does "
                    "it hold something of later days?"
                ),
            )


def _mirror(past: pd.Series, share: float) -> Flags:
    """The customers highest in it, as many as churned."""
    return np.asarray(past.to_numpy() > past.quantile(1 - share))


def _firm_counts(
    rows: pd.DataFrame, known: Sequence[Feature], tables: CustomerTables
) -> Iterator[Suspicion]:
    numbers = [one.name for one in known if not is_text(rows[one.name])]
    counts = _counts(rows, tables) if numbers and len(rows) >= FEWEST else {}
    ranked = {what: pd.Series(count).rank() for what, count in counts.items()}
    for name in numbers:
        alike = {what: abs(rows[name].rank().corr(rank)) for what, rank in ranked.items()}
        what = max(alike, key=lambda key: alike[key], default="")
        if what and alike[what] > FIRM:
            yield Suspicion(
                feature=name,
                probe="firm count",
                value=float(alike[what]),
                limit=FIRM,
                text=(
                    f"{name} ranks customers as the number of {what} does (rank correlation "
                    f"{alike[what]:.3f}): how much the firm sends follows what it thinks of them. "
                    "Divide by it, as open_rate_90 does, or leave it out."
                ),
            )


def _counts(rows: pd.DataFrame, tables: CustomerTables) -> dict[str, NDArray[np.float64]]:
    """What the firm sent each customer, by kind and window; no column without a difference."""
    events = tables.events
    present = FIRM_TRIGGERED & set(events.text("kind").values if events is not None else ())
    customer = tables.days.customer_ids.get_indexer(pd.Index(rows["customer_id"])).astype(np.int64)
    as_of = rows["as_of"].to_numpy().astype("datetime64[D]").astype(np.int32)
    grid = Grid(tables, customer, as_of)
    counts = {}
    for kinds in [(kind,) for kind in sorted(present)] + [tuple(sorted(present))]:
        for span in SPANS:
            window = "" if span is None else f" in {span} days"
            count = grid.events_of(*kinds).count(span)
            if kinds and np.ptp(count) > 0:
                counts[f"{' and '.join(kinds)}{window}"] = count
    return counts
