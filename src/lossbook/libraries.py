"""Each loss in other libraries: where it is, how to call it, and how its value differs.

`EQUIVALENTS` maps the name of a loss of this module to a list of `Equivalent`. The tests run each
call as it is written here, on the installed library, and compare value and gradient with ours
times the factor. `LEFT_OUT` holds the names that are not compared, each with its reason.

    >>> for equivalent in EQUIVALENTS["smooth_l1"]:
    ...     print(equivalent.path, equivalent.factor)
    torch.nn.functional.smooth_l1_loss 1
    torch.nn.SmoothL1Loss 1
    >>> [e.call for e in EQUIVALENTS["huber"] if e.library == "optax"]
    ['optax.losses.huber_loss(prediction, target, delta=delta)']

No library is imported here; a page that only prints the table needs none.
"""

import dataclasses
import importlib
import re

MODULES = {  # the names that a call may use, and the modules they stand for
    "torch": ("torch",),
    "keras": ("keras",),
    "tensorflow": ("tf",),
    "sklearn": ("sklearn", "np", "scipy"),
    "optax": ("optax", "jax", "jnp"),
}
ALIASES = {"tf": "tensorflow", "np": "numpy", "jnp": "jax.numpy"}
SUBMODULES = (
    "sklearn.metrics",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "sklearn._loss.loss",
    "scipy.special",
    "optax.losses",
)

# What holds for every loss of a library.
CONVENTIONS = {
    "torch": "(input, target): the prediction comes first. The mean by default. The class axis is "
    "the second.",
    "keras": "(y_true, y_pred). A class takes the mean over everything and casts to float32; the "
    "function of the same name takes the mean over the last axis alone.",
    "tensorflow": "labels and logits by name. One value per sample, but l2_loss is a sum. "
    "tf.keras.losses is keras.losses.",
    "sklearn": "(y_true, y_pred). A metric takes the mean; the loss of an estimator has one value "
    "per sample.",
    "optax": "(predictions, targets): the prediction comes first. One value per sample, but "
    "ntxent, ranking_softmax_loss and multiclass_generalized_dice_loss are means.",
}


@dataclasses.dataclass(frozen=True)
class Equivalent:
    """A loss in another library.

    ``call`` is Python: the path, and after it the arguments in the names of our signature. In the
    loss of an estimator, or of a class that an estimator uses, ``on`` holds the arrays that the
    object's own loss gets.

    ``value = factor × ours``, where the factor may name our parameters, ``C`` (the classes) and
    ``n`` (the samples). A value of its own per sample is compared with our ``reduction="none"``,
    a single number with our mean, or with the ``reduction`` that is named. If ``up_to_constant``,
    there is one more term, which no prediction changes.

    ``target`` and ``prediction`` narrow what the library takes, or where the two agree:
    "labels" (0 and 1), "distributions", "positive", "shares" (of the masks at each pixel),
    "all frames". ``parameters`` narrow our parameters. ``weight`` is what our loss gets as weight.
    """

    call: str
    factor: str = "1"
    note: str = ""
    on: str = ""
    reduction: str = ""
    up_to_constant: bool = False
    target: str = ""
    prediction: str = ""
    parameters: tuple = ()
    weight: str = ""
    name: str = ""  # of what the call is about, if it is not what stands before its first bracket

    @property
    def path(self):
        """The importable path, such as ``torch.nn.functional.huber_loss``."""
        return self.name or self.call.split("(")[0]

    @property
    def library(self):
        root = self.call.split(".")[0]
        return ALIASES.get(root, root)

    @property
    def label(self):
        """The path, and for an estimator the value of its ``loss``."""
        loss = re.match(r".*\((loss='\w+')", self.call)
        return f"{self.path}({loss[1]})" if loss else self.path

    def resolve(self):
        """The function or class that the path names, from the installed library."""
        root, *names = self.path.split(".")
        found = self.modules()[root]
        for name in names:
            found = getattr(found, name)
        return found

    def modules(self):
        """The modules that the call needs, imported, by the names it uses."""
        for module in SUBMODULES:
            if module.split(".")[0] in MODULES[self.library]:
                importlib.import_module(module)
        names = MODULES[self.library]
        return {name: importlib.import_module(ALIASES.get(name, name)) for name in names}

    def evaluate(self, text, **values):
        """The value of a call, of its arrays or of the factor, at given arrays and parameters."""
        return eval(text, {**self.modules(), **values})


