"""Every loss of torch, Keras, TensorFlow, scikit-learn and optax against ours: value and gradient.

The calls are those of `lossbook.libraries`, run as they are written there. A library that is not
installed skips its tests.
"""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from cases import CASES
from equivalents import (
    CONVERT,
    Check,
    as_numpy,
    gradients_of,
    to_jax,
    to_keras,
    to_torch,
    usual_reduction,
)
from structured_cases import STRUCTURED_CASES

import lossbook
from lossbook.classwise import ClasswiseLoss
from lossbook.libraries import CONVENTIONS, EQUIVALENTS, LEFT_OUT, Equivalent

RUNS = [
    pytest.param(name, equivalent, id=f"{name}-{equivalent.path}-{number}")
    for name, equivalents in EQUIVALENTS.items()
    for number, equivalent in enumerate(equivalents)
]
every_equivalent = pytest.mark.parametrize("name, equivalent", RUNS)
SEEDS = (0, 1)
MEASURES = ("label_ranking", "zero_one")  # constant almost everywhere, of gradient 0
IN_FLOAT32 = {"tf.nn.ctc_loss"}  # and Keras; all others compute in the type they are given


def closeness(equivalent, numerical=False):
    """Relative and absolute."""
    if equivalent.library == "keras" or equivalent.path in IN_FLOAT32:
        return 2e-5, 2e-6
    return (1e-6, 1e-8) if numerical else (1e-9, 1e-11)


@pytest.fixture(autouse=True)
def _float64_in_jax(request):
    """JAX has float32 alone unless told otherwise, and is told for these tests alone."""
    equivalent = getattr(request.node, "callspec", None)
    equivalent = equivalent and equivalent.params.get("equivalent")
    if equivalent is None or equivalent.library != "optax":
        yield
        return
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield


def draw(name, equivalent, seed):
    """Arrays from the samplers that all tests share, narrowed to what the library takes."""
    loss = getattr(lossbook, name)
    if name in STRUCTURED_CASES:
        arrays = STRUCTURED_CASES[name].draw(seed, 6)
        if equivalent.prediction == "shares":
            arrays["prediction"] = arrays["prediction"] / arrays["prediction"].sum(0)
        if equivalent.prediction == "all frames":
            arrays["input_length"] = np.full_like(arrays["input_length"], arrays["logits"].shape[1])
        return arrays
    case = CASES[name]
    by_class = isinstance(loss, ClasswiseLoss)
    # a table where the library takes one: its last axis must not be taken for something else
    shape = (7,) if case.classes or equivalent.library == "sklearn" else (7, 3)
    target, prediction = case.draw(seed, shape)
    rng = np.random.default_rng(seed + 1000)
    if equivalent.target == "labels":
        target = rng.integers(0, 2, shape)
        target[:2] = np.array([0, 1]).reshape(2, *(1,) * (target.ndim - 1))  # both occur
    elif equivalent.target == "distributions":
        target = rng.dirichlet(np.ones(case.classes), shape)
    elif equivalent.target == "positive":
        target = abs(target) + 0.1
    if not by_class:
        target = target.astype(np.float64)
    if equivalent.prediction == "positive":
        prediction = abs(prediction) + 0.1
    return {"target": target, loss.prediction_name: prediction}


def checks(name, equivalent):
    for module in (equivalent.library, *(("torch",) if equivalent.library == "keras" else ())):
        pytest.importorskip(module)
    sets = equivalent.parameters
    if not sets:
        case = STRUCTURED_CASES.get(name) or CASES[name]
        sets = case.parameters
    for seed in SEEDS:
        for parameters in sets:
            yield Check(name, equivalent, draw(name, equivalent, seed), parameters)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides", "ignore:.*convex_kl_divergence")
