"""Loss functions that read like their formula, each with its gradient.

    from lossbook import huber
    huber(target, prediction, delta=1.0)
    huber.gradient(target, prediction, delta=1.0)

Regression: mse, rmse, mae, huber, log_cosh, pinball.
Classification: bce, bce_with_logits, nll, cross_entropy, hinge.
"""

from lossbook.classification import bce, bce_with_logits, cross_entropy, hinge, nll
from lossbook.regression import huber, log_cosh, mae, mse, pinball, rmse

__all__ = [
    "bce",
    "bce_with_logits",
    "cross_entropy",
    "hinge",
    "huber",
    "log_cosh",
    "mae",
    "mse",
    "nll",
    "pinball",
    "rmse",
]
