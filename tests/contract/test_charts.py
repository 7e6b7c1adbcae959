"""The style of charts: the same figure gives the same bytes, and settings reach it."""

from contract import charts


def a_figure(**changes):
    def paint(figure):
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=charts.BLUE)
        axes.set_title("A title")

    return charts.draw(paint, (4, 3), **changes)


def test_the_same_figure_gives_the_same_bytes():
    assert charts.to_png(a_figure(), dpi=50) == charts.to_png(a_figure(), dpi=50)
    assert charts.to_svg(a_figure(), "a") == charts.to_svg(a_figure(), "a")


def test_a_drawing_names_no_version_of_what_drew_it():
    assert b"Software" not in charts.to_png(a_figure(), dpi=50)
    assert "<dc:date>" not in charts.to_svg(a_figure(), "a")


def test_text_in_an_svg_stays_text():
    assert ">A title</text>" in charts.to_svg(a_figure(), "a")


def test_a_setting_of_one_figure_is_no_other_s():
    assert a_figure(axes_titlesize=14).axes[0].title.get_fontsize() == 14
    assert a_figure().axes[0].title.get_fontsize() == charts.STYLE["axes.titlesize"]