class TestEveryEquivalent:
    @every_equivalent
    def test_the_name_exists(self, name, equivalent):
        pytest.importorskip(equivalent.library)
        assert callable(equivalent.resolve())

    @every_equivalent
    def test_its_value_is_ours_times_the_factor(self, name, equivalent):
        convert = CONVERT[equivalent.library]
        rtol, atol = closeness(equivalent)
        for check in checks(name, equivalent):

            def both(arrays, check=check):
                theirs = check.theirs(**{key: convert(array) for key, array in arrays.items()})
                return as_numpy(theirs), check.ours(arrays)

            theirs, ours = both(check.arrays)
            assert check.reduction == usual_reduction(equivalent)
            if equivalent.up_to_constant:  # at two predictions the same term is left over
                other = {
                    key: np.flip(array, 0).copy() if key in check.predictions else array
                    for key, array in check.arrays.items()
                }
                their_other, our_other = both(other)
                theirs, ours = theirs - their_other, ours - our_other
            assert np.abs(ours).max() > 0.01, "a check of zeros shows nothing"
            np.testing.assert_allclose(theirs, ours, rtol=rtol, atol=atol)

    @every_equivalent
    def test_its_gradient_is_ours_times_the_factor(self, name, equivalent):
        for check in checks(name, equivalent):
            numerical = equivalent.library == "sklearn" and not check.has_own_gradient
            rtol, atol = closeness(equivalent, numerical)
            theirs = gradients_of(check)
            for one, ours in zip(theirs, check.our_gradients(), strict=True):
                if name not in MEASURES:
                    assert np.abs(ours).max() > 1e-3, "a check of zeros shows nothing"
                np.testing.assert_allclose(one, ours, rtol=rtol, atol=atol)


