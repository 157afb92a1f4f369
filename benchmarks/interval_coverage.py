"""How often the intervals per customer hold what then happens, beside what they claim.

Customers are simulated from the model, observed, and fitted; intervals for the count of purchases,
for spend and for discounted margin are compared with the simulated future. What they claim is the
mean of `probability`: the level asked for, and more for customers of whom whole numbers, or
nothing at all, hold more than the level by themselves. Then the same on two real holdouts, where
the model is only a model: those figures are stated, not judged.

Run as `python benchmarks/interval_coverage.py`; the figures go to
benchmarks/results/interval_coverage.json. Names of studies after it take these alone again and
leave the other figures as they are.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import machine

from patronage.features import customer_days, day_table, rfm_summary
from patronage.models import (
    BetaGeoBetaBinomModel,
    BetaGeoCNBDModel,
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    ModifiedBetaGeoCNBDModel,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
    PurchaseModel,
)
from patronage.models.prior import PriorName
from patronage.time_units import DAYS, DAYS_A_YEAR, TimeUnit

ROOT = Path(__file__).parent.parent
RETAIL = ROOT.parent / "shared" / "data" / "online_retail_ii" / "transactions.parquet"
RESULTS = ROOT / "benchmarks" / "results" / "interval_coverage.json"
LEVELS = (0.8, 0.9)
DISCOUNT, MARGIN = 0.15, 0.25
POINTS = 0.02
"""Coverage may differ by so much from what is claimed."""
SPEND = (6.25, 3.74, 15.44)


@dataclass(frozen=True)
class Study:
    """Customers of one kind."""

    model: type[PurchaseModel]
    params: tuple[float, ...]
    ages: tuple[int, int]
    horizon: int
    customers: int = 200_000
    replications: int = 1
    time_unit: TimeUnit = "D"
    k: int = 1
    """Events that make a purchase."""

    def settings(self) -> dict[str, int]:
        """Arguments of the model."""
        return {"k": self.k} if self.k > 1 else {}


# The published parameters of CDNOW in days; heavier buyers; and samples so small that parameters
# are uncertain.
STUDIES = {
    "CDNOW's parameters, BG/NBD": Study(BetaGeoModel, (0.243, 30.9, 0.793, 2.426), (189, 273), 273),
    "CDNOW's parameters, MBG/NBD": Study(
        ModifiedBetaGeoModel, (0.525, 43.3, 0.891, 1.614), (189, 273), 273
    ),
    "CDNOW's parameters, Pareto/NBD": Study(
        ParetoNBDModel, (0.553, 74.0, 0.606, 81.7), (189, 273), 273
    ),
    "grocery, BG/NBD": Study(BetaGeoModel, (1.8, 12.0, 0.5, 12.0), (30, 720), 365),
    "grocery, Pareto/NBD": Study(ParetoNBDModel, (1.8, 12.0, 0.8, 300.0), (30, 720), 365),
    "regular buyers, BG/CNBD-3": Study(
        BetaGeoCNBDModel, (1.8, 4.0, 0.5, 12.0), (30, 720), 180, 60_000, k=3
    ),
    "regular buyers, MBG/CNBD-2": Study(
        ModifiedBetaGeoCNBDModel, (0.8, 10.0, 0.9, 3.0), (30, 360), 180, 60_000, k=2
    ),
    "yearly donors, BG/BB": Study(
        BetaGeoBetaBinomModel, (1.2, 0.75, 0.66, 2.78), (3, 14), 6, 100_000, time_unit="Y"
    ),
    "500 customers, BG/NBD": Study(BetaGeoModel, (1.2, 40.0, 0.6, 3.0), (60, 360), 180, 500, 60),
}


@dataclass
class Tally:
    """Of intervals of one kind at one level."""

    customers: int = 0
    covered: int = 0
    claimed: float = 0.0
    exact_customers: int = 0
    exact_covered: int = 0

    def add(self, found: pd.DataFrame, truth: Any, level: float) -> None:
        """Count the customers whose truth lies in their interval."""
        held = ((found["low"] <= truth) & (truth <= found["high"])).to_numpy()
        exact = (found["probability"] < level + 1e-6).to_numpy()
        self.customers += len(held)
        self.covered += int(held.sum())
        self.claimed += float(found["probability"].sum())
        self.exact_customers += int(exact.sum())
        self.exact_covered += int(held[exact].sum())

    def row(self, level: float) -> dict[str, Any]:
        """Shares; `at_level` is the coverage where the interval can hold just the level."""
        exact = self.exact_covered / self.exact_customers if self.exact_customers else None
        covered, claimed = self.covered / self.customers, self.claimed / self.customers
        return {
            "level": level,
            "customers": self.customers,
            "covered": round(covered, 4),
            "claimed": round(claimed, 4),
            "customers_at_level": self.exact_customers,
            "at_level": None if exact is None else round(exact, 4),
            "within_2_points": bool(abs(covered - claimed) <= POINTS),
        }


@dataclass
class Coverage:
    """Tallies of count, spend and CLV."""

    tallies: dict[tuple[str, float], Tally] = field(default_factory=dict)

    def add(
        self, model: CustomerValueModel, rfm: pd.DataFrame, horizon: int, truth: dict[str, Any]
    ) -> None:
        """Compare intervals with what happened."""
        for level in LEVELS:
            found = {
                "count": model.purchases_.predict_purchases(rfm, horizon, level),
                "spend": model.predict_spend(rfm, horizon, level),
                "clv": model.clv(rfm, horizon, DISCOUNT, MARGIN, level),
            }
            for name, frame in found.items():
                tally = self.tallies.setdefault((name, level), Tally())
                tally.add(frame, truth[name], level)

    def rows(self) -> list[dict[str, Any]]:
        """One for each quantity and level."""
        return [
            {"quantity": name, **tally.row(level)} for (name, level), tally in self.tallies.items()
        ]


def value_model(model: Any, prior: PriorName = None) -> CustomerValueModel:
    """Unfitted."""
    return CustomerValueModel(model(prior=prior), GammaGammaModel(prior=prior))


def simulated(study: Study, rng: np.random.Generator) -> Iterator[tuple[pd.DataFrame, Any]]:
    """Observed customers, and what they do in the horizon after."""
    named = dict(zip(study.model.params_type._fields, study.params, strict=True))
    truth = study.model.with_params(**study.settings(), **named)
    p, q, v = SPEND
    for _ in range(study.replications):
        ages = rng.integers(*study.ages, study.customers).astype(float)
        rfm = truth.draw_customers(study.customers, ages, rng)
        nu = rng.gamma(q, 1 / v, study.customers)
        past = np.maximum(rfm["frequency"], 1)
        mean = rng.gamma(p * past) / nu / past
        rfm["monetary_value"] = np.where(rfm["frequency"] > 0, mean, 0.0)
        yield rfm, future(rfm, nu, study, rng)


def future(rfm: pd.DataFrame, nu: Any, study: Study, rng: np.random.Generator) -> dict[str, Any]:
    """Count, spend and discounted margin of each simulated customer."""
    n = len(rfm)
    happen = opportunities if study.model is BetaGeoBetaBinomModel else purchases
    who, when = happen(rfm, study, rng)
    amount = rng.gamma(SPEND[0], 1 / nu[who])
    worth = MARGIN * amount * (1 + DISCOUNT) ** (-when * DAYS[study.time_unit] / DAYS_A_YEAR)
    return {
        "count": np.bincount(who, minlength=n),
        "spend": np.bincount(who, amount, n),
        "clv": np.bincount(who, worth, n),
    }


def opportunities(rfm: pd.DataFrame, study: Study, rng: np.random.Generator) -> Any:
    """Who buys, and when, at one opportunity after the other."""
    there, found = rfm["active"].to_numpy(), []
    for when in range(1, study.horizon + 1):
        buys = there & (rng.uniform(size=len(rfm)) < rfm["rate"])
        found.append((np.flatnonzero(buys), np.full(buys.sum(), float(when))))
        there = there & (rng.uniform(size=len(rfm)) > rfm["dropout"])
    return map(np.concatenate, zip(*found, strict=True))


def purchases(rfm: pd.DataFrame, study: Study, rng: np.random.Generator) -> Any:
    """Who buys, and when, at any time: with every k-th event, counted from the last purchase."""
    n, k, horizon = len(rfm), study.k, study.horizon
    end = np.full(n, float(horizon))
    last = np.full(n, np.inf)
    if "dropout" in rfm:
        last = rng.geometric(np.maximum(rfm["dropout"], 1e-18)).astype(float)
    else:
        end = (rfm["lifetime"] - rfm["T"]).clip(0, horizon).to_numpy()
    due = np.where(rfm["active"], rng.poisson(rfm["rate"] * k * end), 0)
    who = np.repeat(np.arange(n), due)
    when = rng.uniform(size=len(who)) * end[who]
    order = np.lexsort((when, who))
    when = when[order]
    place = np.arange(1, len(who) + 1) - np.repeat(np.cumsum(due) - due, due)
    since = rfm["rate"] * k * (rfm["T"] - rfm["recency"])
    weights = np.cumprod([np.ones(n), *(since / j for j in range(1, k))], axis=0).cumsum(axis=0)
    passed = (rng.uniform(size=n) * weights[-1] > weights).sum(axis=0)
    events = place + passed[who]
    made = (events % k == 0) & (events // k <= last[who])
    return who[made], when[made]


def study_coverage(study: Study, seed: int) -> dict[str, Any]:
    """Coverage on simulated customers."""
    coverage = Coverage()
    for rfm, truth in simulated(study, np.random.default_rng(seed)):
        model = study.model(**study.settings())
        value = CustomerValueModel(model, GammaGammaModel(), study.time_unit).fit(rfm)
        coverage.add(value, rfm, study.horizon, truth)
    return {
        "model": study.model.__name__,
        "params": study.params,
        "k": study.k,
        "horizon": study.horizon,
        "time_unit": study.time_unit,
        "replications": study.replications,
        "coverage": coverage.rows(),
    }


def cdnow() -> pd.DataFrame:
    """All transactions of CDNOW's master file, which ships with lifetimes."""
    spec = find_spec("lifetimes")
    assert spec is not None
    folder = Path(next(iter(spec.submodule_search_locations or ()))) / "datasets"
    names = ["customer_id", "timestamp", "cds", "amount"]
    table = pd.read_csv(
        folder / "CDNOW_master.txt", sep=r"\s+", skiprows=1, names=names, dtype={"timestamp": str}
    )
    return table.assign(timestamp=pd.to_datetime(table["timestamp"], format="%Y%m%d"))


