import json
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.models import BetaGeoModel, PurchaseSeason, SeasonalModel, load_model
from patronage.models.saving import saved_classes


@pytest.fixture
def model(cdnow_exact):
    return BetaGeoModel().fit(cdnow_exact)


@pytest.fixture
def path(tmp_path, model):
    model.save(tmp_path / "model.json", units={"time": "weeks"})
    return tmp_path / "model.json"


def test_the_file_is_readable_json_with_all_that_was_learned(path, model):
    content = json.loads(path.read_text())
    assert content["model"] == "BetaGeoModel"
    assert content["params"] == model.params_._asdict()
    assert np.array(content["covariance"]).shape == (4, 4)
    assert content["data_digest"] == model.data_digest_
    assert content["units"] == {"time": "weeks"}


def test_units_outlive_a_second_saving(path, tmp_path):
    load_model(path).save(tmp_path / "again.json")
    assert load_model(tmp_path / "again.json").units_ == {"time": "weeks"}
    assert (tmp_path / "again.json").read_text() == path.read_text()


def test_standard_errors_come_back(path, model):
    again = load_model(path)
    pd.testing.assert_frame_equal(again.covariance_, model.covariance_, check_exact=True)
    assert again.standard_errors_ == model.standard_errors_
    assert again.aic_ == model.aic_


def test_a_fit_without_a_peak_is_saved_as_such(tmp_path):
    heavy = pd.DataFrame({"customer_id": range(50), "frequency": 9, "recency": 99.0, "T": 100.0})
    model = BetaGeoModel().fit(heavy)
    assert not model.converged_
    model.save(tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    assert again.diagnosis_ == model.diagnosis_
    assert again.covariance_.isna().all(axis=None)


def test_a_failed_save_leaves_the_old_file_and_no_other(path, model, monkeypatch):
    before = path.read_text()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        model.save(path)
    assert path.read_text() == before
    assert [file.name for file in path.parent.iterdir()] == ["model.json"]


def test_a_class_of_ones_own_is_found_by_name(tmp_path, cdnow_exact):
    class OwnBetaGeoModel(BetaGeoModel):
        pass

    OwnBetaGeoModel().fit(cdnow_exact).save(tmp_path / "own.json")
    assert type(load_model(tmp_path / "own.json")) is OwnBetaGeoModel
    assert "OwnBetaGeoModel" in saved_classes()


REFUSED = {
    "no JSON": ("{", "model.json holds no saved model: Expecting property name"),
    "bytes": ("\x00", "holds no saved model"),
    "other JSON": ("[1, 2]", "holds no saved model: it does not say of which class"),
    "unknown class": ('{"model": "Oracle"}', "holds a saved Oracle, which is not known; known are"),
    "other format": (
        '{"model": "BetaGeoModel", "format": 99}',
        "saved BetaGeoModel of format 99, not a BetaGeoModel of format 1",
    ),
    "cut short": (
        '{"model": "BetaGeoModel", "format": 1}',
        "lacks 'settings' of a saved BetaGeoModel",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path, text, message):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(DataError, match=message):
        load_model(tmp_path / "model.json")


def test_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no saved model .*model.json. Write one: model.save"):
        load_model(tmp_path / "model.json")


@pytest.fixture(scope="module")
def with_a_season(cdnow_exact):
    days = {"T": cdnow_exact["T"] * 7, "recency": cdnow_exact["recency"] * 7}
    whole = cdnow_exact.assign(**days).round().assign(as_of=pd.Timestamp("1997-10-01"))
    season = PurchaseSeason(factors=dict.fromkeys(range(1, 13), 1.0))
    return SeasonalModel(BetaGeoModel(), season).fit(whole).to_dict()


def places(content, path=()):
    for key, value in content.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from places(value, (*path, key))


def test_any_damage_is_told_as_such(with_a_season, tmp_path):
    file = tmp_path / "model.json"
    content = {**with_a_season, "units": {"time": "days"}}
    for path in places(content):
        for value in ("x", None, float("nan"), [], [None], -1.5):
            broken = json.loads(json.dumps(content))
            inner = broken
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = value
            file.write_text(json.dumps(broken))
            with suppress(DataError):  # any other error fails
                load_model(file)


DAMAGED = {
    "a parameter of text": (("params", "r"), "x", r"is damaged: .*params is .*not all numbers"),
    "no parameter": (("params", "r"), None, "is damaged: .*params is .*not all numbers"),
    "a parameter below 0": (("params", "r"), -1, "is damaged: .*params is .*not all above 0"),
    "NaN": (("params", "r"), float("nan"), "it is damaged, for NaN is never saved"),
    "a covariance cut": (("covariance",), [[1.0]], r"is damaged: .*\(1, 1\), not \(4, 4\)"),
    "units": (("units",), "weeks", "is damaged: units is 'weeks', no mapping"),
    "converged": (("converged",), "x", "is damaged: .*converged is 'x'"),
}


@pytest.mark.parametrize(("place", "value", "message"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_refused(path, place, value, message):
    content = json.loads(path.read_text())
    inner = content if len(place) == 1 else content[place[0]]
    inner[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        load_model(path)
