"""Aliases move together, only for those who passed, and one process at a time."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from patronage.config import Action
from patronage.errors import DataError, GateError, LockError, SettingsError
from patronage.tracking.champion import load_champion
from patronage.tracking.gate import Verdict, judge
from patronage.tracking.registry import GateTerms, promote, roll_back, settle
from patronage.tracking.store import MODEL, lock_on, open_store
from patronage.tracking.training_run import Judged, log_training

RNG = np.random.default_rng(0)
P = RNG.uniform(0.05, 0.95, 400)
SCORES = pd.DataFrame(
    {
        "customer_id": [f"c{n}" for n in range(400)],
        "churned": (RNG.random(400) < P).astype(int),
        "patronage": P,
        "p_no_purchase": 0.5,
        "inactivity_rule": 0.4,
        "value_if_kept": RNG.gamma(2, 60, 400),
    }
)
VOUCHER = Action(name="voucher", contact_cost=1, offer_cost=5, accept_rate=0.3)
TERMS = GateTerms([VOUCHER], (0.7, 1.4))
GOOD, BAD = (
    replace(judge(SCORES["churned"], SCORES["patronage"], to_beat={}), rows=n) for n in (1, 2)
)
BAD = replace(BAD, calibration=replace(BAD.calibration, passed=False))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, record):
    """A store with six versions; the sixth was judged as of another day, the fifth is worse."""
    folder = tmp_path_factory.mktemp("registry") / "mlruns"
    store = open_store(folder, experiment="registry")
    for number in range(1, 7):
        p = P if number != 5 else np.clip(P, 0.4, 0.6)
        day = "2025-10-01" if number != 6 else "2025-11-01"
        judged = Judged(
            scores=SCORES.assign(patronage=p),
            tracking=SCORES,
            metrics={"test": {"models": {}, "as_of": day}},
        )
        assert log_training(store, replace(record, judged=judged), name=str(number)).version == str(
            number
        )
    return store


@pytest.fixture
def store(trained):
    yield trained
    known = trained.client.get_registered_model(MODEL).aliases
    for alias in known:
        trained.client.delete_registered_model_alias(MODEL, alias)
    for version in map(str, range(1, 7)):
        for tag in trained.client.get_model_version(MODEL, version).tags:
            trained.client.delete_model_version_tag(MODEL, version, tag)


def aliases(store):
    known = store.client.get_registered_model(MODEL).aliases
    return {alias: str(version) for alias, version in known.items()}


def against(verdict: Verdict):
    """A judge who notes who is champion and says what was told."""
    return lambda champion: replace(
        verdict, champion_in_force=None if champion is None else champion.version
    )


def tags(store, version):
    return store.client.get_model_version(MODEL, version).tags


def test_who_passes_becomes_champion_and_the_one_before_is_kept(store):
    settle(store, "1", against(GOOD))
    assert aliases(store) == {"champion": "1"}
    settle(store, "2", against(GOOD))
    assert aliases(store) == {"champion": "2", "previous_champion": "1"}
    assert tags(store, "2")["gate.champion_in_force"] == "1"
    assert tags(store, "2")["promoted_by"] == "gate"
    assert load_champion(store).version == "2"


def test_who_fails_waits_as_challenger_and_is_refused(store):
    settle(store, "1", against(GOOD))
    settle(store, "2", against(BAD))
    assert aliases(store) == {"champion": "1", "challenger": "2"}
    with pytest.raises(GateError, match=r"(?s)version 2 did not pass.*FAILED: calibration slope"):
        promote(store, TERMS)
    assert str(promote(store, TERMS, force=True)) == (
        "champion: version 2 (was 1)\nprevious_champion: version 1"
    )
    assert aliases(store) == {"champion": "2", "previous_champion": "1"}
    assert tags(store, "2")["promoted_by"] == "promote --force"


def test_promotion_by_hand_waits_for_the_command(store):
    settle(store, "1", against(GOOD), promoting=False)
    assert aliases(store) == {"challenger": "1"}
    assert str(promote(store, TERMS)) == "champion: version 1 (there was none before)"
    assert promote(store, TERMS, version="1") is None


def test_every_number_is_a_tag(store):
    verdict = judge(
        SCORES["churned"],
        SCORES["patronage"],
        to_beat={"p_no_purchase": SCORES["p_no_purchase"]},
        champion=SCORES["inactivity_rule"],
        champion_in_force="7",
    )
    settle(store, "1", lambda champion: verdict)
    found = tags(store, "1")
    for comparison in verdict.comparisons:
        prefix = f"gate.{comparison.other}.log_loss"
        for name in ("challenger_loss", "other_loss", "difference", "low", "high", "other_auc"):
            assert float(found[f"{prefix}.{name}"]) == pytest.approx(
                getattr(comparison, name), abs=1e-6
            )
    assert float(found["gate.calibration.slope"]) == pytest.approx(verdict.calibration.slope, 1e-4)
    assert found["gate.rows"] == "400"
    assert found["gate.verdict"] == str(verdict)


def test_a_verdict_against_an_earlier_champion_is_given_anew(store):
    for version in ("1", "2", "5", "6"):
        settle(store, version, against(GOOD), promoting=False)
    promote(store, TERMS, version="1")
    assert tags(store, "2")["gate.champion_in_force"] == "none"
    promote(store, TERMS, version="2")  # as good as version 1, on the same customers
    found = tags(store, "2")
    assert found["gate.champion_in_force"] == "1"
    assert float(found["gate.champion.log_loss.difference"]) == 0
    assert float(found["gate.champion.net_value.difference"]) == 0
    with pytest.raises(GateError, match=r"(?s)version 5 did not pass.*FAILED: log loss .*champion"):
        promote(store, TERMS, version="5")
    assert tags(store, "5")["gate"] == "failed"
    with pytest.raises(
        GateError, match="while version none was champion; version 2 is now, and the two were not"
    ):
        promote(store, TERMS, version="6")
    assert aliases(store)["champion"] == "2"


def test_rollback_goes_back_and_forth(store):
    settle(store, "1", against(GOOD))
    settle(store, "2", against(GOOD))
    assert roll_back(store).champion == "1"
    assert aliases(store) == {"champion": "1", "previous_champion": "2"}
    assert tags(store, "1")["promoted_by"] == "rollback"
    assert roll_back(store).champion == "2"
    assert aliases(store) == {"champion": "2", "previous_champion": "1"}


def test_nothing_to_go_back_to_is_told(store):
    with pytest.raises(DataError, match="no previous champion to go back to: no version has been"):
        roll_back(store)
    settle(store, "3", against(GOOD))
    with pytest.raises(DataError, match="only version 3 has been champion"):
        roll_back(store)


def test_nothing_to_promote_is_told(store):
    with pytest.raises(DataError, match="no version waits as challenger"):
        promote(store, TERMS)
    with pytest.raises(SettingsError, match="--version 99: .* There are: 1, 2, 3, 4, 5, 6"):
        promote(store, TERMS, version="99")
    with pytest.raises(GateError, match="version 4 has not been judged"):
        promote(store, TERMS, version="4")


def test_killed_before_the_last_alias_the_old_champion_is_in_force(store, monkeypatch):
    settle(store, "1", against(GOOD))
    settle(store, "2", against(GOOD))
    moved = store.client.set_registered_model_alias

    def killed(name, alias, version):
        if alias == "champion":
            raise KeyboardInterrupt
        moved(name, alias, version)

    with monkeypatch.context() as patch:
        patch.setattr(store.client, "set_registered_model_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            settle(store, "3", against(GOOD))
    assert load_champion(store).version == "2"
    settle(store, "4", against(GOOD))
    assert aliases(store)["champion"] == "4"
    assert aliases(store)["previous_champion"] == "2"


def test_a_lock_that_stays_held_is_told(store):
    with (
        lock_on(store.folder, "registry"),
        pytest.raises(LockError, match=r"the registry in .* for 0\.1 seconds"),
        lock_on(store.folder, "registry", seconds=0.1),
    ):
        pass


SETTLING = """
import sys, time
from dataclasses import replace
from pathlib import Path
from patronage.tracking.gate import Verdict
from patronage.tracking.registry import settle
from patronage.tracking.store import open_store

def judge(champion):
    time.sleep(0.3)
    return Verdict((), champion_in_force=None if champion is None else champion.version)

store = open_store(Path(sys.argv[1]), experiment="registry")
for version in sys.argv[2:]:
    settle(store, version, judge)
"""


def test_two_processes_that_settle_at_once_judge_one_after_the_other(store):
    settling = [
        subprocess.Popen([sys.executable, "-c", SETTLING, str(store.folder), *versions])
        for versions in (("1", "2", "3"), ("4", "5", "6"))
    ]
    assert [process.wait(120) for process in settling] == [0, 0]
    beaten = {str(n): tags(store, str(n))["gate.champion_in_force"] for n in range(1, 7)}
    champion, passed = aliases(store)["champion"], []
    assert aliases(store)["previous_champion"] == beaten[champion]
    while champion != "none":  # each was judged against the one that it took the place of
        passed.append(champion)
        champion = beaten[champion]
    assert sorted(passed) == sorted(beaten)
    assert len(set(beaten.values())) == 6
