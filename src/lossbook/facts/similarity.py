r"""Facts about the losses that compare vectors."""

import numpy as np

import lossbook as lb
from lossbook.asks import lowest, no_lower
from lossbook.entry import Entry, SpecialCase, When
from lossbook.sampling import softmax


def _unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _cosine(arrays, parameters):
    target, prediction = arrays
    a, u = _unit(target), _unit(prediction)
    return {"a": a, "u": u, r"\kappa": a @ u, r"\lambda": np.linalg.norm(prediction)}


def _pair_of_vectors(arrays, parameters):
    target, first, second = arrays
    a, b = _unit(first), _unit(second)
    lengths = {r"\lambda": np.linalg.norm(first), r"\mu": np.linalg.norm(second)}
    return {"y": float(target), "a": a, "b": b, r"\kappa": a @ b, **lengths}


def _three_vectors(arrays, parameters):
    anchor, positive, negative = arrays
    near, far = anchor - positive, anchor - negative
    distances = {r"\lambda": np.linalg.norm(near), r"\mu": np.linalg.norm(far)}
    return {"u": _unit(near), "v": _unit(far), **distances}


def _rows(similarities, of_anchor):
    """One dictionary an anchor: its row of similarities, and what the formulas need beside it."""
    return [{"s": row, **of_anchor(i, row)} for i, row in enumerate(similarities)]


def _products(queries, keys, temperature, normalise, **_):
    if normalise:
        queries, keys = _unit(queries), _unit(keys)
    return queries @ keys.T / temperature


def _info_nce(arrays, parameters):
    s = _products(*arrays, **parameters)
    return _rows(s, lambda i, row: {"y": i, "p": softmax(row), "q": np.eye(len(row))[i]})


def _of_class(labels, embeddings, scale):
    s = scale * _unit(embeddings) @ _unit(embeddings).T
    same = labels[:, None] == labels
    return s, same & ~np.eye(len(labels), dtype=bool), ~same


def _supervised(arrays, parameters):
    labels, embeddings = arrays
    s, members, _ = _of_class(labels, embeddings, 1 / parameters["temperature"])

    def of_anchor(i, row):
        others = np.where(np.arange(len(row)) == i, -np.inf, row)
        return {"i": i, "a": members[i] / max(members[i].sum(), 1), "p": softmax(others)}

    return _rows(s, of_anchor)


def _nt_xent(arrays, parameters):
    n = len(arrays[0])
    views = _unit(np.concatenate(arrays))
    s = views @ views.T / parameters["temperature"]
    found = []
    for i in range(n):
        others = np.where(np.arange(2 * n) == i, -np.inf, s[i])
        own = np.eye(2 * n)[n + i]
        found.append({"s": s[i], "t": s[n + i], "i": i, "y": n + i, "p": softmax(others), "q": own})
    return found


def _siglip(arrays, parameters):
    cosines = _unit(arrays[0]) @ _unit(arrays[1]).T
    signs = 2 * np.eye(len(cosines)) - 1
    logits = parameters["scale"] * cosines + parameters["bias"]
    return [{"z": row, "y": sign} for row, sign in zip(logits, signs, strict=True)]


def _circle(arrays, parameters):
    labels, embeddings = arrays
    margin, scale = parameters["margin"], parameters["scale"]
    s, members, others = _of_class(labels, embeddings, 1.0)

    def of_anchor(i, row):
        push = np.exp(scale * np.maximum(0, row + margin) * (row - margin)) * others[i]
        pull = np.exp(scale * np.maximum(0, 1 + margin - row) * (1 - margin - row)) * members[i]
        product = push.sum() * pull.sum()
        return {
            r"\gamma": scale,
            "a": members[i].astype(float),
            "b": others[i].astype(float),
            "u": pull / (pull.sum() or 1),
            "v": push / (push.sum() or 1),
            "w": product / (1 + product),
        }

    return _rows(s, of_anchor)


