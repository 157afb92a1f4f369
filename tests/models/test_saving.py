import json

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.models import BetaGeoModel, load_model
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
