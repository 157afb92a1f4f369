import narwhals as nw
import pytest

from patronage.errors import SettingsError
from patronage.features import Feature, feature

FINE = {"meaning": "Money spent.", "unit": "money"}


def over_grid(grid):
    return grid.total("spend")


def expression():
    return nw.col("amount").sum()


def test_a_feature_of_the_grid_says_what_it_is():
    own = feature(**FINE, window=90, null="never seen")(over_grid)
    assert own.feature == Feature(
        "over_grid", "Money spent.", "money", "own", "over grid", window=90, null="never seen"
    )
    assert own.source == "test_own_feature.py"
    assert own.table is None


def test_what_has_a_value_for_nothing_is_never_null():
    own = feature(**FINE, table="transactions", empty=0, null="without", name="spent")(expression)
    assert (own.name, own.feature.null, own.empty) == ("spent", "", 0)


FAULTS = {
    "a capital": (over_grid, {"name": "Spend"}, r"feature Spend of .*small letters, digits and _"),
    "no meaning": (over_grid, {"meaning": " "}, "meaning is empty"),
    "unit": (over_grid, {"unit": "euro"}, "unit='euro' is not known; use one of count, days, flag"),
    "window of nothing": (over_grid, {"window": 0}, "window=0 must be a whole number of days"),
    "window in hours": (over_grid, {"window": 1.5}, "window=1.5 must be a whole number"),
    "table": (expression, {"table": "orders"}, "table='orders' is not known; .* transactions"),
    "needs": (over_grid, {"needs": "visits"}, "needs='visits' is not known; use one of events"),
    "two tables": (expression, {"table": "events", "needs": "events"}, "table says it already"),
    "no word of null": (expression, {"table": "events"}, "without events: empty=0, or null="),
    "empty text": (
        expression,
        {"table": "events", "unit": "text", "empty": 0},
        "empty=0 is not for texts",
    ),
    "no grid": (expression, {}, "takes nothing; it must take the grid alone, or name a table"),
    "a grid too many": (
        over_grid,
        {"table": "events", "empty": 0},
        "takes grid; over a table it takes nothing, or as_of",
    ),
}


@pytest.mark.parametrize(("function", "more", "text"), FAULTS.values(), ids=FAULTS.keys())
def test_a_declaration_that_does_not_fit_is_refused_with_the_fix(function, more, text):
    with pytest.raises(SettingsError, match=text):
        feature(**(FINE | more))(function)
