"""The search: what it repeats, what it keeps, and what it brought."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest

from patronage.errors import DataError
from patronage.models import churn_tuning
from patronage.models.churn_tuning import FIRST_TRIAL, inside, tune
from patronage.models.fold_booster import FoldRows, Rows

SEARCH = {"trials": 6, "seconds": 600.0, "seed": 3}


def make_folds(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    y = (rng.random(rows) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    all_rows = Rows(x, y, np.zeros(rows))
    ends = (rows // 3, rows // 2)
    return [FoldRows(all_rows, np.arange(end), np.arange(end, end + rows // 4)) for end in ends]


def stored(path):
    names = optuna.get_all_study_names(f"sqlite:///{path}")
    return {
        name: optuna.load_study(study_name=name, storage=f"sqlite:///{path}").trials
        for name in names
    }


@pytest.fixture
def fits(monkeypatch):
    """How many boosters were trained."""
    count = [0]
    fit = churn_tuning.fit_with_early_stopping

    def counted(*args):
        count[0] += 1
        return fit(*args)

    monkeypatch.setattr(churn_tuning, "fit_with_early_stopping", counted)
    return count


def test_a_finished_search_is_not_computed_again(tmp_path, fits):
    first = tune(make_folds(), **SEARCH, kept_in=tmp_path / "optuna.db")
    computed, fits[0] = fits[0], 0
    again = tune(make_folds(), **SEARCH, kept_in=tmp_path / "optuna.db")
    assert computed > 6
    assert fits[0] == 0
    assert again == first


def test_a_killed_search_goes_on_to_the_same_end(tmp_path, fits):
    whole = tune(make_folds(), **SEARCH)
    computed, fits[0] = fits[0], 0

    def killed(done, best):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(make_folds(), **SEARCH, kept_in=tmp_path / "optuna.db", progress=killed)
    assert tune(make_folds(), **SEARCH, kept_in=tmp_path / "optuna.db") == whole
    assert fits[0] == computed


def test_more_trials_go_on_from_fewer(tmp_path, fits):
    file = tmp_path / "optuna.db"
    few = tune(make_folds(), **{**SEARCH, "trials": 3}, kept_in=file)
    fits[0] = 0
    more = tune(make_folds(), **SEARCH, kept_in=file)
    assert more.trials[:3] == few.trials
    assert 3 <= fits[0] <= 6


def test_other_data_and_other_settings_have_their_own_study(tmp_path):
    file = tmp_path / "optuna.db"
    tune(make_folds(), **{**SEARCH, "trials": 1}, kept_in=file)
    tune(make_folds(seed=1), **{**SEARCH, "trials": 1}, kept_in=file)
    tune(make_folds(), **{**SEARCH, "trials": 1, "seed": 4}, kept_in=file)
    tune(make_folds(), **{**SEARCH, "trials": 1}, constraints=[1, 0, 0], kept_in=file)
    assert [len(trials) for trials in stored(file).values()] == [1, 1, 1, 1]


def test_two_searches_at_once_spoil_nothing(tmp_path):
    file = tmp_path / "optuna.db"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from test_churn_tuning import SEARCH, make_folds, tune\n"
        f"print(tune(make_folds(), **SEARCH, kept_in=Path({str(file)!r})).log_loss)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [float(text) for text in said] == [tune(make_folds(), **SEARCH).log_loss] * 2
    (trials,) = stored(file).values()
    assert 6 <= len(trials) <= 12
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}


def test_a_file_of_something_else_is_refused(tmp_path):
    file = tmp_path / "optuna.db"
    file.write_text("no database, but long enough to be taken for one" * 50)
    with pytest.raises(DataError, match=r"optuna\.db cannot be used: .*move it away and train"):
        tune(make_folds(), **SEARCH, kept_in=file)


def test_the_champions_parameters_are_tried_second():
    champion = {"learning_rate": 0.5, "num_leaves": 7, "objective": "binary", "lambda_l2": 1}
    trials = tune(make_folds(), **SEARCH, warm=[champion]).trials
    assert {name: trials[0][name] for name in FIRST_TRIAL} == FIRST_TRIAL
    assert (trials[1]["learning_rate"], trials[1]["num_leaves"]) == (0.15, 7)


def test_a_champion_with_the_fixed_set_costs_no_trial():
    trials = tune(make_folds(), **SEARCH, warm=[FIRST_TRIAL]).trials
    assert sum(trial["learning_rate"] == 0.05 for trial in trials) == 1


def test_what_is_not_searched_is_left_out_of_a_warm_start():
    assert inside({"max_bin": 63, "num_leaves": 100, "lambda_l2": 0}) == {
        "num_leaves": 48,
        "lambda_l2": 0.1,
    }


def test_a_difference_within_chance_keeps_the_fixed_set(monkeypatch):
    monkeypatch.setattr(churn_tuning, "LEAST_GAIN", 10.0)
    tuned = tune(make_folds(), **SEARCH)
    assert {name: tuned.params[name] for name in FIRST_TRIAL} == FIRST_TRIAL
    assert tuned.log_loss == tuned.trials[0]["log_loss"]
    monkeypatch.setattr(churn_tuning, "LEAST_GAIN", 0.0)
    assert tune(make_folds(), **SEARCH).log_loss < tuned.log_loss


def test_a_trial_that_starts_worse_than_most_is_cut_short():
    trials = tune(make_folds(), **{**SEARCH, "trials": 15}).trials
    assert all("n_trees" in trial for trial in trials[:3])
    assert any("n_trees" not in trial for trial in trials)


def test_all_rows_say_how_many_trees_where_some_were_searched_on(monkeypatch):
    monkeypatch.setattr("patronage.models.fold_booster.TUNING_ROWS", 100)
    some = tune(make_folds(2000), **{**SEARCH, "trials": 1})
    assert some.trials[0]["n_trees"] < 10
    assert some.n_trees > 50
