"""The CDNOW 1/10 sample in the two versions that circulate, from the package lifetimes."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

END = pd.Timestamp("1997-09-30")


def _folder() -> Path:
    """Found without importing lifetimes, which warns."""
    return Path(next(iter(find_spec("lifetimes").submodule_search_locations))) / "datasets"


@pytest.fixture(scope="session")
def cdnow_exact() -> pd.DataFrame:
    """Calibration to 1997-09-30, weeks = days / 7; `holdout` counts purchase days after it."""
    names = ["master", "customer_id", "day", "quantity", "spend"]
    log = pd.read_csv(_folder() / "CDNOW_sample.txt", sep=r"\s+", header=None, names=names)
    log["day"] = pd.to_datetime(log["day"].astype(str))
    days = log.groupby(["customer_id", "day"], as_index=False)["spend"].sum()
    seen, later = days[days["day"] <= END], days[days["day"] > END]
    first, last = (seen.groupby("customer_id")["day"].agg(end) for end in ("min", "max"))
    gap = np.log(seen.groupby("customer_id")["day"].diff().dt.days / 7)
    repeats = seen[seen["day"] > seen["customer_id"].map(first)].groupby("customer_id")["spend"]
    return pd.DataFrame(
        {
            "frequency": seen.groupby("customer_id").size() - 1,
            "recency": (last - first).dt.days / 7,
            "T": (END - first).dt.days / 7,
            "monetary_value": repeats.mean().reindex(first.index, fill_value=0.0),
            "log_gap_sum": gap.groupby(seen["customer_id"]).sum(),
            "holdout": later.groupby("customer_id").size().reindex(first.index, fill_value=0),
        }
    )


@pytest.fixture(scope="session")
def cdnow_csv() -> pd.DataFrame:
    """The file of lifetimes, rounded to 2 decimals."""
    table = pd.read_csv(_folder() / "cdnow_customers_summary_with_transactions.csv")
    names = {"ID": "customer_id", "x": "frequency", "t_x": "recency", "zbar": "monetary_value"}
    return table.rename(columns=names)
