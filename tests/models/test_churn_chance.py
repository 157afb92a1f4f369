"""Labels that have nothing to do with the features are not foreseen."""

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from patronage.models.churn import ChurnModel

NOISE = [f"noise_{place}" for place in range(8)]


def test_shuffled_labels_give_a_coins_auc():
    rng = np.random.default_rng(0)
    cutoffs = pd.date_range("2020-01-31", periods=9, freq="MS").as_unit("s")
    panel = pd.DataFrame(rng.normal(size=(9 * 500, 8)), columns=NOISE)
    panel = panel.assign(as_of=np.repeat(cutoffs, 500), p_no_purchase=rng.beta(2, 2, len(panel)))
    churned = pd.Series(rng.permutation(np.repeat([0, 1], [2700, 1800])))
    test = (panel["as_of"] == cutoffs[-1]).to_numpy()
    model = ChurnModel(NOISE, label_days=60, trials=2).fit(panel[~test], churned[~test])
    p = model.predict_proba(panel[test])
    chance = 0.5 / np.sqrt(3 * 200)  # standard error of an AUC of 200 churners and 300 stayers
    assert abs(roc_auc_score(churned[test], p) - 0.5) < 3.5 * chance
    assert log_loss(churned[test], p) < log_loss(churned[test], np.full(500, 0.4)) + 0.04
