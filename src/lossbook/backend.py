"""The few functions that the array API standard lacks, for NumPy, PyTorch and JAX.

No single formula for softplus has the right value, first and second derivative everywhere
under every automatic differentiation, so each library's own operation is used. The other
functions are built on that one or are written once for all three.
"""

import functools
import math

from array_api_compat import is_jax_namespace, is_torch_namespace


def softplus(xp, x):
    """log(1 + exp(x)), elementwise; no overflow for large x, no zero for very negative x."""
    if is_torch_namespace(xp):
        # torch's own softplus becomes x above 20 and loses the last digits there
        return -_torch_functional().logsigmoid(-x)
    if is_jax_namespace(xp):
        import jax

        return jax.nn.softplus(x)
    return xp.logaddexp(xp.zeros((), dtype=x.dtype), x)


def log_sigmoid(xp, x):
    """log(1 / (1 + exp(-x))), elementwise."""
    return -softplus(xp, -x)


def sigmoid(xp, x):
    """1 / (1 + exp(-x)), elementwise, with full relative accuracy in both tails."""
    if is_torch_namespace(xp):
        return x.sigmoid()
    if is_jax_namespace(xp):
        import jax

        return jax.nn.sigmoid(x)
    tail = xp.exp(-abs(x))  # never overflows
    return xp.where(x >= 0, 1, tail) / (1 + tail)


def centred(xp, x):
    """Scores with the row's largest taken out, and the log of the sum of their exponentials.

    ``log Σ exp(x) = m + log1p(Σ exp(x - m) over the others)``, with m the largest. Nothing
    overflows, and a sum that is barely above its largest term keeps its digits: the usual form
    with log instead of log1p rounds 1 + 1e-9 to 1 in float32. A difference of the two results
    never meets m again, which would round at the size of m.
    """
    if hasattr(xp, "centred") and (result := xp.centred(x)):
        return result
    index = xp.argmax(x, axis=-1)
    largest = pick(xp, x, index)
    finite = xp.isfinite(largest)
    scores = x - xp.where(finite, largest, 0)[..., None]  # inf - inf would be NaN
    others = xp.where(at_index(xp, index, x), -math.inf, scores)
    log_total = xp.log1p(xp.sum(xp.exp(others), axis=-1))
    return scores, xp.where(finite, log_total, largest)


def logsumexp(xp, x):
    """log of the sum of exp(x) over the last axis."""
    _, log_total = centred(xp, x)
    # one of the largest, as in `centred`: xp.max would share its gradient among those that tie
    largest = pick(xp, x, xp.argmax(x, axis=-1))
    return xp.where(xp.isfinite(largest), log_total + largest, largest)


def log_softmax(xp, x):
    """The logarithm of the softmax over the last axis."""
    scores, log_total = centred(xp, x)
    return scores - log_total[..., None]


def softmax(xp, x):
    """exp(x) over its sum along the last axis."""
    terms = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return terms / xp.sum(terms, axis=-1, keepdims=True)


def complement(xp, x):
    """1 - softmax(x), the probability of all other classes, with its digits where it is tiny."""
    return -xp.expm1(log_softmax(xp, x))


def product(xp, x, y):
    """x · y, where 0 times anything is 0, infinity and its gradient included."""
    return x * xp.where(x == 0, 0, y)


def xlogy(xp, x, y):
    """x · log(y), and 0 where x is 0."""
    # the inner `where` keeps the gradient finite where the outer value is fixed at 0
    return x * xp.log(xp.where(x == 0, 1, y))


def xlog1py(xp, x, y):
    """x · log(1 + y), and 0 where x is 0; exact for tiny y."""
    return x * xp.log1p(xp.where(x == 0, 0, y))


def log1p_square(xp, x):
    """log(1 + x²), elementwise; no overflow for large x, and all digits for tiny x."""
    is_near = abs(x) < 1
    near, far = xp.where(is_near, x, 0), xp.where(is_near, 1, abs(x))
    return xp.where(is_near, xp.log1p(near**2), 2 * xp.log(far) + xp.log1p(far**-2))