def online_retail() -> pd.DataFrame:
    """Lines of known customers, cancellations included, bad-debt adjustments not."""
    table = pd.read_parquet(RETAIL)
    known = table[table["Customer ID"].notna() & ~table["Invoice"].str.startswith("A")]
    return pd.DataFrame(
        {
            "customer_id": known["Customer ID"].astype("int64"),
            "timestamp": known["InvoiceDate"],
            "amount": known["Quantity"] * known["Price"],
        }
    )


def holdout(transactions: pd.DataFrame, as_of: date, weeks: int) -> dict[str, Any]:
    """Coverage on what customers did in the weeks from `as_of`.

    With the weak prior: Online Retail II leaves the Pareto/NBD without a finite estimate.
    """
    days = day_table(customer_days(transactions))
    rfm = rfm_summary(days, as_of=as_of).set_index("customer_id")
    truth = realised(transactions, as_of, weeks, rfm.index)
    found = {}
    for kind in (BetaGeoModel, ModifiedBetaGeoModel, ParetoNBDModel):
        coverage = Coverage()
        coverage.add(value_model(kind, "weak").fit(rfm), rfm, 7 * weeks, truth)
        found[kind.__name__] = coverage.rows()
    return {
        "customers": len(rfm),
        "as_of": str(as_of),
        "weeks": weeks,
        "prior": "weak",
        "coverage": found,
    }


