import matplotlib as mpl

from patronage.report.chart_style import new_figure, style_axes, svg


def drawn():
    figure = new_figure()
    style_axes(figure.subplots(), title="Title", x="days", y="customers")
    return svg(figure)


def test_a_chart_is_the_same_bytes_each_time():
    assert drawn() == drawn()


def test_texts_stay_texts():
    assert b">customers</text>" in drawn()


def test_no_global_setting_is_changed():
    before = dict(mpl.rcParams)
    drawn()
    assert dict(mpl.rcParams) == before
