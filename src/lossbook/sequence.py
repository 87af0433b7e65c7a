"""Losses of a sequence whose labels are known, and where they stand is not."""

import math

from lossbook.backend import as_index, at_index, log_softmax, logsumexp, softmax
from lossbook.checks import find, is_whole
from lossbook.structured import structured_loss

IMPOSSIBLE = -1e30  # the log-probability of what cannot happen; -inf would have no gradient


def index(loss, name, value):
    """A parameter that must be an integer of at least 0."""
    if not is_whole(value, 0):
        raise ValueError(f"{loss}: {name} must be an integer of at least 0; it is {value!r}.")


def _check_ctc(xp, loss, *, target, logits, input_length, target_length, blank):
    classes, frames, most = logits.shape[-1], logits.shape[-2], target.shape[-1]
    if blank >= classes:
        raise ValueError(f"{loss}: blank is {blank}, but there are {classes} classes.")
    lengths = {"input_length": (input_length, 1, frames), "target_length": (target_length, 0, most)}
    for name, (length, least, largest) in lengths.items():
        if length is not None:
            found = find(xp, (length < least) | (length > largest), length)
            if found:
                raise ValueError(
                    f"{loss}: {name} must lie in {least}..{largest}, the shape of the array; it "
                    f"has {found}."
                )
    wrong = (target < 0) | (target >= classes) | (target == blank)
    found = find(xp, wrong & ~_is_padding(xp, target, target_length), target)
    if found:
        raise ValueError(
            f"{loss}: target must hold class indices in 0..{classes - 1} without the blank, "
            f"{blank}; it has {found}. Say with target_length where the padding begins."
        )


@structured_loss(
    shapes={
        "target": "... s",
        "logits": "... t c",
        "input_length": "...",
        "target_length": "...",
    },
    predictions=("logits",),
    labels=("target", "input_length", "target_length"),
    check=_check_ctc,
    blank=index,
)
def ctc(xp, target, logits, *, input_length=None, target_length=None, blank=0):
    """Connectionist temporal classification, on logits: a sequence without its alignment.

    ``ℓ(y, z) = -log Σ_a Π_t softmax(z_t)_(a_t)``, the sum over all alignments a: sequences of one
    class a frame that become y when repetitions are merged and then blanks are taken out;
    derivative ``softmax(z_t)_c - γ_tc``, with γ_tc the probability that frame t says c, given that
    the alignment is one of y.

    Shapes: logits (..., T, C), the class axis last; target (..., S) of class indices, padded at the
    end. ``input_length`` (...) in 1..T and ``target_length`` (...) in 0..S count the frames and the
    labels that are used; without them all are. Domain: logits real; ``blank`` is the class that
    says nothing. Unit: nats. Minimiser: logits whose softmax puts everything on alignments of y;
    there are many, and training tends to long blanks with a peak for each label.
    Convention: on logits, as in optax; torch and its F.ctc_loss take log-probabilities, time first,
    and divide each value by its target length in the mean; here the mean is over the sequences. A
    target that needs more frames than there are, one a label and one more between two equal labels,
    costs inf, and its gradient is NaN, as in torch: no direction makes it possible. Leave it out
    with weight 0 (torch: zero_infinity); ``reduction="none"`` shows which it is. The loop over
    frames is Python's, and a compiler unrolls it.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Graves et al. 2006.

    >>> import numpy as np
    >>> target, logits = np.array([1]), np.zeros((2, 2))  # 11, 01 and 10, three of four
    >>> round(float(ctc(target, logits)), 12)  # log(4 / 3)
    0.287682072452
    """
    lengths = input_length, target_length
    states, skips, length, count = _ctc_states(xp, target, logits, *lengths, blank)
    emissions = _ctc_emissions(xp, logits, states)
    total = _ctc_total(xp, _ctc_forward(xp, emissions, skips, length)[-1], count)
    infeasible = total < IMPOSSIBLE / 2
    # what comes below leaves the value as it is, but makes automatic differentiation find NaN
    total = total + 0 * xp.sum(emissions, axis=(-2, -1))
    return xp.where(infeasible, math.inf, -total * xp.where(infeasible, math.nan, 1))


