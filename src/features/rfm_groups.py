"""The purchase models' sufficient table by one group-by: how many customers share each history."""

from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from patronage.features.arrays import day_number
from patronage.features.days import lazy_transactions


def purchase_histories(days: Any, *, as_of: date) -> nw.LazyFrame[Any]:
    """Distinct histories of purchases before `as_of`, with the customers that have them.

    A purchase model's likelihood needs no more, so it can be fitted on billions of customers:
    there are no more rows than histories. Nothing is computed until the result is collected, by
    `rfm_groups`, on the engine that the days are on.

    Parameters
    ----------
    days
        The output of `customer_days`, lazy or not.
    as_of
        Days at or after it are not seen.

    Returns
    -------
    nw.LazyFrame
        first, last (days), purchase_days, weights: how many customers.
    """
    bought = lazy_transactions(days).filter(
        nw.col("purchases") > 0, nw.col("day") < nw.lit(as_of, dtype=nw.Date)
    )
    customers = bought.group_by("customer_id").agg(
        nw.col("day").min().alias("first"),
        nw.col("day").max().alias("last"),
        nw.len().alias("purchase_days"),
    )
    return customers.group_by("first", "last", "purchase_days").agg(nw.len().alias("weights"))


def rfm_groups(histories: Any, *, as_of: date) -> pd.DataFrame:
    """Distinct (frequency, recency, T) with their weights, to fit a purchase model on.

    Parameters
    ----------
    histories
        The output of `purchase_histories`, lazy or collected.
    as_of
        The same day.

    Returns
    -------
    DataFrame
        customer_id (the group's number), frequency, recency, T (days) and weights; ordered by T,
        recency and frequency. Each group stands for `weights` rows of `rfm_summary`.
    """
    groups = nw.from_native(histories, pass_through=False).lazy().collect("pyarrow").to_native()
    first, last = (
        groups[name].cast(pa.date32()).cast(pa.int32()).to_numpy() for name in ("first", "last")
    )
    table = pd.DataFrame(
        {
            "frequency": groups["purchase_days"].to_numpy() - 1.0,
            "recency": (last - first).astype(np.float64),
            "T": (day_number(as_of) - first).astype(np.float64),
            "weights": groups["weights"].to_numpy().astype(np.float64),
        }
    )
    ordered = table.sort_values(["T", "recency", "frequency"], ignore_index=True)
    ordered.insert(0, "customer_id", ordered.index.astype("str"))
    return ordered