def _hinge_embedding_asks(entry, parameters):
    """Of distances, which are at least 0: the best one for some shares of alike pairs."""
    margin = parameters["margin"]
    grid = np.linspace(0, 3 * margin, 3001)
    for share in (0.3, 0.7):
        like, unlike = (
            entry.loss(np.full(grid.shape, sign), grid, reduction="none", **parameters)
            for sign in (1, -1)
        )
        found = grid[np.argmin(share * like + (1 - share) * unlike)]
        if abs(found - (0 if share > 0.5 else margin)) > 1e-9:
            return f"the best distance is {found} if {share} of the pairs are alike"
    return ""


def _simplex(n):
    """n directions, as far apart as possible: each two have the cosine -1/(n - 1)."""
    return _unit(np.eye(n) - 1 / n)


def _value_apart(others, n, temperature):
    """The loss of a softmax whose own cosine is 1 and whose others are those of `_simplex`."""
    return np.log1p(others * np.exp(-n / ((n - 1) * temperature)))


def _own_vectors_apart(normalise, **_):
    vectors = _simplex(4) if normalise else 100.0 * np.eye(4)
    return vectors, vectors


def _siglip_asks(entry, parameters):
    """Where all pairs have one angle, the best one: few of the pairs belong together."""
    angles = np.linspace(0, np.pi, 2001)
    z = parameters["scale"] * np.cos(angles) + parameters["bias"]
    first = np.tile([1.0, 0.0], (3, 1))

    def of(angle):
        second = np.tile([np.cos(angle), np.sin(angle)], (3, 1))
        return float(entry.loss(first, second, **parameters))

    found = z[np.argmin([of(angle) for angle in angles])]
    step = parameters["scale"] * (angles[1] - angles[0])
    return "" if abs(found + np.log(2)) <= step else f"the best z is {found}"


