r"""Facts about the losses that are likelihoods, or scores of a predicted distribution."""

import numpy as np

import lossbook as lb
from lossbook.entry import Entry, SpecialCase, When


def _levels(arrays, parameters):
    target, prediction = arrays
    size = len(prediction)
    levels = (np.arange(size) + 0.5) / size
    return {"y": float(target), r"\hat y": prediction, r"\tau": levels, "K": size + 0.0}


def _quantiles(entry, parameters):
    """No other predictions are better for targets drawn at random than their own quantiles."""
    rng = np.random.default_rng(0)
    y = np.exp(rng.normal(size=41))
    best = np.quantile(y, (np.arange(3) + 0.5) / 3, method="inverted_cdf")

    def risk(prediction):
        return float(entry.loss(y, np.tile(prediction, (41, 1)), **parameters))

    sizes = np.repeat((0.01, 0.1, 1.0), 30)
    nearby = [risk(best + size * rng.normal(size=3)) for size in sizes]
    return "" if risk(best) <= min(nearby) else "other quantiles cost less"


ENTRIES = (
    Entry(
        loss=lb.poisson_nll,
        title="Poisson negative log-likelihood",
        chinese="泊松负对数似然",
        value=r"\exp(z) - y z",
        gradient=r"\exp(z) - y",
        minimiser="the logarithm of the mean",
        convex=True,
        smooth=True,
        bound=r"\infty",
        activation="exp",
        inside=True,
        canonical=True,
        likelihood="Poisson",
        source="nelder1972",
    ),
    Entry(
        loss=lb.gamma_nll,
        title="gamma negative log-likelihood",
        chinese="伽马负对数似然",
        value=r"y \exp(-z) + z",
        gradient=r"1 - y \exp(-z)",
        minimiser="the logarithm of the mean",
        convex=True,
        smooth=True,
        bound=r"\infty",
        activation="exp",
        inside=True,
        likelihood="exponential",
        source="nelder1972",
    ),
    Entry(
        loss=lb.tweedie_deviance,
        title="Tweedie deviance",
        chinese="Tweedie 偏差",
        value=r"""\begin{cases} (\hat y - y)^2 & \rho = 0 \\
            2 (y \log(\frac{y}{\hat y}) - y + \hat y) & \rho = 1 \\
            2 (\frac{y}{\hat y} - 1 - \log(\frac{y}{\hat y})) & \rho = 2 \\
            2 (y \frac{y^{1 - \rho} - \hat y^{1 - \rho}}{1 - \rho}
            - \frac{y^{2 - \rho} - \hat y^{2 - \rho}}{2 - \rho}) & \text{otherwise} \end{cases}""",
        gradient=r"2 \frac{\hat y - y}{\hat y^{\rho}}",
        minimiser="the mean",
        convex=When("ρ is 0 or 1", lambda power: power in (0, 1)),
        smooth=True,
        bound=r"\infty",
        activation="exp",
        examples=tuple({"power": power} for power in (1.5, 0, 1, 2, 3, -1)),
        sample=lambda rng, n, spread: _amounts(rng, n, spread),
        source="tweedie1984",
    ),
    Entry(
        loss=lb.poisson_deviance,
        title="Poisson deviance",
        chinese="泊松偏差",
        value=r"2 (y \log(\frac{y}{\hat y}) - y + \hat y)",
        gradient=r"2 (1 - \frac{y}{\hat y})",
        minimiser="the mean",
        convex=True,
        smooth=True,
        bound=r"\infty",
        activation="exp",
        canonical=True,
        likelihood="Poisson",
        times=0.5,
        special_case=SpecialCase(
            lb.tweedie_deviance, "tweedie_deviance with power 1", lambda: {"power": 1}
        ),
        source="nelder1972",
    ),
    Entry(
        loss=lb.gamma_deviance,
        title="gamma deviance",
        chinese="伽马偏差",
        value=r"2 (\frac{y}{\hat y} - 1 - \log(\frac{y}{\hat y}))",
        gradient=r"2 \frac{\hat y - y}{\hat y^2}",
        minimiser="the mean",
        convex=False,
        smooth=True,
        bound=r"\infty",
        activation="exp",
        likelihood="exponential",
        times=0.5,
        special_case=SpecialCase(
            lb.tweedie_deviance, "tweedie_deviance with power 2", lambda: {"power": 2}
        ),
        source="nelder1972",
    ),
    Entry(
        loss=lb.gaussian_nll,
        title="Gaussian negative log-likelihood",
        chinese="高斯负对数似然",
        value=r"\frac12 (s + (\mu - y)^2 \exp(-s))",
        gradient=(r"(\mu - y) \exp(-s)", r"\frac12 (1 - (\mu - y)^2 \exp(-s))"),
        minimiser="the mean, and the logarithm of the variance",
        convex=False,
        smooth=True,
        bound=r"\infty",
        activation="identity",
        likelihood="normal",
        proper=True,
        source="harvey1976",
    ),
    Entry(
        loss=lb.laplace_nll,
        title="Laplace negative log-likelihood",
        chinese="拉普拉斯负对数似然",
        value=r"|\mu - y| \exp(-s) + s",
        gradient=(r"\operatorname{sign}(\mu - y) \exp(-s)", r"1 - |\mu - y| \exp(-s)"),
        minimiser="the median, and the logarithm of the mean deviation from it",
        convex=False,
        smooth=False,
        bound=r"\infty",
        activation="identity",
        likelihood="Laplace",
        proper=True,
        source="laplace1774",
    ),
    Entry(
        loss=lb.crps_gaussian,
        title="CRPS of a normal distribution",
        chinese="正态分布的连续排名概率评分",
        value=r"""e (2 \Phi(\frac{e}{\omega}) - 1)
            + \omega (2 \varphi(\frac{e}{\omega}) - \frac{1}{\sqrt{\pi}})""",
        gradient=(
            r"2 \Phi(\frac{e}{\omega}) - 1",
            r"\frac12 \omega (2 \varphi(\frac{e}{\omega}) - \frac{1}{\sqrt{\pi}})",
        ),
        where=(("e", r"\mu - y"), (r"\omega", r"\exp(\frac12 s)")),
        minimiser="neither the mean nor the median",
        convex=False,
        smooth=True,
        bound=r"\infty",
        activation="identity",
        proper=True,
        source="gneiting2005",
    ),
    Entry(
        loss=lb.crps_quantiles,
        title="CRPS of quantiles",
        chinese="分位数的连续排名概率评分",
        value=r"""\frac{2}{K} \sum_k
            (\max(\tau_k (y - \hat y_k), (1 - \tau_k) (\hat y_k - y)))""",
        gradient=r"""\begin{cases} -\frac{2 \tau_c}{K} & \hat y_c < y \\
            \frac{2 (1 - \tau_c)}{K} & \hat y_c > y \\ 0 & \text{otherwise} \end{cases}""",
        legend="τ_k = (k - ½)/K the level of quantile k of K",
        vectors=_levels,
        minimiser="the quantiles at the levels",
        asks=_quantiles,
        convex=True,
        smooth=False,
        bound=r"\frac{2 K - 1}{K^2}",
        activation="identity",
        source="laio2007",
    ),
)


def _amounts(rng, n, spread):
    """A target and a mean above 0, which every power allows."""
    return tuple(np.exp(np.log1p(spread) * rng.normal(size=(2, n))))