def lgamma(xp, x):
    """The logarithm of the gamma function, elementwise."""
    if is_torch_namespace(xp):
        return x.lgamma()
    if is_jax_namespace(xp):
        import jax

        return jax.lax.lgamma(x)
    from scipy.special import gammaln

    return gammaln(x)


def erf(xp, x):
    """The error function, elementwise."""
    if is_torch_namespace(xp):
        return x.erf()
    if is_jax_namespace(xp):
        import jax

        return jax.lax.erf(x)
    from scipy.special import erf

    return erf(x)


def norm(xp, x):
    """The Euclidean length of the vectors on the last axis; its gradient at length 0 is 0.

    Scaled by the largest coordinate, so that no square overflows or underflows.
    """
    scale = _largest_coordinate(xp, x)
    total = xp.sum((x / scale) ** 2, axis=-1)
    # the inner `where` keeps the gradient at length 0 finite
    length = xp.where(total == 0, 0, xp.sqrt(xp.where(total == 0, 1, total)))
    return scale[..., 0] * length


def unit(xp, x):
    """The vectors on the last axis, each divided by its length; at length 0, 0 with gradient 0."""
    scaled = x / _largest_coordinate(xp, x)
    total = xp.sum(scaled**2, axis=-1, keepdims=True)
    return xp.where(total == 0, 0, scaled / xp.sqrt(xp.where(total == 0, 1, total)))


def cosine(xp, x, y):
    """The cosine of the angle of the vectors on the last axis; 0 at length 0, with gradient 0."""
    x, y = x / _largest_coordinate(xp, x), y / _largest_coordinate(xp, y)
    lengths = norm(xp, x) * norm(xp, y)
    return xp.sum(x * y, axis=-1) / xp.where(lengths == 0, 1, lengths)


def _largest_coordinate(xp, x):
    """The largest size of a coordinate, one a vector, to a power of 2; 1 where it cannot divide.

    A division by a power of 2 rounds nothing.
    """
    largest = xp.max(abs(x), axis=-1)
    usable = (largest > 0) & xp.isfinite(largest)
    scale = 2 ** xp.floor(xp.log2(xp.where(usable, largest, 1)))[..., None]
    return constant(xp, scale)  # it cancels


def constant(xp, x):
    """x, which automatic differentiation takes for a constant."""
    if is_torch_namespace(xp):
        return x.detach()
    if is_jax_namespace(xp):
        import jax

        return jax.lax.stop_gradient(x)
    return x


def recomputed(xp, function):
    """The function, whose intermediate arrays automatic differentiation does not keep.

    It computes them a second time when it needs them: time for memory.
    """
    if is_torch_namespace(xp):
        return functools.partial(_checkpoint, function)
    if is_jax_namespace(xp):
        import jax

        return jax.checkpoint(function)
    return function


def _checkpoint(function, *arrays):
    from torch.utils.checkpoint import checkpoint

    try:
        return checkpoint(function, *arrays, use_reentrant=False)
    except RuntimeError as error:
        if "saved tensor hooks" not in str(error):
            raise
        return function(*arrays)  # torch.func cannot recompute: it keeps them


def at_index(xp, index, like):
    """True at the index of each row, False elsewhere; the shape of ``like``."""
    if hasattr(xp, "at_index"):
        return xp.at_index(index, like)
    positions = xp.arange(like.shape[-1], device=getattr(like, "device", None))
    return index[..., None] == positions


def one_hot(xp, labels, like):
    """Rows of zeros with a one at each label, of the shape and type of ``like``."""
    return xp.astype(at_index(xp, labels, like), like.dtype)


def pick(xp, x, labels):
    """x[..., labels]: the entry of the last axis that each label names."""
    return xp.take_along_axis(x, as_index(xp, labels)[..., None], axis=-1)[..., 0]


def as_index(xp, labels):
    """Labels in an integer type that the library can gather with: int64 in torch."""
    return labels.long() if is_torch_namespace(xp) else labels


def _torch_functional():
    from torch.nn import functional

    return functional