def _torch(function, cls, arrays, options="", **settings):
    """The function and the class of one loss."""
    with_options = f"{arrays}, {options}" if options else arrays
    return [
        Equivalent(f"torch.nn.functional.{function}({with_options})", **settings),
        Equivalent(f"torch.nn.{cls}({options})({arrays})", **settings),
    ]


def _keras(cls, arrays="target, prediction", options="", **settings):
    return Equivalent(f"keras.losses.{cls}({options})({arrays})", **settings)


def _metric(function, arrays="target, prediction", options="", **settings):
    with_options = f"{arrays}, {options}" if options else arrays
    return Equivalent(f"sklearn.metrics.{function}({with_options})", **settings)


def _boosting(loss, options="", histogram="", **settings):
    """Both gradient boosting regressors."""
    return [
        _estimator("ensemble.HistGradientBoostingRegressor", loss, histogram, **settings),
        _estimator("ensemble.GradientBoostingRegressor", loss, options, **settings),
    ]


def _estimator(cls, loss, options="", on="target, prediction", **settings):
    options = f"loss='{loss}'" + (f", {options}" if options else "")
    return Equivalent(f"sklearn.{cls}({options})", on=on, **settings)


def _sgd(loss, options="", classes=("SGDClassifier", "SGDRegressor"), **settings):
    return [_estimator(f"linear_model.{cls}", loss, options, **settings) for cls in classes]


def _half(cls, options="", on="target, prediction", **settings):
    """A class of sklearn._loss, which is private: several estimators use it."""
    return Equivalent(f"sklearn._loss.loss.{cls}({options})", on=on, **settings)


def _optax(function, arrays="prediction, target", options="", **settings):
    with_options = f"{arrays}, {options}" if options else arrays
    return Equivalent(f"optax.losses.{function}({with_options})", **settings)


_P = "prediction, target"
_CLASSIFIER = ("SGDClassifier",)
_TO_01 = "(target + 1) / 2, prediction"
_POWERS = ({"power": -1}, {"power": 0}, {"power": 1.5}, {"power": 3})

