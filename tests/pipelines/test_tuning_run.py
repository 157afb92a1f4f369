"""What a run leaves of its search."""

import json

import optuna


def outputs(config):
    return config.parent / "outputs" / "latest"


def test_trials_are_kept_in_one_database(finished):
    storage = f"sqlite:///{finished.parent / 'mlruns' / 'optuna.db'}"
    (name,) = optuna.get_all_study_names(storage)
    assert len(optuna.load_study(study_name=name, storage=storage).trials) == 2


def test_what_tuning_brought_is_told(finished):
    gain = json.loads((outputs(finished) / "metrics.json").read_text())["tuning"]
    assert gain["trials"] == 2
    assert 0 < gain["test"]["tuned"] < 1
    assert "Tuning: 2 trials" in (outputs(finished) / "report.html").read_text()