def realised(
    transactions: pd.DataFrame, as_of: date, weeks: int, ids: "pd.Index[Any]"
) -> dict[str, Any]:
    """Purchase days, net spend and discounted margin in the weeks from `as_of`."""
    end = pd.Timestamp(as_of + timedelta(weeks=weeks))
    stamp = transactions["timestamp"]
    later = transactions[(stamp >= pd.Timestamp(as_of)) & (stamp < end)]
    ahead = (later["timestamp"].dt.normalize() - pd.Timestamp(as_of)).dt.days
    worth = MARGIN * later["amount"] * (1 + DISCOUNT) ** (-ahead / 365.25)
    table = later.assign(day=ahead, worth=worth)
    bought = table[table["amount"] >= 0].groupby("customer_id")["day"].nunique()
    sums = table.groupby("customer_id")[["amount", "worth"]].sum()
    columns = {"count": bought, "spend": sums["amount"], "clv": sums["worth"]}
    return {
        name: values.reindex(ids, fill_value=0).to_numpy(float) for name, values in columns.items()
    }


def main(names: list[str]) -> None:
    """Print the figures and write them down."""
    print(json.dumps(machine()))
    found: dict[str, Any] = {"machine": machine(), "simulated": {}, "holdouts": {}}
    if names and RESULTS.exists():
        found = json.loads(RESULTS.read_text()) | {"machine": machine()}
    for seed, (name, study) in enumerate(STUDIES.items()):
        if names and name not in names:
            continue
        found["simulated"][name] = timed(name, lambda s=study, i=seed: study_coverage(s, i))
    holdouts: dict[str, Callable[[], dict[str, Any]]] = {
        "CDNOW, 39 weeks": lambda: holdout(cdnow(), date(1997, 10, 1), 39)
    }
    if RETAIL.exists():
        holdouts["Online Retail II, 26 weeks"] = lambda: holdout(
            online_retail(), date(2011, 6, 1), 26
        )
    for name, work in holdouts.items() if not names else ():
        found["holdouts"][name] = timed(name, work)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    judge(found["simulated"])


def timed(name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do it, print it, and say how long it took."""
    start = time.perf_counter()
    result = work()
    print(f"\n{name}: {time.perf_counter() - start:.0f} s")
    coverage = result["coverage"]
    tables = coverage if isinstance(coverage, dict) else {result["model"]: coverage}
    for model, rows in tables.items():
        print(model)
        print(pd.DataFrame(rows).to_string(index=False))
    return result


def judge(simulated_studies: dict[str, Any]) -> None:
    """Fail where an interval does not hold what it claims on data simulated from the model."""
    wrong = [
        f"{name}: {row['quantity']} at {row['level']}: {row['covered']} of {row['claimed']}"
        for name, study in simulated_studies.items()
        for row in study["coverage"]
        if not row["within_2_points"]
    ]
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