ENTRIES = (
    Entry(
        loss=lb.cosine_distance,
        title="cosine distance",
        chinese="余弦距离",
        value=r"1 - \kappa",
        gradient=r"\frac{\kappa u_c - a_c}{\lambda}",
        legend="κ the cosine, a and u the target and the prediction at length 1, λ the length of "
        "the prediction",
        vectors=_cosine,
        minimiser="any multiple of the target above 0",
        asks=lowest(lambda rng: (np.array([1.0, 2.0, -1.0]), np.array([0.3, 0.6, -0.3]))),
        convex=False,
        smooth=False,
        bound=r"\infty",
        source="salton1975",
    ),
    Entry(
        loss=lb.hinge_embedding,
        title="hinge embedding",
        chinese="合页嵌入损失",
        value=r"\begin{cases} d & y = 1 \\ \max(0, m - d) & \text{otherwise} \end{cases}",
        gradient=r"""\begin{cases} 1 & y = 1 \\ -1 & d < m \\
            0 & \text{otherwise} \end{cases}""",
        minimiser="a distance of 0 if most pairs are alike, of m if most are not",
        asks=_hinge_embedding_asks,
        convex=True,
        smooth=False,
        bound=r"1",
        examples=({}, {"margin": 2.0}),
        source="collobert2011",
    ),
    Entry(
        loss=lb.contrastive,
        title="contrastive",
        chinese="对比损失",
        value=r"y d^2 + (1 - y) \max(0, m - d)^2",
        gradient=r"2 y d - 2 (1 - y) \max(0, m - d)",
        minimiser="(1 - η) m, with η the share of equal pairs",
        convex=True,
        smooth=True,
        bound=r"\infty",
        special_case=SpecialCase(
            lb.mse,
            "the square of hinge_embedding with labels 2 y - 1",
            lambda margin: {},
            arguments=lambda y, d, margin: (
                np.zeros_like(d),
                lb.hinge_embedding(2 * y - 1, d, margin=margin, reduction="none"),
            ),
        ),
        examples=({}, {"margin": 2.0}),
        source="hadsell2006",
    ),
    Entry(
        loss=lb.cosine_embedding,
        title="cosine embedding",
        chinese="余弦嵌入损失",
        value=r"""\begin{cases} 1 - \kappa & y = 1 \\
            \max(0, \kappa - m) & \text{otherwise} \end{cases}""",
        gradient=(
            r"""\begin{cases} \frac{\kappa a_c - b_c}{\lambda} & y = 1 \\
            \frac{b_c - \kappa a_c}{\lambda} & \kappa > m \\ 0 & \text{otherwise} \end{cases}""",
            r"""\begin{cases} \frac{\kappa b_c - a_c}{\mu} & y = 1 \\
            \frac{a_c - \kappa b_c}{\mu} & \kappa > m \\ 0 & \text{otherwise} \end{cases}""",
        ),
        legend="κ the cosine, a and b the two vectors at length 1, λ and μ their lengths",
        vectors=_pair_of_vectors,
        minimiser="one direction for a like pair, a cosine of at most m for an unlike one",
        asks=lowest(
            lambda rng: [
                (np.array(1.0), np.array([1.0, 2.0, -1.0]), np.array([2.0, 4.0, -2.0])),
                (np.array(-1.0), np.array([1.0, 0.0, 0.0]), np.array([0.0, 4.0, 0.0])),
            ]
        ),
        convex=False,
        smooth=False,
        bound=r"\infty",
        examples=({}, {"margin": 0.3}),
        source="collobert2011",
    ),
    Entry(
        loss=lb.triplet,
        title="triplet",
        chinese="三元组损失",
        value=r"\max(0, \lambda - \mu + m)",
        gradient=(
            r"\begin{cases} u_c - v_c & \lambda - \mu + m > 0 \\ 0 & \text{otherwise} \end{cases}",
            r"\begin{cases} -u_c & \lambda - \mu + m > 0 \\ 0 & \text{otherwise} \end{cases}",
            r"\begin{cases} v_c & \lambda - \mu + m > 0 \\ 0 & \text{otherwise} \end{cases}",
        ),
        legend="λ and μ the distances from the anchor to the positive and the negative, u and v "
        "the directions from them to the anchor",
        vectors=_three_vectors,
        minimiser="a negative farther away than the positive by m or more",
        asks=lowest(lambda rng: (np.zeros(3), np.eye(3)[0], 9.0 * np.eye(3)[1])),
        convex=False,
        smooth=False,
        bound=r"2",
        examples=({}, {"margin": 0.2}),
        source="schultz2003",
    ),
    Entry(
        loss=lb.info_nce,
        title="InfoNCE",
        chinese="InfoNCE 损失",
        value=r"\log(\sum_j (\exp(s_j))) - s_y",
        gradient=r"p_c - q_c",
        of="s",
        legend="y: the number of its own vector; s_j: the cosine of the anchor with vector j, or "
        "their product if they are not normalised, divided by τ; p: softmax(s); q: 1 for its own "
        "and 0 elsewhere",
        vectors=_info_nce,
        minimiser="if normalised, a cosine of 1 with its own vector, of -1/(n - 1) with the others",
        asks=no_lower(
            _own_vectors_apart,
            value=lambda temperature, normalise, **_: (
                _value_apart(3, 4, temperature) if normalise else 0.0
            ),
        ),
        convex=False,
        smooth=When("the vectors are not normalised", lambda normalise, **_: not normalise),
        bound=r"\infty",
        special_case=SpecialCase(
            lb.cross_entropy,
            "cross_entropy of the cosines / τ, whose label is the row's number",
            lambda **own: {},
            arguments=lambda queries, keys, **own: (
                np.arange(len(queries)),
                _products(queries, keys, **own),
            ),
        ),
        examples=({}, {"temperature": 1.0}, {"temperature": 1.0, "normalise": False}),
        source="vandenoord2018",
    ),
    Entry(
        loss=lb.supervised_contrastive,
        title="supervised contrastive",
        chinese="监督对比损失",
        value=r"\sum_j (a_j) \log(\sum_{j \ne i} (\exp(s_j))) - \sum_j (a_j s_j)",
        gradient=r"p_c \sum_j (a_j) - a_c",
        of="s",
        legend="s_j: the cosine of the anchor i with vector j, divided by τ; a: equal shares for "
        "the others of its class; p: softmax(s) over all others",
        vectors=_supervised,
        minimiser="a cosine of 1 within a class and of -1/(K - 1) between K classes of equal size",
        asks=no_lower(
            lambda **_: (np.arange(6) // 2, np.repeat(_simplex(3), 2, axis=0)),
            value=lambda temperature: _value_apart(4, 3, temperature),
        ),
        convex=False,
        smooth=False,
        bound=r"\infty",
        examples=({}, {"temperature": 1.0}),
        source="khosla2020",
    ),
    Entry(
        loss=lb.nt_xent,
        title="NT-Xent",
        chinese="NT-Xent 损失",
        value=r"""\frac12 (\log(\sum_{j \ne i} (\exp(s_j))) - s_y
            + \log(\sum_{j \ne y} (\exp(t_j))) - t_i)""",
        gradient=r"\frac12 (p_c - q_c)",
        of="s",
        legend="s_j and t_j: the cosines of the views i and y of one sample with view j, divided "
        "by τ; p: softmax(s) over all others; q: 1 for y and 0 elsewhere",
        vectors=_nt_xent,
        minimiser="a cosine of 1 between the views of a sample and of -1/(n - 1) between n samples",
        asks=no_lower(
            lambda **_: (_simplex(3), _simplex(3)),
            value=lambda temperature: _value_apart(4, 3, temperature),
        ),
        convex=False,
        smooth=False,
        bound=r"\infty",
        special_case=SpecialCase(
            lb.supervised_contrastive,
            "supervised_contrastive with one class a sample",
            arguments=lambda first, second, temperature: (
                np.tile(np.arange(len(first)), 2),
                np.concatenate((first, second)),
            ),
        ),
        examples=({}, {"temperature": 1.0}),
        source="chen2020",
    ),
    Entry(
        loss=lb.siglip,
        title="SigLIP",
        chinese="SigLIP 损失",
        value=r"\sum_j (\log(1 + \exp(-y_j z_j)))",
        gradient=r"-y_c \sigma(-y_c z_c)",
        of="z",
        legend="z_j: t times the cosine of the anchor with vector j, plus b; y_j: 1 for its own "
        "and -1 elsewhere",
        vectors=_siglip,
        minimiser="-log(n - 1), the log-odds of a pair, if one z serves all pairs",
        asks=_siglip_asks,
        convex=False,
        smooth=False,
        bound=r"\infty",
        examples=({}, {"scale": 1.0, "bias": 0.0}),
        source="zhai2023",
    ),
    Entry(
        loss=lb.circle,
        title="circle",
        chinese="Circle 损失",
        value=r"""\log(1 + \sum_j (b_j \exp(\gamma \max(0, s_j + m) (s_j - m)))
            \sum_k (a_k \exp(\gamma \max(0, 1 + m - s_k) (1 - m - s_k))))""",
        gradient=r"""\gamma w (2 v_c s_c \operatorname{sign}(\max(0, s_c + m))
            - 2 u_c (1 - s_c) \operatorname{sign}(\max(0, 1 + m - s_c)))""",
        of="s",
        legend="s_j: the cosine of the anchor with vector j; a and b: 1 for the others of its "
        "class, and for the other classes; u and v: the shares of the exponentials in the two "
        "sums; w: the share of their product in the logarithm's argument",
        vectors=_circle,
        minimiser="a cosine of 1 within a class and of 0 between classes",
        asks=no_lower(
            lambda **_: (np.array([0, 0, 1, 1]), np.repeat(np.eye(3)[:2], 2, axis=0)),
            sizes=(0.05,),
        ),
        convex=False,
        smooth=False,
        bound=r"\infty",
        examples=({"scale": 1.0, "margin": 0.4}, {"scale": 8.0, "margin": 0.25}),
        source="sun2020",
    ),
)