class TestTheTable:
    def test_every_key_is_a_loss(self):
        assert set(EQUIVALENTS) <= set(lossbook.__all__)

    def test_notes_fit_a_cell_and_libraries_are_known(self):
        for equivalents in EQUIVALENTS.values():
            for equivalent in equivalents:
                assert len(equivalent.note) <= 90, equivalent.note
                assert equivalent.library in CONVENTIONS

    def test_the_label_of_an_estimator_names_its_loss(self):
        label = EQUIVALENTS["perceptron"][0].label
        assert label == "sklearn.linear_model.SGDClassifier(loss='perceptron')"
        assert EQUIVALENTS["mse"][0].label == "torch.nn.functional.mse_loss"

    def test_no_entry_stands_twice(self):
        for name, equivalents in EQUIVALENTS.items():
            calls = [(e.call, e.on, e.target, e.name) for e in equivalents]
            assert len(calls) == len(set(calls)), name

    def test_importing_it_imports_no_library(self):
        code = (
            "import sys, lossbook.libraries; "
            "print([n for n in ('torch', 'keras', 'tensorflow', 'sklearn', 'jax', 'optax') "
            "if n in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() == "[]", done.stdout + done.stderr


class TestConventions:
    """What CONVENTIONS says of each library."""

    target, prediction = np.random.default_rng(0).normal(size=(2, 4, 3))

    def test_keras_classes_and_functions(self):
        keras = pytest.importorskip("keras")
        arrays = to_keras(self.target), to_keras(self.prediction)
        for cls in ("MeanSquaredError", "Huber", "LogCosh"):
            of_class = getattr(keras.losses, cls)()
            value = of_class(*(to_torch(array) for array in (self.target, self.prediction)))
            assert str(value.dtype) == "torch.float32"  # from float64
            per_row = of_class.fn(*arrays)
            assert of_class.fn in vars(keras.losses).values()
            assert tuple(per_row.shape) == (4,)
            assert per_row.mean().item() == pytest.approx(value.item(), rel=1e-6)

    def test_the_losses_of_tf_keras_are_those_of_keras(self):
        tensorflow = pytest.importorskip("tensorflow")
        keras = pytest.importorskip("keras")
        assert tensorflow.keras.losses.Huber is keras.losses.Huber

    def test_the_class_axis_of_torch_is_the_second(self):
        torch = pytest.importorskip("torch")
        rng = np.random.default_rng(0)
        logits, labels = rng.normal(size=(5, 2, 3)), rng.integers(0, 3, size=(5, 2))
        ours = lossbook.cross_entropy(labels, logits)
        theirs = torch.nn.functional.cross_entropy(
            to_torch(logits).movedim(-1, 1), to_torch(labels)
        )
        assert theirs.item() == pytest.approx(ours, rel=1e-12)

    def test_the_order_of_the_arrays(self):
        """The arguments in the names of each library, against the order that is stated."""
        torch, optax = pytest.importorskip("torch"), pytest.importorskip("optax")
        keras, metrics = pytest.importorskip("keras"), pytest.importorskip("sklearn.metrics")
        for function, names in (
            (torch.nn.functional.mse_loss, ["input", "target"]),
            (keras.losses.MeanSquaredError().call, ["y_true", "y_pred"]),
            (metrics.mean_squared_error, ["y_true", "y_pred"]),
            (optax.losses.squared_error, ["predictions", "targets"]),
        ):
            assert list(inspect.signature(function).parameters)[:2] == names


class TestNotes:
    """What the notes say beyond factor and call, where tests/test_pitfalls.py does not show it."""

    def test_weighted_means_of_torch(self):
        torch = pytest.importorskip("torch")
        weight, zeros = torch.tensor([1.0, 3.0]), torch.zeros(2)
        value = torch.nn.functional.binary_cross_entropy_with_logits(zeros, zeros, weight=weight)
        assert value.item() == pytest.approx(4 * np.log(2) / 2)

    def test_floors(self):
        """mape, msle, bce, cross_entropy, kl_divergence: what Keras and scikit-learn clip to."""
        keras, torch = pytest.importorskip("keras"), pytest.importorskip("torch")
        metrics = pytest.importorskip("sklearn.metrics")
        losses, zero, one = keras.losses, torch.zeros(1), torch.ones(1)
        assert losses.MeanAbsolutePercentageError()(zero, one).item() == pytest.approx(100 / 1e-7)
        assert metrics.mean_absolute_percentage_error([0.0], [1.0]) == 1 / np.finfo(float).eps
        assert losses.MeanSquaredLogarithmicError()(-0.5 * one, zero).item() == 0
        floor = pytest.approx(-np.log(1e-7), rel=1e-6)
        certain = torch.tensor([[0.0, 1.0]])
        assert losses.BinaryCrossentropy()(one, zero).item() == floor
        assert losses.SparseCategoricalCrossentropy()(torch.tensor([0]), certain).item() == floor
        assert losses.KLDivergence()(certain.flip(-1), certain).item() == floor
        assert losses.Poisson()(one, zero).item() == floor
        functional = torch.nn.functional
        assert functional.binary_cross_entropy(zero, one).item() == 100
        value = functional.poisson_nll_loss(zero, one, log_input=False)
        assert value.item() == pytest.approx(-np.log(1e-8), rel=1e-6)

    def test_roots_of_several_outputs(self):
        metrics = pytest.importorskip("sklearn.metrics")
        target, prediction = np.zeros((2, 2)), np.array([[1.0, 3.0], [1.0, 3.0]])
        assert metrics.root_mean_squared_error(target, prediction) == 2
        value = metrics.root_mean_squared_log_error(target, np.expm1(prediction))
        assert value == pytest.approx(2)
        assert lossbook.rmse(target, prediction) == pytest.approx(np.sqrt(5))

    def test_the_full_poisson_of_tensorflow_is_an_approximation(self):
        tf = pytest.importorskip("tensorflow")
        value = tf.nn.log_poisson_loss(tf.constant([2.0]), tf.constant([0.0]), True) - 1
        assert round(float(value[0]), 4) == 0.6518  # log 2! is 0.6931

    def test_defaults(self):
        keras, torch = pytest.importorskip("keras"), pytest.importorskip("torch")
        optax, sklearn = pytest.importorskip("optax"), pytest.importorskip("sklearn.linear_model")
        metrics = pytest.importorskip("sklearn.metrics")

        def default(function, name):
            return inspect.signature(function).parameters[name].default

        assert sklearn.SGDRegressor().epsilon == sklearn.SGDClassifier().epsilon == 0.1
        assert default(metrics.mean_tweedie_deviance, "power") == 0
        link = sklearn.TweedieRegressor(power=0)._get_loss().link
        assert type(link).__name__ == "IdentityLink"
        assert default(torch.nn.GaussianNLLLoss, "eps") == 1e-6
        assert default(torch.nn.TripletMarginLoss, "eps") == 1e-6
        assert torch.nn.PairwiseDistance().eps == 1e-6
        assert default(torch.nn.KLDivLoss, "reduction") == "mean"
        assert default(optax.losses.triplet_margin_loss, "eps") == 1e-6
        for function in (
            optax.losses.dice_loss,
            optax.losses.binary_dice_loss,
            optax.losses.multiclass_generalized_dice_loss,
        ):
            assert default(function, "smooth") == 1
        assert default(keras.losses.CategoricalGeneralizedCrossEntropy, "q") == 0.5
        assert default(keras.losses.CategoricalFocalCrossentropy, "alpha") == 0.25

    def test_where_eps_is_added(self):
        """torch adds it to each coordinate, optax under the root."""
        torch, optax = pytest.importorskip("torch"), pytest.importorskip("optax")
        zero, far = np.zeros((1, 4), np.float32), np.full((1, 4), 9.0, np.float32)
        distance = torch.nn.PairwiseDistance(eps=0.25)(to_torch(zero), to_torch(zero))
        assert distance.item() == pytest.approx(0.5)  # of four coordinates
        arrays = (to_jax(zero), to_jax(zero), to_jax(far))
        value = optax.losses.triplet_margin_loss(*arrays, margin=18.0, eps=0.25)
        assert value.item() == pytest.approx(18 + 0.5 - np.sqrt(4 * 81 + 0.25), abs=1e-5)

    def test_boosting_sets_the_delta_of_huber(self):
        ensemble = pytest.importorskip("sklearn.ensemble")
        x = np.random.default_rng(0).normal(size=(30, 1))
        y = 3 * x[:, 0]
        model = ensemble.GradientBoostingRegressor(loss="huber", alpha=0.9, n_estimators=1)
        errors = abs(y - np.median(y))
        expected = np.quantile(errors, 0.9, method="inverted_cdf")
        assert model.fit(x, y)._loss.closs.delta == pytest.approx(expected, rel=0.02)

    def test_one_value_a_row(self):
        torch = pytest.importorskip("torch")
        loss = torch.nn.MultiLabelSoftMarginLoss(reduction="none")
        assert loss(torch.zeros(2, 3), torch.zeros(2, 3)).shape == (2,)

    def test_targets_that_are_not_taken(self):
        metrics = pytest.importorskip("sklearn.metrics")
        with pytest.raises(ValueError, match="Unknown label type"):
            metrics.log_loss([0.5, 0.2], [0.1, 0.2])
        optax = pytest.importorskip("optax")
        value = optax.sigmoid_focal_loss(to_jax(np.zeros(1) + 1), to_jax(np.zeros(1) + 0.5))
        ours = lossbook.focal(np.full(1, 0.5), np.ones(1))
        assert abs(value.item() - ours) > 0.01

    def test_classes_of_probability_0(self):
        optax = pytest.importorskip("optax")
        logits, target = to_jax(np.array([[0.0, -np.inf]])), to_jax(np.array([[1.0, 0.0]]))
        assert optax.losses.safe_softmax_cross_entropy(logits, target).item() == 0
        assert np.isnan(optax.losses.softmax_cross_entropy(logits, target).item())
        half = to_jax(np.log([[0.5, 0.5]]))
        value = optax.losses.kl_divergence_with_log_targets(half, logits)
        assert np.isnan(value.item())

    def test_the_brier_score_of_two_classes_is_halved(self):
        metrics = pytest.importorskip("sklearn.metrics")
        target, prediction = [0, 1], [[0.6, 0.4], [0.3, 0.7]]
        halved = metrics.brier_score_loss(target, prediction)
        whole = metrics.brier_score_loss(target, prediction, scale_by_half=False)
        assert whole == pytest.approx(2 * halved)

    def test_alpha_of_the_binary_focal_loss_of_keras(self):
        keras, torch = pytest.importorskip("keras"), pytest.importorskip("torch")
        loss = keras.losses.BinaryFocalCrossentropy
        arrays = torch.ones(1), torch.full((1,), 0.5)
        assert loss(alpha=0.9)(*arrays) == loss(alpha=0.1)(*arrays)
        balanced = loss(alpha=0.1, apply_class_balancing=True)(*arrays)
        assert balanced.item() == pytest.approx(0.1 * loss()(*arrays).item(), rel=1e-6)

    def test_classes_of_more_than_two_views(self):
        """optax.ntxent takes the other positives out of the denominator."""
        optax = pytest.importorskip("optax")
        views, labels = np.random.default_rng(0).normal(size=(5, 3)), np.array([0, 0, 0, 1, 1])
        theirs = optax.losses.ntxent(to_jax(views), to_jax(labels), 1.0).item()
        unit = views / np.linalg.norm(views, axis=1, keepdims=True)
        s = unit @ unit.T
        terms = []
        for i, j in np.ndindex(5, 5):
            if i != j and labels[i] == labels[j]:
                negatives = np.exp(s[i][labels != labels[i]]).sum()
                terms.append(np.log(np.exp(s[i, j]) + negatives) - s[i, j])
        assert theirs == pytest.approx(np.mean(terms), rel=1e-5)
        ours = lossbook.supervised_contrastive(labels, views, temperature=1.0)
        assert abs(theirs - ours) > 0.01

    def test_samples_that_are_left_out(self):
        """The anchor of Circle and the list of optax that cost 0 do not count in the mean."""
        keras, torch = pytest.importorskip("keras"), pytest.importorskip("torch")
        embeddings = np.random.default_rng(0).normal(size=(3, 4))
        unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        labels = np.array([0, 0, 1])
        theirs = keras.losses.Circle(gamma=2.0)(torch.tensor(labels), to_keras(unit)).item()
        ours = lossbook.circle(labels, embeddings, scale=2.0, reduction="none")
        assert ours[2] == 0
        assert theirs == pytest.approx(ours[:2].mean(), rel=1e-5)
        optax = pytest.importorskip("optax")
        mask = np.array([[True, True], [False, False]])
        target = np.array([[1.0, 0.0], [1.0, 0.0]])
        value = optax.losses.ranking_softmax_loss(
            to_jax(np.zeros((2, 2))), to_jax(target), where=to_jax(mask)
        )
        assert value.item() == pytest.approx(np.log(2))

    def test_overlap_of_the_whole_batch(self):
        pytest.importorskip("torch")
        keras = pytest.importorskip("keras")
        target = np.array([[1.0, 0.0], [1.0, 1.0]])
        prediction = np.array([[0.5, 0.5], [0.9, 0.8]])
        arrays = to_keras(target), to_keras(prediction)
        whole = lossbook.dice(target.reshape(-1), prediction.reshape(-1))
        assert abs(whole - lossbook.dice(target, prediction)) > 0.05
        assert keras.losses.Dice()(*arrays).item() == pytest.approx(whole, rel=1e-5)
        assert keras.losses.Tversky()(*arrays).item() == pytest.approx(whole, rel=1e-5)

    def test_the_mean_of_ctc_in_torch(self):
        torch = pytest.importorskip("torch")
        targets, lengths = torch.tensor([[1, 2], [1, 0]]), torch.tensor([2, 1])
        arguments = torch.zeros(4, 2, 3).log_softmax(-1), targets, torch.tensor([4, 4]), lengths
        each = torch.nn.functional.ctc_loss(*arguments, reduction="none")
        mean = torch.nn.functional.ctc_loss(*arguments)
        assert mean.item() == pytest.approx((each / lengths).mean().item(), rel=1e-6)


def losses_of_torch():
    import torch

    return {f"torch.nn.{name}" for name in dir(torch.nn) if name.endswith("Loss")}


def functions_of_torch():
    import torch

    # the functional form of each class
    of_class = {"KLDivLoss": "kl_div", "BCELoss": "binary_cross_entropy"}
    names = [n for n in dir(torch.nn.functional) if n.endswith(("_loss", "cross_entropy"))]
    names += [*of_class.values(), "binary_cross_entropy_with_logits"]
    return {f"torch.nn.functional.{name}" for name in names}


def losses_of_keras():
    import keras

    return {
        f"keras.losses.{name}"
        for name, value in vars(keras.losses).items()
        if inspect.isclass(value)
    }


def losses_of_tensorflow():
    import tensorflow as tf

    return {f"tf.nn.{name}" for name in dir(tf.nn) if "loss" in name or "cross_entropy" in name}


def metrics_of_sklearn():
    import sklearn.metrics

    endings = ("_loss", "_error", "_deviance")
    return {f"sklearn.metrics.{n}" for n in sklearn.metrics.__all__ if n.endswith(endings)}


def classes_of_sklearn():
    from sklearn._loss import loss

    return {f"sklearn._loss.loss.{cls.__name__}" for cls in loss._LOSSES.values()}


def losses_of_optax():
    import optax

    return {
        f"optax.losses.{name}"
        for name, value in vars(optax.losses).items()
        if not name.startswith("_") and callable(value)
    }


SURVEYS = {
    "torch.nn": ("torch", losses_of_torch),
    "torch.nn.functional": ("torch", functions_of_torch),
    "keras.losses": ("keras", losses_of_keras),
    "tf.nn": ("tensorflow", losses_of_tensorflow),
    "sklearn.metrics": ("sklearn", metrics_of_sklearn),
    "sklearn._loss": ("sklearn", classes_of_sklearn),
    "optax.losses": ("optax", losses_of_optax),
}
PATHS = {equivalent.path for equivalents in EQUIVALENTS.values() for equivalent in equivalents}


class TestCoverage:
    """Every loss of the installed libraries is in the table, or is left out with a reason."""

    @pytest.mark.parametrize("where", SURVEYS)
    def test_nothing_is_missing(self, where):
        library, survey = SURVEYS[where]
        pytest.importorskip(library)
        found = survey()
        assert len(found) > 5
        assert found - PATHS - set(LEFT_OUT) == set()

    @pytest.mark.parametrize("path", LEFT_OUT)
    def test_what_is_left_out_exists_and_is_not_listed(self, path):
        assert path not in PATHS
        equivalent = Equivalent(f"{path}()")
        pytest.importorskip(equivalent.library)
        assert callable(equivalent.resolve())
        assert LEFT_OUT[path]

    def test_the_losses_of_stochastic_gradient_descent(self):
        from sklearn.linear_model import SGDClassifier, SGDRegressor

        for cls in (SGDClassifier, SGDRegressor):
            assert estimator_losses(cls.__name__) == set(cls.loss_functions)

    @pytest.mark.parametrize(
        "cls",
        [
            "HistGradientBoostingRegressor",
            "HistGradientBoostingClassifier",
            "GradientBoostingClassifier",
            "GradientBoostingRegressor",
        ],
    )
    def test_the_losses_of_gradient_boosting(self, cls):
        import sklearn.ensemble

        allowed = getattr(sklearn.ensemble, cls)._parameter_constraints["loss"][0].options
        # its delta is a quantile of the errors, set in every round: no loss of fixed parameters
        without = {"huber"} if cls == "GradientBoostingRegressor" else set()
        assert estimator_losses(cls) == allowed - without

    def test_the_names_of_the_survey_of_libraries(self):
        """The names that a survey of the libraries found, whatever the installed version has."""
        assert {f"torch.nn.{name}" for name in TORCH.split()} <= PATHS
        assert {f"torch.nn.functional.{name}" for name in TORCH_FUNCTIONS.split()} <= PATHS
        assert {f"keras.losses.{name}" for name in KERAS.split()} <= PATHS
        assert {f"optax.losses.{name}" for name in OPTAX.split()} <= PATHS
        assert {f"sklearn.metrics.{name}" for name in METRICS.split()} <= PATHS
        assert {f"sklearn._loss.loss.{name}" for name in SKLEARN_LOSSES.split()} <= PATHS


def estimator_losses(cls):
    """The values of ``loss`` with which an estimator is listed."""
    calls = [e.call for equivalents in EQUIVALENTS.values() for e in equivalents]
    return {call.split("loss='")[1].split("'")[0] for call in calls if f".{cls}(" in call}


TORCH = """
    MSELoss L1Loss HuberLoss SmoothL1Loss GaussianNLLLoss PoissonNLLLoss BCELoss BCEWithLogitsLoss
    MultiLabelSoftMarginLoss CrossEntropyLoss NLLLoss LinearCrossEntropyLoss KLDivLoss
    SoftMarginLoss MultiMarginLoss MultiLabelMarginLoss CosineEmbeddingLoss HingeEmbeddingLoss
    MarginRankingLoss TripletMarginLoss TripletMarginWithDistanceLoss CTCLoss
"""
TORCH_FUNCTIONS = """
    mse_loss l1_loss huber_loss smooth_l1_loss gaussian_nll_loss poisson_nll_loss
    binary_cross_entropy binary_cross_entropy_with_logits cross_entropy linear_cross_entropy kl_div
    soft_margin_loss multi_margin_loss multilabel_margin_loss cosine_embedding_loss
    hinge_embedding_loss margin_ranking_loss triplet_margin_loss ctc_loss
"""
KERAS = """
    MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError Huber
    LogCosh Poisson BinaryCrossentropy SparseCategoricalCrossentropy CategoricalCrossentropy
    KLDivergence BinaryFocalCrossentropy CategoricalFocalCrossentropy
    CategoricalGeneralizedCrossEntropy Hinge SquaredHinge CategoricalHinge CosineSimilarity Circle
    Dice Tversky CTC
"""
OPTAX = """
    squared_error l2_loss huber_loss log_cosh sigmoid_binary_cross_entropy
    softmax_cross_entropy_with_integer_labels softmax_cross_entropy safe_softmax_cross_entropy
    smooth_labels kl_divergence kl_divergence_with_log_targets generalized_kl_divergence
    convex_kl_divergence sigmoid_focal_loss poly_loss_cross_entropy hinge_loss perceptron_loss
    multiclass_perceptron_loss multiclass_hinge_loss sparsemax_loss multiclass_sparsemax_loss
    make_fenchel_young_loss cosine_similarity cosine_distance triplet_margin_loss ntxent
    ranking_softmax_loss dice_loss binary_dice_loss multiclass_generalized_dice_loss ctc_loss
"""
METRICS = """
    mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_log_error
    mean_pinball_loss mean_poisson_deviance mean_gamma_deviance mean_tweedie_deviance log_loss
    hinge_loss label_ranking_loss brier_score_loss
"""
SKLEARN_LOSSES = """
    HalfSquaredError AbsoluteError HuberLoss PinballLoss HalfPoissonLoss HalfGammaLoss
    HalfTweedieLoss HalfBinomialLoss HalfMultinomialLoss ExponentialLoss
"""
