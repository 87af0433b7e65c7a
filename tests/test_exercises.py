"""The check finds a wrong function, shows the smallest wrong input, and passes a right one."""

import numpy as np
import pytest

from lossbook import bce, bce_with_logits, cross_entropy, exercises, mse
from lossbook.exercises import check

GENERATORS = {
    "regression": (exercises.regression, mse),
    "binary_logits": (exercises.binary_logits, bce_with_logits),
    "binary_probabilities": (exercises.binary_probabilities, bce),
    "multiclass": (exercises.multiclass, cross_entropy),
    "vector": (exercises.vector, np.sum),
}


def report(function, reference, cases=None, **options):
    with pytest.raises(AssertionError) as caught:
        check(function, reference, cases, strict=True, **options)
    return str(caught.value).splitlines()


@pytest.fixture(params=GENERATORS)
def family(request):
    return GENERATORS[request.param]


def test_a_loss_of_the_book_is_right_on_its_own_cases(family, capsys):
    cases, loss = family
    check(loss, loss, cases())
    out = capsys.readouterr()
    assert out.out == f"Correct on all {len(cases())} cases.\n" and out.err == ""


def test_cases_have_the_documented_types_and_sizes(family):
    cases, _ = family
    sizes = {len(case[0]) for case in cases()}
    assert 1 in sizes
    for case in cases():
        assert len({len(part) for part in case}) == 1
        assert case[-1].dtype == np.float64
        if cases.__name__ not in ("regression", "vector"):
            assert case[0].dtype == np.int64
    assert len(cases(extreme=False)) < len(cases())


def test_cases_are_the_same_every_time(family):
    cases, _ = family
    for first, second in zip(cases(), cases(), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_extremes_are_there():
    largest = max(np.abs(logits).max() for _, logits in exercises.binary_logits())
    assert largest == 1000
    assert max(np.abs(z).max() for _, z in exercises.binary_logits(extreme=False)) < 20
    probabilities = np.concatenate([p for _, p in exercises.binary_probabilities()])
    assert {0.0, 1.0} <= set(probabilities)
    inner = np.concatenate([p for _, p in exercises.binary_probabilities(extreme=False)])
    assert inner.min() > 0 and inner.max() < 1


def test_the_smallest_wrong_input_is_shown(capsys):
    def forgets_the_mean(target, prediction):
        return np.sum((target - prediction) ** 2)

    check(forgets_the_mean, mse)
    assert capsys.readouterr().out == (
        "Not yet. The smallest input found where the answer is wrong:\n"
        "  target = [0, 0]\n"
        "  prediction = [1, 0]\n"
        "  your answer    = 1\n"
        "  correct answer = 0.5\n"
    )


def test_the_report_is_the_same_every_time():
    def wrong_in_the_tail(target, prediction):
        error = np.abs(target - prediction)
        return np.mean(np.where(error > 2, error, error**2))

    assert report(wrong_in_the_tail, mse) == report(wrong_in_the_tail, mse)


def test_the_broadcasting_trap_needs_two_samples():
    def all_pairs(target, prediction):
        return np.mean((target[:, None] - prediction[None, :]) ** 2)

    lines = report(all_pairs, mse)
    assert len(eval(lines[1].split("= ")[1])) == 2


def test_a_large_random_failure_is_made_small():
    def wrong_for_many(target, prediction):
        return mse(target, prediction) + (len(target) >= 7)

    lines = report(wrong_for_many, mse)
    assert lines[1] == "  target = [0, 0, 0, 0, 0, 0, 0]"
    assert lines[2] == "  prediction = [0, 0, 0, 0, 0, 0, 0]"


def test_values_are_made_simple_and_stay_wrong():
    def wrong_above_two(target, prediction):
        return mse(target, prediction) + np.any(prediction > 2.2)

    lines = report(wrong_above_two, mse, [([1.37, 2.81], [0.22, 7.43])])
    assert lines[1:3] == ["  target = [0]", "  prediction = [3]"]


def test_classes_are_dropped_but_the_labels_stay_valid():
    def softmax_over_the_batch(labels, logits):
        weights = np.exp(logits)
        p = weights / weights.sum()
        return -np.mean(np.log(p[np.arange(len(labels)), labels]))

    lines = report(softmax_over_the_batch, cross_entropy, exercises.multiclass())
    assert lines[1:3] == ["  labels = [0, 0]", "  logits = [[0, 0], [0, 0]]"]


def test_probabilities_stay_probabilities():
    def natural_log_forgotten(labels, p):
        return -np.mean(np.log2(np.where(labels == 1, p, 1 - p)))

    def formula(labels, p):
        return -np.mean(np.log(np.where(labels == 1, p, 1 - p)))

    cases = [([1, 0, 1], [0.3, 0.6, 0.9])]
    lines = report(natural_log_forgotten, formula, cases)
    p = eval(lines[2].split("= ")[1])
    assert len(p) == 1 and 0 < p[0] < 1


def test_overflow_is_found_last_and_without_a_warning(recwarn):
    def unstable(labels, logits):
        return np.mean(np.log(1 + np.exp(logits)) - labels * logits)

    lines = report(unstable, bce_with_logits, exercises.binary_logits())
    assert lines[2:] == ["  logits = [1000]", "  your answer    = inf", "  correct answer = 1000"]
    assert not recwarn.list
    check(unstable, bce_with_logits, exercises.binary_logits(extreme=False), strict=True)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda target, prediction: None, "None (is the return statement missing?)"),
        (lambda target, prediction: "0", "a str; a number or an array is needed"),
        (lambda target, prediction: {}, "a dict; a number or an array is needed"),
        (lambda target, prediction: target.nope, "an error, AttributeError:"),
        (lambda target: 0, "an error, TypeError:"),
        (lambda target, prediction: np.nan, "nan"),
        (lambda target, prediction: object().nope, "an error, AttributeError: 'object' object"),
    ],
)
def test_every_kind_of_failure_has_a_message(function, words):
    assert f"  your answer    = {words}" in "\n".join(report(function, mse))


