"""Figures that move: Altair charts with sliders, in JupyterLab and on the site alike.

The formulas of such a chart are evaluated by the reader's browser, so that it moves without a
kernel.
"""

import re

from IPython.display import display

MIME = "application/vnd.vegalite.v5+json"  # what JupyterLab and VS Code draw by themselves
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def show(chart, name, alt):
    """Display an Altair chart.

    Parameters
    ----------
    chart : altair chart
        Its sliders are parameters with a name of their own, bound under a name for the reader:
        ``alt.param(name="delta", value=1, bind=alt.binding_range(..., name="δ "))``. Its data are
        made in the chart (``alt.sequence``) or given to it, never loaded from an address.
    name : str
        What the figure is called on its page: lower-case words joined by hyphens, once a page.
    alt : str
        What is to be seen, in a sentence, for readers who do not see it.

    Raises
    ------
    TypeError
        If `chart` is no Altair chart.
    ValueError
        If `name` is not of that form, `alt` is no sentence, a slider has no name for the reader,
        or the data would be loaded from an address.

    Examples
    --------
    >>> import altair as alt
    >>> delta = alt.param(name="delta", value=1, bind=alt.binding_range(min=0.1, max=3, name="δ "))
    >>> lines = alt.Chart(alt.sequence(-3, 3, 0.1, as_="e")).mark_line().encode(x="e:Q", y="loss:Q")
    >>> chart = lines.transform_calculate(loss="datum.e * datum.e / delta").add_params(delta)
    >>> show(chart, "parabola", "A parabola that gets flatter as δ grows.")
    <interactive figure parabola: A parabola that gets flatter as δ grows.>
    """
    if not hasattr(chart, "to_dict") or (
        not hasattr(chart, "mark_line") and not hasattr(chart, "resolve_scale")
    ):
        raise TypeError(f"chart must be an Altair chart, but it is {type(chart).__name__}.")
    if not NAME.fullmatch(name):
        raise ValueError(
            f"name must be lower-case words joined by hyphens, such as 'huber-delta'; got {name!r}."
        )
    if len(alt.split()) < 4 or not alt.rstrip().endswith("."):
        raise ValueError(f"alt must say in a sentence what is to be seen; got {alt!r}.")
    spec = {**chart.to_dict(), "name": name, "description": alt}
    _check(spec)
    display(_Figure(spec))


class _Figure:
    def __init__(self, spec):
        self.spec = spec

    def __repr__(self):
        return f"<interactive figure {self.spec['name']}: {self.spec['description']}>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {MIME: self.spec, "text/plain": repr(self)}


def _check(spec):
    for param in spec.get("params", []):
        bind = param.get("bind")
        if isinstance(bind, dict) and "input" in bind and not bind.get("name", "").strip():
            raise ValueError(
                f"the slider {param['name']!r} has no name for the reader: bind it with "
                "alt.binding_range(..., name='δ ')."
            )
    for data in _data(spec):
        if "url" in data:
            raise ValueError(
                f"the chart would load {data['url']!r}, but the book works without a network: "
                "pass a data frame."
            )


def _data(part):
    if isinstance(part, dict):
        if isinstance(part.get("data"), dict):
            yield part["data"]
        for value in part.values():
            yield from _data(value)
    elif isinstance(part, list):
        for value in part:
            yield from _data(value)