@ctc.derivative
def ctc_derivative(xp, target, logits, *, input_length, target_length, blank):
    lengths = input_length, target_length
    states, skips, length, count = _ctc_states(xp, target, logits, *lengths, blank)
    emissions = _ctc_emissions(xp, logits, states)
    forward = _ctc_forward(xp, emissions, skips, length)
    backward = _ctc_backward(xp, emissions, skips, length, count)
    total = _ctc_total(xp, forward[-1], count)
    reached = xp.stack(forward, axis=-2) + xp.stack(backward, axis=-2)
    of_class = xp.astype(at_index(xp, states, logits), logits.dtype)  # (..., 2 S + 1, C)
    # each frame is in some state: the softmax divides by their sum, whose rounding then cancels
    slopes = softmax(xp, logits) - xp.matmul(softmax(xp, reached), of_class)
    slopes = xp.where((total < IMPOSSIBLE / 2)[..., None, None], math.nan, slopes)
    frames = xp.arange(logits.shape[-2], device=getattr(logits, "device", None))
    return (xp.where((frames < length[..., None])[..., None], slopes, 0),)


def _is_padding(xp, target, target_length):
    if target_length is None:
        return xp.zeros_like(target, dtype=xp.bool)
    positions = xp.arange(target.shape[-1], device=getattr(target, "device", None))
    return positions >= target_length[..., None]


def _ctc_states(xp, target, logits, input_length, target_length, blank):
    """The classes of the 2 S + 1 states: a blank, a label, a blank, … and a blank.

    Also where the blank between two labels may be skipped, because they differ, and both lengths.
    """
    labels = xp.where(_is_padding(xp, target, target_length), blank, target)
    blanks = xp.full_like(labels, blank)
    pairs = xp.stack((blanks, labels), axis=-1)
    states = pairs.reshape(*labels.shape[:-1], 2 * labels.shape[-1])
    states = as_index(xp, xp.concat((states, blanks[..., :1]), axis=-1))
    skips = (states[..., 2:] != states[..., :-2]) & (states[..., 2:] != blank)
    samples = xp.zeros_like(labels[..., 0])
    length = samples + logits.shape[-2] if input_length is None else input_length
    count = samples + target.shape[-1] if target_length is None else target_length
    return states, skips, length, count


def _ctc_emissions(xp, logits, states):
    """The log-probability of each state's class in each frame, (..., T, 2 S + 1)."""
    frames = logits.shape[-2]
    classes = xp.broadcast_to(states[..., None, :], (*states.shape[:-1], frames, states.shape[-1]))
    emissions = xp.take_along_axis(log_softmax(xp, logits), classes, axis=-1)
    return xp.where(emissions < IMPOSSIBLE, IMPOSSIBLE, emissions)


def _ctc_forward(xp, emissions, skips, length):
    """For each frame the log-probability of all beginnings that end in each state."""
    first = emissions[..., 0, :]
    start = xp.full_like(first, IMPOSSIBLE)
    reached = [xp.concat((first[..., :2], start[..., 2:]), axis=-1)]
    for t in range(1, emissions.shape[-2]):
        stay = reached[-1]
        step = xp.concat((start[..., :1], stay[..., :-1]), axis=-1)
        skip = xp.concat((start[..., :2], xp.where(skips, stay[..., :-2], IMPOSSIBLE)), axis=-1)
        moved = logsumexp(xp, xp.stack((stay, step, skip), axis=-1)) + emissions[..., t, :]
        reached.append(xp.where((length > t)[..., None], moved, stay))
    return reached


def _ctc_backward(xp, emissions, skips, length, count):
    """For each frame the log-probability of all ends that follow each state."""
    states = emissions.shape[-1]
    position = xp.arange(states, device=getattr(emissions, "device", None))
    distance = 2 * count[..., None] - position
    is_last = (distance == 0) | (distance == 1)
    nothing = xp.full_like(emissions[..., 0, :], IMPOSSIBLE)
    last = xp.where(is_last, 0, nothing)
    following = [last]
    for t in range(emissions.shape[-2] - 2, -1, -1):
        stay = following[0] + emissions[..., t + 1, :]
        step = xp.concat((stay[..., 1:], nothing[..., :1]), axis=-1)
        skip = xp.concat((xp.where(skips, stay[..., 2:], IMPOSSIBLE), nothing[..., :2]), axis=-1)
        moved = logsumexp(xp, xp.stack((stay, step, skip), axis=-1))
        following.insert(0, xp.where((length - 1 > t)[..., None], moved, last))
    return following


def _ctc_total(xp, reached, count):
    """The log-probability of the two ends: the last blank, and the last label before it."""
    position = xp.arange(reached.shape[-1], device=getattr(reached, "device", None))
    distance = 2 * count[..., None] - position
    return logsumexp(xp, xp.where((distance == 0) | (distance == 1), reached, IMPOSSIBLE))