def test_a_wrong_shape_is_named():
    lines = report(lambda target, prediction: (target - prediction) ** 2, mse)
    assert lines[-1] == "Your answer has shape (1,); the correct one, ()."


def test_no_address_of_an_object_is_printed():
    def raises(target, prediction):
        raise ValueError(f"cannot use {object()}")

    assert report(raises, mse)[3].endswith("ValueError: cannot use <object object>")


def test_a_small_difference_is_shown_with_enough_digits():
    def nearly(target, prediction):
        return mse(target, prediction) * (1 + 1e-7)

    lines = report(nearly, mse, tolerance=1e-9)
    assert lines[-2:] == ["  your answer    = 1.0000001", "  correct answer = 1"]
    check(nearly, mse, strict=True)  # within the default tolerance


def test_a_function_cannot_change_the_cases():
    def in_place(target, prediction):
        prediction -= target
        prediction **= 2
        return prediction.mean()

    check(in_place, mse, strict=True)

    def wrong_in_place(target, prediction):
        prediction -= target
        return np.sum(prediction)

    def wrong(target, prediction):
        return np.sum(prediction - target)

    assert report(wrong_in_place, mse) == report(wrong, mse)


def test_ordinary_inputs_are_tried_before_extreme_ones():
    def wrong_twice(target, prediction):
        return mse(target, prediction) * (1 + (len(target) > 2) + np.any(prediction > 500))

    cases = [([0.0], [1000.0]), ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])]
    assert report(wrong_twice, mse, cases)[1] == "  target = [0, 0, 0]"


def test_a_case_is_only_made_smaller_where_the_reference_is_defined():
    def wrong(labels, logits):
        return cross_entropy(labels, logits) + 1.0

    lines = report(wrong, cross_entropy, [([2], [[0.3, -1.2, 2.0]])])
    assert lines[1:3] == ["  labels = [0]", "  logits = [[0, 0]]"]

    def mean_log(x):
        return np.mean(np.log(x))

    lines = report(lambda x: mean_log(x) + 1.0, mean_log, [([2.7, 3.1],)])
    assert float(lines[1].split("[")[1].rstrip("]")) > 0


def test_nan_is_right_where_nan_is_correct():
    def undefined(x):
        return np.sum(x) * np.nan

    check(undefined, undefined, [([1.0],)], strict=True)
    lines = report(lambda x: 0.0, undefined, [([1.0],)])
    assert lines[1:] == ["  x = [1]", "  your answer    = 0", "  correct answer = nan"]


def test_warnings_of_the_reader_stay_out_of_the_page(recwarn):
    import warnings

    def warns(target, prediction):
        warnings.warn("look here", stacklevel=1)
        return mse(target, prediction)

    check(warns, mse, strict=True)
    assert not recwarn.list


def test_infinity_is_right_where_infinity_is_correct():
    def formula(labels, p):
        with np.errstate(divide="ignore"):
            return np.mean(-np.log(np.where(labels == 1, p, 1 - p)))

    check(formula, bce, exercises.binary_probabilities(), strict=True)


def test_torch_answers_are_understood():
    import torch

    def with_torch(target, prediction):
        z = torch.tensor(prediction, requires_grad=True)
        return ((torch.tensor(target) - z) ** 2).mean()

    check(with_torch, mse, strict=True)


def test_cases_may_be_written_by_hand(capsys):
    check(sum, sum, [([1, 2],)])
    assert capsys.readouterr().out == "Correct on the case.\n"
    lines = report(np.max, np.sum, [([1.0, 2.0],)])
    assert lines[1:] == ["  a = [1, 1]", "  your answer    = 1", "  correct answer = 2"]
    lines = report(max, sum, [([1.0, 2.0],)])  # max tells no names of its parameters
    assert lines[1] == "  argument 1 = [1, 1]"
    with pytest.raises(ValueError, match="cases is empty"):
        check(sum, sum, [])
