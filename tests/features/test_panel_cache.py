import json
import logging
import os
from contextlib import ExitStack

import pytest

from patronage.features.panel_cache import PanelCache


@pytest.fixture
def cache(tmp_path):
    return PanelCache(tmp_path / "cache", keep=2)


def writer(text, calls):
    def write(folder):
        calls.append(text)
        (folder / "as_of=2026-01-01").mkdir(parents=True)
        (folder / "as_of=2026-01-01" / "part-0.parquet").write_text(text)

    return write


def read(cache, key, calls, text="rows"):
    with cache.panel(key, writer(text, calls)) as folder:
        return (folder / "as_of=2026-01-01" / "part-0.parquet").read_text()


def shown(cache):
    return sorted(path.name for path in cache.folder.iterdir() if path.name != ".lock")


def test_the_second_time_it_is_read(cache, caplog):
    calls = []
    with caplog.at_level(logging.INFO):
        assert read(cache, {"cutoffs": ["2026-01-01"]}, calls) == "rows"
        assert "is computed and kept" in caplog.text
        caplog.clear()
        assert read(cache, {"cutoffs": ["2026-01-01"]}, calls) == "rows"
    assert "is read from the cache" in caplog.text
    assert calls == ["rows"]


def test_another_key_is_another_panel(cache):
    calls = []
    assert read(cache, {"seed": 0}, calls, "a") == "a"
    assert read(cache, {"seed": 1}, calls, "b") == "b"
    assert read(cache, {"seed": 0}, calls, "c") == "a"
    assert len(shown(cache)) == 2


def damage_cut(file):
    file.write_text("ro")


def damage_same_length(file):
    file.write_text("row!")


def damage_gone(file):
    file.unlink()


def damage_one_more(file):
    file.with_name("part-1.parquet").write_text("more")


def damage_no_manifest(file):
    (file.parents[2] / "manifest.json").unlink()


def damage_half_a_manifest(file):
    (file.parents[2] / "manifest.json").write_text('{"files": ')


def damage_other_manifest(file):
    (file.parents[2] / "manifest.json").write_text('{"files": []}')


@pytest.mark.parametrize(
    "damage",
    [
        damage_cut,
        damage_same_length,
        damage_gone,
        damage_one_more,
        damage_no_manifest,
        damage_half_a_manifest,
        damage_other_manifest,
    ],
)
def test_what_is_damaged_is_made_anew(cache, damage, caplog):
    calls = []
    read(cache, "key", calls)
    damage(next(cache.folder.glob("*/panel/*/part-0.parquet")))
    assert read(cache, "key", calls) == "rows"
    assert calls == ["rows", "rows"]
    assert "is made anew" in caplog.text
    assert read(cache, "key", calls) == "rows"
    assert len(calls) == 2


def test_a_panel_that_fails_leaves_nothing(cache):
    def write(folder):
        folder.mkdir()
        (folder / "half").write_text("x")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"), cache.panel("key", write):
        pass
    assert shown(cache) == []


def test_what_a_killed_run_left_is_cleared(cache):
    (cache.folder / ".partial-abc" / "panel").mkdir(parents=True)
    read(cache, "key", [])
    assert len(shown(cache)) == 1
    assert not (cache.folder / ".partial-abc").exists()


def test_the_panels_used_last_are_kept(cache):
    calls = []
    for key in "aba":
        read(cache, key, calls, key)
    for place, entry in enumerate(sorted(cache.folder.glob("*/manifest.json"))):
        used = 1_000 + 10 * (json.loads(entry.read_text())["key"] == "a") + place
        os.utime(entry.parent, (used, used))
    read(cache, "c", calls, "c")
    read(cache, "a", calls, "a")
    assert calls == ["a", "b", "c"]
    read(cache, "b", calls, "b")
    assert calls == ["a", "b", "c", "b"]
    assert len(shown(cache)) == 2


def test_with_none_to_keep_it_goes_when_it_is_read(tmp_path):
    cache, calls = PanelCache(tmp_path / "scratch", keep=0), []
    with ExitStack() as stack:
        folder = stack.enter_context(cache.panel("key", writer("rows", calls)))
        assert len(shown(cache)) == 1
        assert folder.exists()
    assert shown(cache) == []


def test_other_folders_beside_the_panels_stay(tmp_path):
    cache = PanelCache(tmp_path, keep=0)
    (tmp_path / "outputs").mkdir()
    read(cache, "key", [])
    assert shown(cache) == ["outputs"]


def test_with_none_to_keep_it_goes_also_when_reading_fails(tmp_path):
    cache = PanelCache(tmp_path / "scratch", keep=0)
    with pytest.raises(ValueError, match="not read"), cache.panel("key", writer("rows", [])):
        raise ValueError("not read")
    assert shown(cache) == []
