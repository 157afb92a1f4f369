import json
from datetime import UTC, datetime

import pytest
from filelock import FileLock

from patronage.errors import LockError
from patronage.pipelines.run_folder import latest_run, run_folder

NOW = datetime(2026, 1, 31, 18, 5, 0, tzinfo=UTC)


def stop_half_way(folder):
    with run_folder(folder, command="run", started_at=NOW) as run:
        (run.path / "half").write_text("x")
        raise RuntimeError("half way")


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_run_is_shown_whole_and_latest_points_to_it(tmp_path):
    with run_folder(tmp_path, command="run", started_at=NOW) as run:
        with run.step("features"):
            (run.path / "customers.parquet").write_text("rows")
        assert visible(tmp_path) == []
    assert visible(tmp_path) == ["20260131T180500Z", "latest"]
    manifest = json.loads((tmp_path / "latest" / "manifest.json").read_text())
    assert manifest["run_id"] == "20260131T180500Z"
    assert manifest["seconds"]["features"] >= 0
    assert manifest["versions"]["patronage"]
    assert latest_run(tmp_path) == (tmp_path / "20260131T180500Z").resolve()


def test_the_log_tells_that_a_step_begins(tmp_path, caplog):
    caplog.set_level("INFO", "patronage")
    with run_folder(tmp_path, command="run", started_at=NOW) as run:
        with run.step("tune and train", "900 rows"):
            assert caplog.messages == ["tune and train: 900 rows ..."]
        with run.step("gate"):
            assert caplog.messages[1:] == ["gate ..."]


def test_a_failed_run_leaves_nothing_and_the_old_latest(tmp_path):
    with run_folder(tmp_path, command="run", started_at=NOW):
        pass
    with pytest.raises(RuntimeError, match="half way"):
        stop_half_way(tmp_path)
    assert visible(tmp_path) == ["20260131T180500Z", "latest"]
    assert not list(tmp_path.glob(".partial-*"))


def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path):
    (tmp_path / ".partial-20250101T000000Z").mkdir()
    (tmp_path / ".partial-latest").symlink_to("nowhere")
    with run_folder(tmp_path, command="run", started_at=NOW):
        pass
    assert not list(tmp_path.glob(".partial-*"))


def test_two_runs_in_one_second_get_two_folders(tmp_path):
    for _ in range(2):
        with run_folder(tmp_path, command="run", started_at=NOW):
            pass
    assert visible(tmp_path) == ["20260131T180500Z", "20260131T180500Z-2", "latest"]
    assert (tmp_path / "latest").readlink().name == "20260131T180500Z-2"


def test_another_run_holds_the_lock(tmp_path):
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(LockError, match=r"another run is writing to .*Wait for it to end"),
        run_folder(tmp_path, command="run", started_at=NOW),
    ):
        pass
    assert visible(tmp_path) == []


def test_nan_never_reaches_a_json_file(tmp_path):
    with (
        pytest.raises(ValueError, match="not JSON compliant"),
        run_folder(tmp_path, command="run", started_at=NOW) as run,
    ):
        run.write_json("metrics.json", {"auc": float("nan")})
