r"""Facts about Barron's family of robust losses."""

import math

import numpy as np

import lossbook as lb
from lossbook.entry import ERROR, Entry, SpecialCase, When

IN_SCALE = (("e", r"\frac{\hat y - y}{c}"),)


def _case_of_barron(alpha, words):
    return SpecialCase(
        lb.barron, f"barron with α = {words}", lambda scale: {"alpha": alpha, "scale": scale}
    )


def _a_target(entry, parameters):
    """The best constant for targets that lie close together, by search."""
    for seed in range(5):
        y = np.random.default_rng(seed).uniform(0, parameters["width"], size=9)
        grid = np.union1d(np.linspace(0, parameters["width"], 5001), y)
        pairs = np.broadcast_to(y, (len(grid), 9)), np.repeat(grid, 9).reshape(-1, 9)
        risks = entry.loss(*pairs, reduction="none", **parameters).mean(axis=1)
        if grid[np.argmin(risks)] not in y:
            return f"the best constant is {grid[np.argmin(risks)]}, no target"
    return ""


SCALES = ({}, {"scale": 3.0})
ENTRIES = (
    Entry(
        loss=lb.barron,
        title="Barron's general robust loss",
        chinese="Barron 通用鲁棒损失",
        value=r"""\begin{cases} \frac12 e^2 & \alpha = 2 \\
            \log(\frac12 e^2 + 1) & \alpha = 0 \\
            \frac{\beta}{\alpha} ((\frac{e^2}{\beta} + 1)^{\frac{\alpha}{2}} - 1)
            & \text{otherwise} \end{cases}""",
        gradient=r"""\begin{cases} \frac{e}{c} & \alpha = 2 \\
            \frac{e}{c} (\frac{e^2}{\beta} + 1)^{\frac{\alpha}{2} - 1}
            & \text{otherwise} \end{cases}""",
        where=(*IN_SCALE, ("\\beta", r"|\alpha - 2|")),
        minimiser="the mean for α = 2, otherwise neither the mean nor the median",
        convex=When("α ≥ 1", lambda alpha, **_: alpha >= 1),
        smooth=True,
        bound=r"""\begin{cases} \infty & \alpha > 1 \\ \frac1c & \alpha = 1 \\
            \frac1c \sqrt{\frac{\beta}{1 - \alpha}}
            (\frac{2 - \alpha}{1 - \alpha})^{\frac{\alpha}{2} - 1} & \alpha < 1 \end{cases}""",
        activation="identity",
        examples=tuple(
            {"alpha": alpha, "scale": 1.2} for alpha in (1.0, 1.5, 2.0, 4.0, 0.0, -2.0, -10.0)
        ),
        source="barron2019",
    ),
    Entry(
        loss=lb.charbonnier,
        title="Charbonnier",
        chinese="Charbonnier 损失",
        value=r"\sqrt{e^2 + 1} - 1",
        gradient=r"\frac{e}{c \sqrt{e^2 + 1}}",
        where=IN_SCALE,
        minimiser="neither the mean nor the median",
        convex=True,
        smooth=True,
        bound=r"\frac1c",
        activation="identity",
        likelihood="hyperbolic",
        special_case=_case_of_barron(1.0, "1"),
        examples=SCALES,
        source="charbonnier1994",
    ),
    Entry(
        loss=lb.cauchy,
        title="Cauchy",
        chinese="柯西损失",
        value=r"\log(\frac12 e^2 + 1)",
        gradient=r"\frac{e}{c (\frac12 e^2 + 1)}",
        where=IN_SCALE,
        minimiser="neither the mean nor the median",
        convex=False,
        smooth=True,
        bound=r"\frac{1}{c \sqrt{2}}",
        activation="identity",
        likelihood="Cauchy",
        special_case=_case_of_barron(0.0, "0"),
        examples=SCALES,
        source="black1996",
    ),
    Entry(
        loss=lb.geman_mcclure,
        title="Geman-McClure",
        chinese="Geman-McClure 损失",
        value=r"\frac{2 e^2}{e^2 + 4}",
        gradient=r"\frac{16 e}{c (e^2 + 4)^2}",
        where=IN_SCALE,
        minimiser="neither the mean nor the median",
        convex=False,
        smooth=True,
        bound=r"\frac{3 \sqrt{3}}{8 c}",
        activation="identity",
        special_case=_case_of_barron(-2.0, "-2"),
        examples=SCALES,
        source="geman1985",
    ),
    Entry(
        loss=lb.welsch,
        title="Welsch",
        chinese="Welsch 损失",
        value=r"1 - \exp(-\frac12 e^2)",
        gradient=r"\frac{e}{c} \exp(-\frac12 e^2)",
        where=IN_SCALE,
        minimiser="neither the mean nor the median",
        convex=False,
        smooth=True,
        bound=r"\frac{1}{c} \exp(-\frac12)",
        activation="identity",
        special_case=_case_of_barron(-math.inf, "-∞"),
        examples=SCALES,
        source="dennis1978",
    ),
    Entry(
        loss=lb.wing,
        title="wing",
        chinese="Wing 损失",
        value=r"""\begin{cases} w \log(1 + \frac{|e|}{\varepsilon}) & |e| \le w \\
            |e| - w + w \log(1 + \frac{w}{\varepsilon}) & \text{otherwise} \end{cases}""",
        gradient=r"""\begin{cases} \frac{w}{\varepsilon + |e|} \operatorname{sign}(e) & |e| \le w \\
            \operatorname{sign}(e) & \text{otherwise} \end{cases}""",
        where=ERROR,
        minimiser="one of the targets, if all lie within w of each other",
        asks=_a_target,
        convex=False,
        smooth=False,
        bound=r"\max(1, \frac{w}{\varepsilon})",
        activation="identity",
        examples=({}, {"width": 1.0, "curvature": 0.5}, {"width": 1.0, "curvature": 2.0}),
        source="feng2018",
    ),
)
