"""A made snapshot, its settings, and where its runs lie."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "snapshots.md").read_text()
FIRST, MONEY = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def customers(n=1500, seed=0):
    """Who left, what is known of all, and what is known of those who left only."""
    rng = np.random.default_rng(seed)
    plan, months = rng.choice(["basic", "gold", "trial"], n), rng.integers(1, 60, n)
    # Trials are left early, all else late: what no sum of effects can say.
    odd = (plan == "trial") == (months < 25)
    left = rng.random(n) < expit(-2.5 + 3.5 * odd)
    reason = np.where(left, rng.choice(["price", "moved"], n), "")
    return pd.DataFrame(
        {
            "id": [f"c{number}" for number in range(n)],
            "plan": plan,
            "months": months,
            "margin, yearly": "",
            "yearly_margin": rng.integers(10, 400, n),
            "why": reason,
            "left": np.where(left, "yes", "no"),
        }
    )


def write(folder, text, table=None):
    (folder / "snapshot.toml").write_text(text)
    (customers() if table is None else table).to_csv(folder / "customers.csv", index=False)
    return folder / "snapshot.toml"


def with_money(text):
    """The page's first settings with those of money, as one file."""
    head, rest = MONEY.split("\n\n", 1)
    return text.replace("[churn]", head.removeprefix("[snapshot]\n") + "\n\n[churn]") + "\n" + rest


def outputs(config):
    return sorted((config.parent / "outputs").glob("2*"))[-1]


def latest(config):
    return (config.parent / "outputs" / "latest").resolve()


def page_of(folder, name="report.html"):
    return (folder / name).read_text()
