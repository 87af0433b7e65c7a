"""Losses for preferences: of two answers of a model, one was chosen and one was rejected."""

from lossbook.checks import fraction, positive
from lossbook.classification import bce_with_logits, bce_with_logits_derivative
from lossbook.regression import mse, mse_derivative
from lossbook.structured import structured_loss

LOG_PROBABILITIES = {
    "policy_chosen": "...",
    "policy_rejected": "...",
    "reference_chosen": "...",
    "reference_rejected": "...",
}


@structured_loss(
    shapes=LOG_PROBABILITIES,
    predictions=("policy_chosen", "policy_rejected"),
    beta=positive,
    label_smoothing=fraction,
)
def dpo(
    xp,
    policy_chosen,
    policy_rejected,
    reference_chosen,
    reference_rejected,
    *,
    beta=0.1,
    label_smoothing=0.0,
):
    """Direct preference optimisation: the chosen answer must gain more than the rejected one.

    ``ℓ = log(1 + exp(-β Δ))`` with ``Δ = (π_c - r_c) - (π_r - r_r)``, where π are the
    log-probabilities of the trained policy and r those of the reference; derivatives
    ``-β σ(-β Δ)`` for the chosen and ``β σ(-β Δ)`` for the rejected answer.

    Shapes: four arrays alike, any shape; one pair of answers a value. Domain: logarithms of
    probabilities, each the sum over the tokens of one answer; ``beta`` β > 0. Unit: nats.
    Minimiser: Δ equal to the log-odds of the preference, divided by β.
    ``label_smoothing`` ε in [0, 1) takes each preference for wrong with probability ε:
    ``(1 - ε) ℓ(Δ) + ε ℓ(-Δ)``, the conservative form, whose least value is at a finite Δ.
    Convention: `logistic` of β Δ, and smoothed `bce_with_logits` with the target 1 - ε. The
    gradient is that of the policy alone. Δ subtracts the reference first, because the sums of a
    long answer are large and close to each other. TRL's default is the same.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Rafailov et al. 2023.

    >>> import numpy as np
    >>> logs = np.log([0.2, 0.1, 0.1, 0.1])[:, None]  # the policy doubled the chosen answer
    >>> round(float(dpo(*logs, beta=1.0)), 12)  # log(1 + 1/2)
    0.405465108108
    """
    gain = _gain(policy_chosen, policy_rejected, reference_chosen, reference_rejected)
    return bce_with_logits.formula(xp, xp.full_like(gain, 1 - label_smoothing), beta * gain)


@dpo.derivative
def dpo_derivative(
    xp,
    policy_chosen,
    policy_rejected,
    reference_chosen,
    reference_rejected,
    *,
    beta,
    label_smoothing,
):
    gain = _gain(policy_chosen, policy_rejected, reference_chosen, reference_rejected)
    slope = beta * bce_with_logits_derivative(xp, 1 - label_smoothing, beta * gain)
    return slope, -slope


@structured_loss(
    shapes=LOG_PROBABILITIES,
    predictions=("policy_chosen", "policy_rejected"),
    beta=positive,
)
def ipo(xp, policy_chosen, policy_rejected, reference_chosen, reference_rejected, *, beta=0.1):
    """Identity preference optimisation: the chosen answer must be ahead by a fixed amount.

    ``ℓ = (Δ - 1/(2 β))²`` with ``Δ = (π_c - r_c) - (π_r - r_r)``, where π are the
    log-probabilities of the trained policy and r those of the reference; derivatives
    ``2 (Δ - 1/(2 β))`` for the chosen answer and minus that for the rejected one.

    Shapes: four arrays alike, any shape; one pair of answers a value. Domain: logarithms of
    probabilities, each the sum over the tokens of one answer; ``beta`` β > 0. Unit: nats².
    Minimiser: ``Δ = (2 η - 1)/(2 β)``, where η is the probability of the preference; finite even
    if that is 1, where `dpo` drives Δ to infinity.
    Convention: `mse` of Δ; β is the paper's τ. TRL passes the means over the tokens instead of
    their sums.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Azar et al. 2024.

    >>> import numpy as np
    >>> logs = np.array([-1.0, -2.0, -2.0, -2.0])[:, None]  # Δ = 1, wanted 2
    >>> float(ipo(*logs, beta=0.25))
    1.0
    """
    gain = _gain(policy_chosen, policy_rejected, reference_chosen, reference_rejected)
    return mse.formula(xp, 1 / (2 * beta), gain)


@ipo.derivative
def ipo_derivative(
    xp, policy_chosen, policy_rejected, reference_chosen, reference_rejected, *, beta
):
    gain = _gain(policy_chosen, policy_rejected, reference_chosen, reference_rejected)
    slope = mse_derivative(xp, 1 / (2 * beta), gain)
    return slope, -slope


def _gain(policy_chosen, policy_rejected, reference_chosen, reference_rejected):
    """How much more the policy raised the chosen answer than the rejected one."""
    return (policy_chosen - reference_chosen) - (policy_rejected - reference_rejected)
