"""How the tests of reasons ask for them."""

import numpy as np
import pandas as pd

from patronage.features.catalogue import FEATURES
from patronage.retention.reasons import plain_reasons

NAMES = [feature.name for feature in FEATURES]
REASONS = ["reason_1", "reason_2", "reason_3"]


def explain(values, pushes, currency="EUR"):
    """The reasons of one customer with these feature values and contributions."""
    features = pd.DataFrame([{"customer_id": "c", **dict.fromkeys(NAMES, np.nan), **values}])
    contributions = pd.DataFrame([{"customer_id": "c", **dict.fromkeys(NAMES, 0.0), **pushes}])
    return plain_reasons(features, contributions, currency=currency)[REASONS].iloc[0].tolist()


REPEAT = {"frequency": 4, "T": 200, "usual_gap_days": 21, "days_since_last": 58}
SPEND = {"spend_90": 12, "spend_180": 97.4}
SMALL = {"basket_last_ratio": 0.5, "basket_mean": 20}
