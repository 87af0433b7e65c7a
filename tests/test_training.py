"""The training loop does what it says: the steps, the record, the stop, the errors."""

import numpy as np
import pytest
import torch
from torch import nn

from lossbook.training import History, evaluate, fit, mean_and_range, predict, repeat


def squared(target, prediction):
    return ((target - prediction) ** 2).mean()


def line(dtype=torch.float64):
    """A linear model of one feature that starts at 0."""
    model = nn.Sequential(nn.Linear(1, 1, dtype=dtype), nn.Flatten(0))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model


def noisy_line(n, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 1))
    return X, 2.0 * X[:, 0] + 1.0 + random.normal(size=n)


def test_full_batches_are_plain_gradient_descent():
    X, y = noisy_line(30)
    model = line()
    history = fit(model, squared, (X, y), epochs=25, learning_rate=0.1)

    slope = intercept = 0.0
    losses = []
    for _ in range(26):
        error = slope * X[:, 0] + intercept - y
        losses.append(np.mean(error**2))
        slope, intercept = (
            slope - 0.1 * 2 * np.mean(error * X[:, 0]),
            intercept - 0.1 * 2 * np.mean(error),
        )
    np.testing.assert_allclose(history.train, losses, rtol=1e-12)
    assert history.epochs == 25 and history.validation == [] and history.best_epoch is None


def test_minibatches_visit_every_sample_once_an_epoch():
    seen = []

    def spy(target, prediction):
        if prediction.requires_grad:
            seen.append(target.tolist())
        return squared(target, prediction)

    X, y = np.zeros((10, 1)), np.arange(10.0)
    fit(line(), spy, (X, y), epochs=2, learning_rate=0.01, batch_size=4)
    assert [len(batch) for batch in seen] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(seen[:3]).tolist(), np.concatenate(seen[3:]).tolist()
    assert sorted(first) == sorted(second) == y.tolist()
    assert first != second and first != y.tolist()


def test_a_short_last_batch_does_not_count_more():
    X, y = noisy_line(10)
    y[-1] += 50.0
    model = line()
    whole = evaluate(model, squared, (X, y))
    np.testing.assert_allclose(evaluate(model, squared, (X, y), batch_size=4), whole)
    mean_of_batch_means = np.mean([np.mean(y[k : k + 4] ** 2) for k in (0, 4, 8)])
    assert abs(mean_of_batch_means - whole) > 1.0


def test_a_loss_may_return_one_value_per_sample():
    X, y = noisy_line(20)
    options = dict(epochs=5, learning_rate=0.1, batch_size=6)
    reduced = fit(line(), squared, (X, y), **options)
    elementwise = fit(line(), lambda t, p: (t - p) ** 2, (X, y), **options)
    np.testing.assert_allclose(elementwise.train, reduced.train, rtol=1e-12)


def test_the_losses_of_the_book_train_a_model():
    from lossbook import bce_with_logits, cross_entropy, mse

    X, y = noisy_line(40)
    assert fit(line(), mse, (X, y), epochs=20, learning_rate=0.1).train[-1] < 2.0
    labels = (y > 1.0).astype(int)
    history = fit(line(), bce_with_logits, (X, labels), epochs=20, learning_rate=1.0)
    assert history.train[-1] < history.train[0] == pytest.approx(np.log(2))
    history = fit(nn.Linear(1, 2), cross_entropy, (X, labels), epochs=20, learning_rate=1.0)
    assert history.train[-1] < history.train[0]


def test_the_seed_fixes_the_run_and_another_seed_changes_it():
    data = noisy_line(50)

    def run(seed):
        torch.manual_seed(7)
        model = nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.3), nn.Linear(8, 1), nn.Flatten(0))
        return fit(model, squared, data, epochs=3, learning_rate=0.05, batch_size=8, seed=seed)

    assert run(1).train == run(1).train
    assert run(1).train != run(2).train


def test_the_random_state_of_the_caller_is_not_touched():
    data, model = noisy_line(10), line()
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    fit(model, squared, data, epochs=2, learning_rate=0.1, batch_size=3, seed=5)
    repeat(lambda seed: torch.rand(()).item(), 2)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def overfitting_run(**options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 50), nn.Tanh(), nn.Linear(50, 1), nn.Flatten(0))
    validation = noisy_line(200, seed=1)
    options = dict(epochs=400, learning_rate=0.02, optimizer=torch.optim.Adam) | options
    history = fit(model, squared, noisy_line(12), validation, **options)
    return model, validation, history


def test_early_stopping_goes_back_to_the_best_weights():
    model, validation, history = overfitting_run(patience=15)
    assert history.stopped_early and history.epochs < 400
    assert history.epochs == history.best_epoch + 15
    assert history.best_epoch == int(np.argmin(history.validation))
    restored = evaluate(model, squared, validation)
    assert restored == pytest.approx(history.validation[history.best_epoch], rel=1e-6)
    assert restored < history.validation[-1]


