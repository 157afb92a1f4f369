import numpy as np
import pandas as pd
import pytest

from patronage.report.chart_style import svg
from patronage.report.tracking_chart import tracking_chart

WEEKS = {
    "numbers": np.arange(1, 79),
    "dates": pd.date_range("1997-01-06", periods=78, freq="7D"),
}


@pytest.mark.parametrize("week", WEEKS.values(), ids=WEEKS.keys())
def test_both_lines_are_drawn_added_up_and_by_week(week):
    tracking = pd.DataFrame({"week": week, "actual": range(78), "expected": 40.0})
    added, weekly = tracking_chart(tracking).axes
    assert added.get_lines()[0].get_ydata()[-1] == sum(range(78))
    assert weekly.get_lines()[1].get_ydata()[-1] == 40
    assert len(svg(added.figure)) < 150_000
