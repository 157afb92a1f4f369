"""Speed of the value models beside lifetimes: the same simulated customers, one run, one machine.

Customers are drawn from BG/NBD with the estimates of CDNOW [1]_ and from Gamma-Gamma, observed for
189 to 273 days, in whole days. Fits of both packages include standard errors. Compiled functions
are compiled before the clock starts. Seconds are medians, on the wall and of the processor in all
threads; where other work shares the machine, the latter are the ones to compare.

    python benchmarks/value_models.py [SCALE]

writes benchmarks/results/value_models.json. SCALE is the share of the full sizes, 1 by default;
with another the result is only printed.

.. [1] Fader, Hardie & Lee (2005), Marketing Science 24(2).
"""

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from machine import machine

from patronage.models import (
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    GammaGammaParams,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
)

HERE = Path(__file__).parent
RESULT = HERE / "results" / "value_models.json"
MILLION = 1_000_000
REPEATS, LIFETIMES_REPEATS = 7, 3
YEAR, DISCOUNT_A_MONTH = 365.25, 0.01
SEED = 20
TIMING = ["frequency", "recency", "T"]
INTERVAL = "--interval"

Work = Callable[[], Any]


def main(scale: float = 1.0) -> None:
    """Time every task and write the result."""
    warm_up()
    rfm = customers(int(MILLION * scale))
    result = {
        "customers": {"of the full sizes": scale, "histories": len(rfm.drop_duplicates(TIMING))},
        "tasks": dict(tasks(rfm)),
        "clv_intervals": intervals(rfm),
        "machine": machine(),
    }
    print(json.dumps(result, indent=2))
    if scale == 1:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


def customers(n: int) -> pd.DataFrame:
    """Histories in whole days, with spend."""
    rng = np.random.default_rng(SEED)
    model = BetaGeoModel.with_params(r=0.243, alpha=4.414 * 7, a=0.793, b=2.426)
    spend = GammaGammaParams(6.25, 3.74, 15.44)
    rfm = model.draw_customers(n, rng.integers(189, 274, n), rng)[["customer_id", *TIMING]]
    rfm["recency"] = np.ceil(rfm["recency"])
    rfm["frequency"] = np.minimum(rfm["frequency"], rfm["recency"])  # one purchase a day
    level = rng.gamma(spend.q, 1 / spend.v, n)
    total = rng.gamma(spend.p * np.maximum(rfm["frequency"], 1)) / level
    mean = total / np.maximum(rfm["frequency"], 1)
    return rfm.assign(monetary_value=np.where(rfm["frequency"] > 0, mean, 0.0))


def warm_up() -> None:
    """Compile, and import what is imported when it is first used."""
    rfm = customers(3000)
    value = CustomerValueModel(BetaGeoModel(), GammaGammaModel()).fit(rfm)
    value.clv(rfm, YEAR, 0.1, 1.0)
    value.purchases_.probability_alive(rfm)
    for model in (ModifiedBetaGeoModel(), ParetoNBDModel()):
        model.fit(rfm)
    with quiet():
        bg, gg = lifetimes_fit("BetaGeoFitter", rfm), lifetimes_spend(rfm)
        lifetimes_clv(bg, gg, rfm)