EQUIVALENTS = {
    # regression
    "mse": [
        *_torch("mse_loss", "MSELoss", _P),
        _keras("MeanSquaredError"),
        Equivalent(
            "tf.nn.l2_loss(prediction - target)",
            factor="1 / 2",
            reduction="sum",
            note="half the sum of squares of one tensor",
        ),
        _metric("mean_squared_error"),
        _half("HalfSquaredError", factor="1 / 2"),
        *_sgd("squared_error", factor="1 / 2"),
        *_boosting("squared_error", factor="1 / 2"),
        _optax("squared_error"),
        _optax("l2_loss", factor="1 / 2"),
    ],
    "rmse": [
        _metric("root_mean_squared_error", note="of several outputs: the mean of their roots"),
    ],
    "mae": [
        *_torch("l1_loss", "L1Loss", _P),
        _keras("MeanAbsoluteError"),
        _metric("mean_absolute_error"),
        _half("AbsoluteError"),
        *_boosting("absolute_error"),
    ],
    "huber": [
        *_torch("huber_loss", "HuberLoss", _P, "delta=delta", note="a weighted mean divides by n"),
        _keras("Huber", options="delta=delta"),
        _half(
            "HuberLoss",
            "delta=delta",
            note="gradient boosting sets delta to a quantile of the errors, in each round",
        ),
        *_sgd("huber", "epsilon=delta", note="its delta is epsilon, 0.1 by default"),
        _optax("huber_loss", options="delta=delta"),
    ],
    "smooth_l1": _torch("smooth_l1_loss", "SmoothL1Loss", _P, "beta=beta"),
    "log_cosh": [
        _keras("LogCosh", note="0 for errors of 1e-4 and below: float32 has cancelled"),
        _optax("log_cosh", note="cancels for small errors in float32"),
    ],
    "pinball": [
        _metric("mean_pinball_loss", options="alpha=quantile"),
        _half("PinballLoss", "quantile=quantile"),
        *_boosting("quantile", "alpha=quantile", "quantile=quantile"),
    ],
    "epsilon_insensitive": _sgd("epsilon_insensitive", "epsilon=epsilon"),
    "squared_epsilon_insensitive": _sgd("squared_epsilon_insensitive", "epsilon=epsilon"),
    "mape": [
        _keras(
            "MeanAbsolutePercentageError",
            factor="100",
            note="in percent; divides by at least 1e-7",
        ),
        _metric("mean_absolute_percentage_error", note="divides by at least 2.2e-16"),
    ],
    "msle": [
        _keras(
            "MeanSquaredLogarithmicError",
            target="positive",
            prediction="positive",
            note="raises both to at least 1e-7",
        ),
        _metric("mean_squared_log_error"),
    ],
    "rmsle": [
        _metric("root_mean_squared_log_error", note="of several outputs: the mean of their roots"),
    ],
    # likelihoods and scores
    "poisson_nll": [
        *_torch(
            "poisson_nll_loss",
            "PoissonNLLLoss",
            "log_rate, target",
            parameters=({},),
            note="log-rates by default; full=True adds Stirling's formula, not log y!",
        ),
        Equivalent(
            "tf.nn.log_poisson_loss(target, log_rate)",
            parameters=({},),
            note="compute_full_loss=True adds Stirling's formula, not log y!",
        ),
        _half("HalfPoissonLoss", on="target, log_rate", parameters=({},)),
        _estimator(
            "ensemble.HistGradientBoostingRegressor",
            "poisson",
            on="target, log_rate",
            parameters=({},),
        ),
        Equivalent(
            "sklearn.linear_model.PoissonRegressor()", on="target, log_rate", parameters=({},)
        ),
    ],
    "poisson_deviance": [
        *_torch(
            "poisson_nll_loss",
            "PoissonNLLLoss",
            _P,
            "log_input=False, eps=0.0",
            factor="1 / 2",
            up_to_constant=True,
            note="log_input=False takes rates; eps=1e-8 is added in the logarithm by default",
        ),
        _keras(
            "Poisson",
            factor="1 / 2",
            up_to_constant=True,
            note="takes rates; adds 1e-7 in the logarithm",
        ),
        _metric("mean_poisson_deviance"),
    ],
    "gamma_nll": [
        _half("HalfGammaLoss", on="target, log_mean"),
        _estimator("ensemble.HistGradientBoostingRegressor", "gamma", on="target, log_mean"),
        Equivalent("sklearn.linear_model.GammaRegressor()", on="target, log_mean"),
    ],
    "gamma_deviance": [_metric("mean_gamma_deviance")],
    "tweedie_deviance": [
        _metric("mean_tweedie_deviance", options="power=power", note="power=0 by default"),
        _half(
            "HalfTweedieLoss",
            "power=power",
            on="target, np.log(prediction)",
            factor="1 / 2",
            up_to_constant=True,
            parameters=_POWERS,
            note="of the logarithm of the mean",
        ),
        _half(
            "HalfTweedieLossIdentity",
            "power=power",
            factor="1 / 2",
        ),
        Equivalent(
            "sklearn.linear_model.TweedieRegressor(power=power, link='log')",
            on="target, np.log(prediction)",
            factor="1 / 2",
            up_to_constant=True,
            parameters=_POWERS,
            note="link='auto' is the identity for power 0",
        ),
    ],
    "gaussian_nll": _torch(
        "gaussian_nll_loss",
        "GaussianNLLLoss",
        "prediction[..., 0], target, torch.exp(prediction[..., 1])",
        "full=full",
        note="takes the variance, and raises it to at least eps=1e-6",
    ),
    # classification by probabilities
    "bce": [
        *_torch("binary_cross_entropy", "BCELoss", _P, note="no logarithm falls below -100"),
        _keras("BinaryCrossentropy", note="moves p into [1e-7, 1 - 1e-7]: at most 16.1"),
        _metric(
            "log_loss",
            target="labels",
            note="labels alone; moves p away from 0 and 1 by the eps of its type",
        ),
    ],
    "bce_with_logits": [
        *_torch(
            "binary_cross_entropy_with_logits",
            "BCEWithLogitsLoss",
            "logits, target",
            note="a weighted mean divides by n; pos_weight: see focal",
        ),
        *_torch(
            "multilabel_soft_margin_loss",
            "MultiLabelSoftMarginLoss",
            "logits, target",
            note="one value a row, the mean over its classes",
        ),
        _keras("BinaryCrossentropy", "target, logits", "from_logits=True"),
        Equivalent("tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits)"),
        _half("HalfBinomialLoss", on="target, logits"),
        *_sgd("log_loss", classes=_CLASSIFIER, on="target, logits", target="labels"),
        _estimator(
            "ensemble.HistGradientBoostingClassifier",
            "log_loss",
            on="target, logits",
            target="labels",
        ),
        _estimator(
            "ensemble.GradientBoostingClassifier", "log_loss", on="target, logits", target="labels"
        ),
        _optax("sigmoid_binary_cross_entropy", "logits, target"),
    ],
    "brier": [_metric("brier_score_loss", target="labels")],
    "nll": _torch("nll_loss", "NLLLoss", "log_probabilities, target"),
    "cross_entropy": [
        *_torch(
            "cross_entropy",
            "CrossEntropyLoss",
            "logits, target",
            "label_smoothing=label_smoothing",
            note="class weights: divides by those of the labels; for distributions by n",
        ),
        *_torch(
            "cross_entropy",
            "CrossEntropyLoss",
            "logits, target",
            "label_smoothing=label_smoothing",
            target="distributions",
            note="of distributions: the same function, by the type of the target",
        ),
        _keras(
            "SparseCategoricalCrossentropy",
            "target, logits",
            "from_logits=True",
            parameters=({},),
        ),
        _keras(
            "SparseCategoricalCrossentropy",
            "target, keras.ops.exp(logits)",
            parameters=({},),
            note="takes probabilities by default, divides a row by its sum, then clips to 1e-7",
        ),
        _keras(
            "CategoricalCrossentropy",
            "target, logits",
            "from_logits=True, label_smoothing=label_smoothing",
            target="distributions",
        ),
        Equivalent(
            "tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=logits)",
            target="distributions",
            parameters=({},),
        ),
        Equivalent(
            "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)",
            parameters=({},),
        ),
        _metric(
            "log_loss",
            "target, scipy.special.softmax(logits, axis=-1)",
            "labels=range(C)",
            parameters=({},),
            note="takes probabilities, and moves them away from 0 by the eps of their type",
        ),
        _half("HalfMultinomialLoss", "n_classes=C", on="target, logits", parameters=({},)),
        _estimator(
            "ensemble.HistGradientBoostingClassifier",
            "log_loss",
            on="target, logits",
            parameters=({},),
        ),
        _estimator(
            "ensemble.GradientBoostingClassifier",
            "log_loss",
            on="target, logits",
            parameters=({},),
        ),
        _optax("softmax_cross_entropy", "logits, target", target="distributions", parameters=({},)),
        _optax(
            "softmax_cross_entropy",
            "logits, optax.losses.smooth_labels(target, label_smoothing)",
            target="distributions",
            name="optax.losses.smooth_labels",
            note="smooths the target before a loss",
        ),
        _optax(
            "safe_softmax_cross_entropy",
            "logits, target",
            target="distributions",
            parameters=({},),
            note="also right where a logit of a class of probability 0 is -inf",
        ),
        _optax("softmax_cross_entropy_with_integer_labels", "logits, target", parameters=({},)),
        _optax(
            "generalized_kl_divergence",
            "jax.nn.log_softmax(logits), target",
            target="distributions",
            parameters=({},),
            up_to_constant=True,
            note="kl_divergence plus the sum of p - q, which is 0 for distributions",
        ),
        _optax(
            "convex_kl_divergence",
            "jax.nn.log_softmax(logits), target",
            target="distributions",
            parameters=({},),
            up_to_constant=True,
            note="the old name of generalized_kl_divergence",
        ),
        Equivalent(
            "optax.losses.make_fenchel_young_loss(jax.nn.logsumexp)(logits, target)",
            target="distributions",
            parameters=({},),
            note="makes a loss from a smooth maximum: from logsumexp this one",
        ),
    ],
    "kl_divergence": [
        *_torch(
            "kl_div",
            "KLDivLoss",
            "log_probabilities, target",
            factor="1 / C",
            target="distributions",
            note="reduction='mean' divides by n C; 'batchmean' is ours",
        ),
        _keras(
            "KLDivergence",
            "target, keras.ops.exp(log_probabilities)",
            target="distributions",
            note="takes probabilities for both, clipped to at least 1e-7",
        ),
        _optax("kl_divergence", "log_probabilities, target", target="distributions"),
        _optax(
            "kl_divergence_with_log_targets",
            "log_probabilities, jnp.log(target)",
            target="distributions",
            note="NaN where a target is 0",
        ),
    ],
    "multiclass_brier": [
        _metric(
            "brier_score_loss",
            "target, scipy.special.softmax(logits, axis=-1)",
            "labels=range(C), scale_by_half=False",
            note="takes probabilities; halves two classes unless scale_by_half=False",
        ),
    ],
    "linear_cross_entropy": [
        Equivalent(
            "torch.nn.functional.linear_cross_entropy(features, head, target)",
        ),
        Equivalent(
            "torch.nn.functional.linear_cross_entropy(features, head, target, "
            "options=torch.nn.LinearCrossEntropyOptions())",
            note="with options: in chunks",
        ),
        Equivalent(
            "torch.func.functional_call("
            "torch.nn.LinearCrossEntropyLoss(features.shape[1], head.shape[0]), "
            "{'linear.weight': head}, (features, target))",
            name="torch.nn.LinearCrossEntropyLoss",
            note="a module that owns the head",
        ),
    ],
    # variants of cross-entropy
    "focal": [
        _keras(
            "BinaryFocalCrossentropy",
            "target, logits",
            "gamma=gamma, alpha=alpha, apply_class_balancing=alpha is not None, from_logits=True",
            target="labels",
            note="alpha only with apply_class_balancing=True; NaN gradient at large |z|, gamma < 1",
        ),
        _optax(
            "sigmoid_focal_loss",
            "logits, target",
            "alpha=alpha, gamma=gamma",
            target="labels",
            note="another value for a target between 0 and 1",
        ),
        Equivalent(
            "torch.nn.functional.binary_cross_entropy_with_logits(logits, target, "
            "pos_weight=logits.new_tensor(alpha / (1 - alpha)))",
            factor="1 / (1 - alpha)",
            parameters=({"gamma": 0, "alpha": 0.25}, {"gamma": 0, "alpha": 0.8}),
            note="pos_weight w is alpha = w / (1 + w), gamma = 0, times 1 + w",
        ),
        Equivalent(
            "tf.nn.weighted_cross_entropy_with_logits(labels=target, logits=logits, "
            "pos_weight=alpha / (1 - alpha))",
            factor="1 / (1 - alpha)",
            parameters=({"gamma": 0, "alpha": 0.25}, {"gamma": 0, "alpha": 0.8}),
            note="pos_weight w is alpha = w / (1 + w), gamma = 0, times 1 + w",
        ),
    ],
    "focal_cross_entropy": [
        _keras(
            "CategoricalFocalCrossentropy",
            "target, logits",
            "gamma=gamma, from_logits=True",
            factor="1 / 4",
            target="distributions",
            note="alpha=0.25 by default scales every class",
        ),
    ],
    "poly1_cross_entropy": [
        _optax(
            "poly_loss_cross_entropy",
            "logits, target",
            "epsilon=epsilon",
            target="distributions",
        ),
    ],
    "generalised_cross_entropy": [
        _keras(
            "CategoricalGeneralizedCrossEntropy",
            "target, keras.ops.softmax(logits)",
            "q=q",
            parameters=({}, {"q": 0.3}),
            note="takes probabilities and class indices; q=0.5 by default",
        ),
    ],
    # classification by margins
    "hinge": [
        _keras("Hinge", note="turns labels 0 and 1 into -1 and 1 if the batch has no other"),
        _metric("hinge_loss"),
        *_sgd("hinge", classes=_CLASSIFIER),
        _optax("hinge_loss", note="another value in silence for labels 0 and 1"),
    ],
    "squared_hinge": [
        _keras("SquaredHinge", note="turns labels 0 and 1 into -1 and 1 if the batch has no other"),
        *_sgd("squared_hinge", classes=_CLASSIFIER),
    ],
    "modified_huber": [
        *_sgd("modified_huber", classes=_CLASSIFIER),
        _optax(
            "sparsemax_loss",
            "prediction, target > 0",
            factor="1 / 4",
            note="labels 0 and 1; sparsemax_loss of the scores (0, z)",
        ),
    ],
    "logistic": [
        *_torch(
            "soft_margin_loss",
            "SoftMarginLoss",
            _P,
            note="constant log 2 in silence for a label 0",
        ),
    ],
    "exponential": [
        _half("ExponentialLoss", on=_TO_01, note="labels 0 and 1"),
        _estimator(
            "ensemble.GradientBoostingClassifier",
            "exponential",
            on=_TO_01,
            note="labels 0 and 1",
        ),
    ],
    "perceptron": [
        *_sgd("perceptron", classes=_CLASSIFIER),
        _optax("perceptron_loss"),
    ],
    "multiclass_hinge": [
        _keras(
            "CategoricalHinge",
            "keras.ops.one_hot(target, C), scores",
            prediction="positive",
            note="another loss: raises the best other score to at least 0",
        ),
        _metric("hinge_loss", "target, scores", "labels=range(C)"),
        _optax("multiclass_hinge_loss", "scores, target"),
    ],
    "multiclass_perceptron": [_optax("multiclass_perceptron_loss", "scores, target")],
    "zero_one": [
        _metric(
            "zero_one_loss",
            "target, scores.argmax(-1)",
            note="takes the predicted class, and so a tie for right or wrong",
        ),
    ],
    "weston_watkins": _torch(
        "multi_margin_loss",
        "MultiMarginLoss",
        "scores, target",
        "margin=margin, p=p",
        factor="1 / C",
        note="divides by the number of classes, and powers each term",
    ),
    "sparsemax_loss": [_optax("multiclass_sparsemax_loss", "scores, target")],
    # similarity of vectors
    "cosine_distance": [
        _keras(
            "CosineSimilarity",
            up_to_constant=True,
            note="minus the cosine: this loss less 1",
        ),
        _optax("cosine_distance", note="NaN gradient of a vector of length 0, unless epsilon > 0"),
        _optax(
            "cosine_similarity",
            factor="-1",
            up_to_constant=True,
            note="the cosine itself: 1 less this loss",
        ),
    ],
    "cosine_embedding": _torch(
        "cosine_embedding_loss", "CosineEmbeddingLoss", "first, second, target", "margin=margin"
    ),
    "hinge_embedding": _torch(
        "hinge_embedding_loss", "HingeEmbeddingLoss", "distance, target", "margin=margin"
    ),
    "triplet": [
        *_torch(
            "triplet_margin_loss",
            "TripletMarginLoss",
            "anchor, positive, negative",
            "margin=margin, swap=swap, eps=0.0",
            note="eps=1e-6 by default, added to each coordinate of a difference",
        ),
        *_torch(
            "triplet_margin_with_distance_loss",
            "TripletMarginWithDistanceLoss",
            "anchor, positive, negative",
            "margin=margin, swap=swap, distance_function=torch.nn.PairwiseDistance(eps=0.0)",
            note="any distance; torch's own adds eps=1e-6 to each coordinate by default",
        ),
        _optax(
            "triplet_margin_loss",
            "anchor, positive, negative",
            "margin=margin, eps=0.0",
            parameters=({}, {"margin": 0.2}),
            note="eps=1e-6 by default, added under the root; norm_degree=1 lacks the abs",
        ),
    ],
    "nt_xent": [
        _optax(
            "ntxent",
            "jnp.concatenate([first, second]), jnp.tile(jnp.arange(n), 2)",
            "temperature=temperature",
            note="views in one array with labels; of larger classes another loss",
        ),
    ],
    "circle": [
        _keras(
            "Circle",
            "labels, keras.ops.normalize(embeddings)",
            "gamma=scale, margin=margin",
            parameters=({"scale": 10.0}, {"margin": 0.1, "scale": 2.0}),
            note="expects embeddings of length 1; leaves anchors of value 0 out of the mean",
        ),
    ],
    # ranking
    "margin_ranking": _torch(
        "margin_ranking_loss", "MarginRankingLoss", "first, second, target", "margin=margin"
    ),
    "listwise_softmax": [
        _optax(
            "ranking_softmax_loss",
            "scores, target",
            "where=mask",
            note="the mean over the lists; leaves empty ones out",
        ),
    ],
    "multilabel_margin": _torch(
        "multilabel_margin_loss",
        "MultiLabelMarginLoss",
        "scores, torch.where(target == 1, torch.arange(C), -1).sort(descending=True).values",
        note="the target lists the indices of the labels, ended by -1",
    ),
    "label_ranking": [_metric("label_ranking_loss", "target, scores")],
    # overlap of masks
    "dice": [
        _keras(
            "Dice",
            options="axis=-1",
            parameters=({},),
            note="axis=None, the default, sums over the whole batch",
        ),
        _optax(
            "binary_dice_loss",
            "jax.scipy.special.logit(prediction), target",
            "smooth=smooth",
            note="takes logits; smooth=1 by default",
        ),
        _optax(
            "dice_loss",
            "jax.scipy.special.logit(prediction)[..., None], target[..., None]",
            "smooth=smooth",
            note="takes logits, the class axis last; smooth=1 by default",
        ),
        _optax(
            "multiclass_generalized_dice_loss",
            "prediction.T[None], target.T[None]",
            "smooth=smooth, apply_softmax=False",
            prediction="shares",
            weight="1 / (target.sum(-1) ** 2 + 1e-7)",
            note="a mask a class, weighted by 1 / size², the size taken over the batch",
        ),
    ],
    "tversky": [
        _keras(
            "Tversky",
            options="alpha=beta, beta=alpha, axis=-1",
            parameters=({}, {"alpha": 0.2, "beta": 0.9}),
            note="alpha and beta interchanged; axis=None, the default, sums over the batch",
        ),
        _optax(
            "dice_loss",
            "jax.scipy.special.logit(prediction)[..., None], target[..., None]",
            "alpha=alpha, beta=beta, smooth=smooth",
            note="takes logits, the class axis last; smooth=1 by default",
        ),
    ],
    "jaccard": [
        _optax(
            "dice_loss",
            "jax.scipy.special.logit(prediction)[..., None], target[..., None]",
            "alpha=1.0, beta=1.0, smooth=smooth",
            note="takes logits, the class axis last; smooth=1 by default",
        ),
    ],
    # sequences
    "ctc": [
        Equivalent(
            "torch.nn.functional.ctc_loss(logits.log_softmax(-1).movedim(-2, 0), target, "
            "input_length, target_length, blank=blank, reduction='none')",
            note="log-probabilities, time first; its mean divides each by the target length",
        ),
        Equivalent(
            "torch.nn.CTCLoss(blank=blank, reduction='none')"
            "(logits.log_softmax(-1).movedim(-2, 0), target, input_length, target_length)",
            note="log-probabilities, time first; its mean divides each by the target length",
        ),
        _keras(
            "CTC",
            "keras.ops.where(keras.ops.arange(target.shape[1]) < target_length[:, None], "
            "target, 0), logits",
            prediction="all frames",
            note="blank=0, which also pads the target; every frame counts",
        ),
        Equivalent(
            "tf.nn.ctc_loss(target, tf.cast(logits, tf.float32), target_length, input_length, "
            "logits_time_major=False, blank_index=blank)",
            note="float32 alone; time first by default",
        ),
        _optax(
            "ctc_loss",
            "logits, 1.0 * (jnp.arange(logits.shape[1]) >= input_length[:, None]), "
            "target, 1.0 * (jnp.arange(target.shape[1]) >= target_length[:, None])",
            "blank_id=blank",
            note="1 in the paddings says padding; an impossible target costs 1e5, not inf",
        ),
        Equivalent(
            "optax.losses.ctc_loss_with_forward_probs("
            "logits, 1.0 * (jnp.arange(logits.shape[1]) >= input_length[:, None]), "
            "target, 1.0 * (jnp.arange(target.shape[1]) >= target_length[:, None]), "
            "blank_id=blank)[0]",
            note="ctc_loss and the forward probabilities",
        ),
    ],
}

LEFT_OUT = {
    "torch.nn.AdaptiveLogSoftmaxWithLoss": "a layer: it owns the weights of its classes",
    "keras.losses.Loss": "the base class",
    "sklearn.metrics.coverage_error": "a count of ranks: no gradient",
    "sklearn.metrics.hamming_loss": "a share of wrong labels: no gradient",
    "sklearn.metrics.max_error": "the largest error of a sample, not a mean",
    "sklearn.metrics.median_absolute_error": "a median over samples, not a mean",
    "tf.nn.nce_loss": "draws its negatives at random",
    "tf.nn.sampled_softmax_loss": "draws its negatives at random",
    "tf.nn.compute_average_loss": "divides a sum by a batch size: no loss of its own",
    "tf.nn.scale_regularization_loss": "divides a penalty by the replicas: no loss of its own",
}
