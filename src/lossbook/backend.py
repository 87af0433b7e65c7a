"""The few functions that the array API standard lacks, for NumPy, PyTorch and JAX.

No single formula for softplus has the right value, first and second derivative everywhere
under every automatic differentiation, so each library's own operation is used. The other
functions are built on that one or are written once for all three.
"""

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


def logsumexp(xp, x):
    """log of the sum of exp(x) over the last axis; the largest term is taken out first."""
    if is_torch_namespace(xp):
        return x.logsumexp(-1)
    if is_jax_namespace(xp):
        import jax

        return jax.nn.logsumexp(x, axis=-1)
    shift = _finite_maximum(xp, x)
    return xp.log(xp.sum(xp.exp(x - shift), axis=-1)) + shift[..., 0]


def _finite_maximum(xp, x):
    largest = xp.max(x, axis=-1, keepdims=True)
    # an infinite maximum would give inf - inf
    return xp.where(xp.isfinite(largest), largest, 0)


def log_softmax(xp, x):
    """The logarithm of the softmax over the last axis."""
    if is_torch_namespace(xp):
        return x.log_softmax(-1)
    if is_jax_namespace(xp):
        import jax

        return jax.nn.log_softmax(x, axis=-1)
    shifted = x - _finite_maximum(xp, x)  # first, because a large logsumexp has few decimals
    return shifted - logsumexp(xp, shifted)[..., None]


def softmax(xp, x):
    """exp(x) over its sum along the last axis."""
    return xp.exp(log_softmax(xp, x))


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


def one_hot(xp, labels, classes, dtype):
    """Rows of zeros with a one at each label; shape labels.shape + (classes,)."""
    index = xp.arange(classes, dtype=labels.dtype, device=_device(labels))
    return xp.astype(labels[..., None] == index, dtype)


def pick(xp, x, labels):
    """x[..., labels]: the entry of the last axis that each label names."""
    if is_torch_namespace(xp):
        labels = labels.long()  # torch gathers with int64 alone
    return xp.take_along_axis(x, labels[..., None], axis=-1)[..., 0]


def _device(x):
    return getattr(x, "device", None)


def _torch_functional():
    from torch.nn import functional

    return functional
