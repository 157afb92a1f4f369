import pytest

from patronage.errors import SettingsError
from patronage.features.own_modules import own_features

HEAD = "from patronage.features import feature, ratio\n"
SPENT = """
LIMIT = 50

def big(grid):
    return grid.table.measures["spend"] > LIMIT

@feature(meaning="Big days.", unit="count", window=90)
def big_days(grid):
    return grid.total_of(big(grid).astype(float), 90)
"""


def written(folder, text, name="mine.py"):
    (folder / name).write_text(text)
    return own_features([name], folder=folder)


def test_the_features_of_a_file_in_their_order(tmp_path):
    more = """
OTHERS = [
    feature(meaning="Age.", unit="days", name=f"age_over_{days}")(lambda grid, d=1: grid.age)
    for days in ()
]

@feature(meaning="Age.", unit="days")
def age(grid):
    return grid.age
"""
    found = written(tmp_path, HEAD + SPENT + more)
    assert [own.name for own in found] == ["big_days", "age"]
    assert {own.source for own in found} == {"mine.py"}


def test_features_in_a_list_are_found(tmp_path):
    several = """
def age_in(days):
    @feature(meaning="Age.", unit="number", name=f"age_in_{days}")
    def age(grid):
        return grid.age / days
    return age

AGES = [age_in(7), age_in(30)]
"""
    assert [own.name for own in written(tmp_path, HEAD + several)] == ["age_in_7", "age_in_30"]


def test_a_module_is_imported_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "shop_features.py").write_text(HEAD + SPENT)
    monkeypatch.syspath_prepend(tmp_path)
    [own] = own_features(["shop_features"], folder=tmp_path / "elsewhere")
    assert (own.name, len(own.digest)) == ("big_days", 64)


SAME = {
    "layout": lambda text: text.replace("def big(grid):", "def big( grid ):  # a comment"),
    "another function": lambda text: text + "\ndef unused():\n    return 1\n",
}
OTHER = {
    "a constant": lambda text: text.replace("50", "60"),
    "a helper": lambda text: text.replace("> LIMIT", ">= LIMIT"),
    "the window": lambda text: text.replace("window=90", "window=91"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_the_digest_stays_while_the_code_does(tmp_path, change):
    [before], [after] = written(tmp_path, HEAD + SPENT), written(tmp_path, HEAD + change(SPENT))
    assert before.digest == after.digest


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER.keys())
def test_the_digest_changes_with_all_that_the_feature_uses(tmp_path, change):
    [before], [after] = written(tmp_path, HEAD + SPENT), written(tmp_path, HEAD + change(SPENT))
    assert before.digest != after.digest


FAULTS = {
    "no feature": ("LIMIT = 1\n", "mine.py has no feature. Decorate a function"),
    "no Python": ("def\n", r"mine.py failed: SyntaxError"),
    "fails": ("a = 1\nb = a / 0\n", "mine.py failed in line 2: ZeroDivisionError"),
    "leaves": ("import sys\nsys.exit(0)\n", "mine.py failed in line 2: SystemExit: 0"),
    "two of a name": (
        HEAD
        + "@feature(meaning='x', unit='days')\ndef a(grid): ...\n"
        + "@feature(meaning='y', unit='days')\ndef a(grid): ...\n",
        "mine.py has two functions of the name a, and the second would take the place",
    ),
    "needs another": ("import not_there_at_all\n", "mine.py failed in line 1: .*not_there_at_all"),
    "bad declaration": (
        HEAD + "@feature(meaning='x', unit='euro')\ndef a(grid): ...\n",
        "feature a of mine.py: unit='euro' is not known",
    ),
    "taken": (
        HEAD + "@feature(meaning='x', unit='days')\ndef days_since_last(grid): ...\n",
        "feature days_since_last of mine.py: there is a built-in one of that name",
    ),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_module_that_cannot_be_used_is_named(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message):
        written(tmp_path, text)


def test_a_file_that_is_not_there_is_told_with_those_that_are(tmp_path):
    (tmp_path / "features.py").write_text(HEAD)
    with pytest.raises(
        SettingsError, match=r"there is no file .*mine.py.*folder holds features.py"
    ):
        own_features(["mine.py"], folder=tmp_path)


def test_a_module_that_cannot_be_imported_is_told_with_the_fix(tmp_path):
    with pytest.raises(SettingsError, match='no module not_there to import.*"not_there.py"'):
        own_features(["not_there"], folder=tmp_path)
