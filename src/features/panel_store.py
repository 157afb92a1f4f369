"""A panel that is computed once: written in bounded memory, and read when it is asked again."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import pandas as pd

from patronage.features.customer_tables import CustomerTables
from patronage.features.digests import code_digest, own_code, tables_digest
from patronage.features.labels import ChurnLabels
from patronage.features.own_tables import as_of_days
from patronage.features.panel_cache import PanelCache
from patronage.features.panel_files import write_panel
from patronage.features.panel_reading import read_panel


def stored_panel(
    tables: CustomerTables,
    cache: PanelCache,
    *,
    cutoffs: Sequence[date],
    active_days: int | None = None,
    eligible_only: bool = False,
    labels: ChurnLabels | None = None,
) -> pd.DataFrame:
    """The panel out of the cache, where it is found if data, settings and code are the same.

    Parameters
    ----------
    tables
        All customers that the panel is to hold.
    cache
        Where it is kept.
    cutoffs, active_days, eligible_only, labels
        As for `write_panel`.

    Returns
    -------
    DataFrame
        As `read_panel` gives it: the same to the last bit, whether computed now or before.
    """
    tables = as_of_days(tables, cutoffs)  # what own expressions give is part of the data
    asked: dict[str, Any] = {
        "cutoffs": sorted(set(cutoffs)),
        "active_days": active_days,
        "eligible_only": eligible_only,
    }
    key = asked | {
        "labels": None if labels is None else asdict(labels),
        "data": tables_digest(tables),
        "code": code_digest(),
        "own": own_code(tables.own),
    }
    with cache.panel(
        key, lambda folder: write_panel(tables, folder, labels=labels, **asked)
    ) as folder:
        return read_panel(folder)