def test_without_patience_the_last_weights_stay():
    model, validation, history = overfitting_run()
    assert not history.stopped_early and history.epochs == 400
    last = evaluate(model, squared, validation)
    assert last == pytest.approx(history.validation[-1], rel=1e-6)
    assert history.validation[history.best_epoch] < last


def test_the_model_is_left_in_evaluation_mode():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(1, 1), nn.Flatten(0))
    data = noisy_line(20)
    fit(model, squared, data, epochs=1, learning_rate=0.01)
    assert not model.training
    assert np.array_equal(predict(model, data[0]), predict(model, data[0]))
    assert isinstance(predict(model, data[0]), np.ndarray)


def test_an_optimizer_may_be_a_class_or_ready_made():
    data = noisy_line(20)
    by_class = fit(line(), squared, data, epochs=4, learning_rate=0.3, optimizer=torch.optim.Adam)
    model = line()
    ready = torch.optim.Adam(model.parameters(), lr=0.3)
    assert fit(model, squared, data, epochs=4, optimizer=ready).train == by_class.train


@pytest.mark.parametrize("progress", ["auto", False])
def test_nothing_is_printed(progress, capfd, monkeypatch):
    monkeypatch.delenv("LOSSBOOK_PROGRESS", raising=False)
    fit(line(), squared, noisy_line(9), epochs=3, learning_rate=0.1, progress=progress)
    assert capfd.readouterr() == ("", "")


def test_a_progress_bar_appears_on_request(capsys, monkeypatch):
    fit(line(), squared, noisy_line(9), epochs=3, learning_rate=0.1, progress=True)
    assert "epochs" in capsys.readouterr().err
    monkeypatch.setenv("LOSSBOOK_PROGRESS", "1")
    fit(line(), squared, noisy_line(9), epochs=3, learning_rate=0.1)
    assert "epochs" in capsys.readouterr().err


def test_a_diverging_run_stops_and_says_where():
    with pytest.raises(FloatingPointError, match=r"epoch \d+, batch \d+.*learning rate \(100\)"):
        fit(line(), squared, noisy_line(20), epochs=500, learning_rate=100.0, batch_size=8)


def test_a_nan_loss_in_the_first_batch_is_named():
    with pytest.raises(FloatingPointError, match="nan after epoch 0"):
        fit(line(), lambda t, p: squared(t, p) * np.nan, noisy_line(5), epochs=1, learning_rate=0.1)


@pytest.mark.parametrize(
    ("target_shape", "model"),
    [((6,), nn.Linear(1, 1)), ((6, 1), nn.Sequential(nn.Linear(1, 1), nn.Flatten(0)))],
)
def test_a_column_against_a_vector_is_refused(target_shape, model):
    data = np.zeros((6, 1)), np.zeros(target_shape)
    with pytest.raises(ValueError, match=r"\(6,\).*Flatten"):
        fit(model, squared, data, epochs=1, learning_rate=0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"patience": 3}, "patience watches the validation loss"),
        ({"learning_rate": None}, "learning_rate is None"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"progress": "yes"}, "progress is 'yes'"),
        ({"train": np.zeros((4, 1))}, r"train must be a pair \(X, y\)"),
        ({"train": (np.zeros((4, 1)), np.zeros(3))}, "4 rows in X and 3 in y"),
        ({"train": (np.full((4, 1), np.nan), np.zeros(4))}, "X of train contains NaN"),
        ({"validation": (np.zeros((4, 1)), np.full(4, np.inf))}, "y of validation contains NaN"),
    ],
)
def test_a_bad_argument_is_named(changes, message):
    arguments = dict(train=noisy_line(4), epochs=1, learning_rate=0.1) | changes
    with pytest.raises(ValueError, match=message):
        fit(line(), squared, **arguments)


def test_a_ready_optimizer_brings_its_learning_rate():
    model = line()
    ready = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="own learning rate"):
        fit(model, squared, noisy_line(4), epochs=1, learning_rate=0.1, optimizer=ready)


def test_repeat_seeds_the_initial_weights():
    def first_weight(seed):
        return nn.Linear(1, 1).weight.item()

    values = repeat(first_weight, [3, 4, 3])
    assert values.shape == (3,)
    assert values[0] == values[2] != values[1]
    assert repeat(lambda seed: [seed, -seed], 4).tolist() == [[0, 0], [1, -1], [2, -2], [3, -3]]


def test_mean_and_range_is_text():
    assert mean_and_range([1.0, 2.0, 6.0], digits=1) == "3.0 (1.0 to 6.0, 3 runs)"
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        mean_and_range(np.zeros((2, 2)))


def test_history_reads_well():
    history = History([4.0, 1.0, 0.5], [5.0, 2.0, 3.0], best_epoch=1, stopped_early=True)
    assert repr(history) == (
        "History(2 epochs, train 4 → 0.5, best validation 2 after epoch 1, stopped early)"
    )