def tasks(rfm: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Each task: its name, then medians of both and the ratio."""
    few, repeat = rfm.head(len(rfm) // 10), rfm[rfm["frequency"] > 0]
    value = CustomerValueModel(BetaGeoModel(), GammaGammaModel()).fit(rfm)
    with quiet():
        bg, gg = lifetimes_fit("BetaGeoFitter", rfm), lifetimes_spend(repeat)
    work: list[tuple[str, int, Work, Work]] = [
        (
            "BG/NBD fit",
            len(rfm),
            lambda: BetaGeoModel().fit(rfm),
            lambda: lifetimes_fit("BetaGeoFitter", rfm),
        ),
        (
            "MBG/NBD fit",
            len(rfm),
            lambda: ModifiedBetaGeoModel().fit(rfm),
            lambda: lifetimes_fit("ModifiedBetaGeoFitter", rfm),
        ),
        (
            "Pareto/NBD fit",
            len(few),
            lambda: ParetoNBDModel().fit(few),
            lambda: lifetimes_fit("ParetoNBDFitter", few),
        ),
        (
            "Gamma-Gamma fit",
            len(rfm),
            lambda: GammaGammaModel().fit(rfm),
            lambda: lifetimes_spend(rfm[rfm["frequency"] > 0]),
        ),
        (
            "P(alive) and 12-month CLV",
            len(rfm),
            lambda: our_clv(value, rfm),
            lambda: lifetimes_clv(bg, gg, rfm),
        ),
    ]
    return [(name, compared(name, n, ours, theirs)) for name, n, ours, theirs in work]


def compared(name: str, n: int, ours: Work, theirs: Work) -> dict[str, Any]:
    """Medians of both, their ratio, and how far the results are apart."""
    clock, result = timed(ours, REPEATS)
    with quiet():
        their_clock, their_result = timed(theirs, 1 if "Pareto" in name else LIFETIMES_REPEATS)
    found = {
        "customers": n,
        "seconds": clock.wall,
        "lifetimes_seconds": their_clock.wall,
        "ratio": their_clock.wall / clock.wall,
        "cpu_seconds": clock.cpu,
        "lifetimes_cpu_seconds": their_clock.cpu,
        "cpu_ratio": their_clock.cpu / clock.cpu,
        "largest_relative_difference": apart(result, their_result),
    }
    print(
        f"{name:28s} {clock.wall:9.4f} s {their_clock.wall:9.3f} s {found['ratio']:7,.0f}x   "
        f"processor {clock.cpu:9.4f} s {their_clock.cpu:9.3f} s {found['cpu_ratio']:7,.0f}x"
    )
    return found


class Clock(NamedTuple):
    """Median seconds on the wall, and of processor time in all threads."""

    wall: float
    cpu: float


def timed(work: Work, repeats: int) -> tuple[Clock, Any]:
    """Medians over the repeats, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        result = work()
        seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return Clock(*map(float, np.median(seconds, axis=0))), result


def apart(ours: Any, theirs: Any) -> float:
    """Of parameters, or of P(alive): the CLV of the two is discounted in different ways."""
    if hasattr(ours, "params_"):
        pair = np.array(ours.params_), theirs.params_.to_numpy()
    else:
        pair = np.asarray(ours[0]), np.asarray(theirs[0])
    return float(np.max(np.abs(pair[1] / pair[0] - 1)))


def our_clv(value: CustomerValueModel, rfm: pd.DataFrame) -> "list[pd.Series[Any]]":
    """P(alive) now, and margin of a year, at the rate that lifetimes takes by month."""
    annual = (1 + DISCOUNT_A_MONTH) ** 12 - 1
    return [value.purchases_.probability_alive(rfm), value.clv(rfm, YEAR, annual, 1.0)]


def lifetimes_clv(bg: Any, gg: Any, rfm: pd.DataFrame) -> list[Any]:
    """The same by lifetimes, which steps by months of 30 days and discounts at their end."""
    timing = [rfm[name] for name in TIMING]
    alive = bg.conditional_probability_alive(*timing)
    clv = gg.customer_lifetime_value(
        bg, *timing, rfm["monetary_value"], time=12, discount_rate=DISCOUNT_A_MONTH, freq="D"
    )
    return [alive, clv]


def lifetimes_fit(fitter: str, rfm: pd.DataFrame) -> Any:
    """A fit without penalty."""
    import lifetimes

    return getattr(lifetimes, fitter)().fit(*(rfm[name] for name in TIMING))


def lifetimes_spend(rfm: pd.DataFrame) -> Any:
    """A fit of spend to repeat customers."""
    import lifetimes

    repeat = rfm[rfm["frequency"] > 0]
    return lifetimes.GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])


@contextmanager
def quiet() -> Iterator[None]:
    """What lifetimes warns of is no news here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def intervals(rfm: pd.DataFrame) -> dict[str, float]:
    """CLV with 90 % intervals in a process of its own, for its peak of memory."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rfm.parquet"
        rfm.to_parquet(path)
        command = [sys.executable, __file__, INTERVAL, str(path)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    print(f"CLV with 90 % intervals      {found['seconds']:9.2f} s  {found['peak_rss_gb']:.2f} GB")
    return found


def interval_child(path: Path) -> None:
    """Fit, then time the intervals; the peak is of the whole process, fit and input included."""
    import resource

    rfm = pd.read_parquet(path)
    value = CustomerValueModel(BetaGeoModel(), GammaGammaModel()).fit(rfm)
    value.clv(rfm.head(100), YEAR, 0.1, 1.0, interval=0.9)
    start = time.perf_counter()
    found = value.clv(rfm, YEAR, 0.1, 1.0, interval=0.9)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    width = float((found["high"] - found["low"]).mean())
    print(
        json.dumps(
            {
                "customers": len(rfm),
                "seconds": seconds,
                "peak_rss_gb": peak,
                "mean_width": width,
            }
        )
    )


if __name__ == "__main__":
    if INTERVAL in sys.argv:
        interval_child(Path(sys.argv[-1]))
    else:
        main(*map(float, sys.argv[1:]))
