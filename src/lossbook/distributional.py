"""Losses whose prediction is a distribution: its parameters lie on the last axis."""

import functools

from lossbook.loss import Loss


class DistributionalLoss(Loss):
    """A loss of a number against a predicted distribution of it.

    The prediction has one axis more than the target, the last, and on it the parameters of the
    distribution in the order of ``columns``: build it with ``stack((mean, log_variance), axis=-1)``
    or let a model have that many outputs. There is one loss value per target, and the gradient
    has the shape of the prediction.
    """

    def __init__(self, formula, *, columns, **settings):
        self.columns = columns
        super().__init__(formula, **settings)

    def _value_shape(self, prediction):
        return prediction.shape[:-1]

    def _over_samples(self, weight):
        return weight[..., None]

    def _check_target(self, xp, target, prediction, parameters):
        expected = (*target.shape, len(self.columns))
        if prediction.shape != expected:
            raise ValueError(
                f"{self.name}: {self.prediction_name} must hold {' and '.join(self.columns)} on "
                f"its last axis, shape {expected} for target of shape {tuple(target.shape)}; it "
                f"has shape {tuple(prediction.shape)}. Build it with "
                f"stack(({', '.join(self.columns)}), axis=-1)."
            )
        if 0 in target.shape:
            raise ValueError(
                f"{self.name}: target and {self.prediction_name} are empty; at least one value is "
                "needed."
            )
        self._check_type(xp, "target", target, prediction)


def distributional_loss(**settings):
    """Make a `DistributionalLoss`; ``columns`` names the parameters of the distribution.

    The other settings are those of `lossbook.loss.pointwise_loss`.
    """
    return functools.partial(DistributionalLoss, **settings)
