"""The data is what the docstrings say it is, and comes from installed packages alone."""

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lossbook import datasets

LOADERS = {
    "diabetes": ((442, 10), np.float64),
    "breast_cancer": ((569, 30), np.int64),
    "digits": ((1797, 64), np.int64),
    "wine": ((178, 13), np.int64),
    "iris": ((150, 4), np.int64),
    "doctor_visits": ((20190, 9), np.int64),
    "engel": ((235, 1), np.float64),
    "stackloss": ((21, 3), np.float64),
}


@pytest.fixture(params=LOADERS)
def loader(request):
    return getattr(datasets, request.param)


def test_shape_and_type_are_as_documented(loader):
    data = loader()
    shape, dtype = LOADERS[loader.__name__]
    assert data.X.shape == shape and data.X.dtype == np.float64
    assert data.y.shape == shape[:1] and data.y.dtype == dtype
    assert f"X : float64, shape {shape}" in loader.__doc__
    assert f"y : {np.dtype(dtype)}, shape ({shape[0]},)" in loader.__doc__


def test_every_value_is_finite(loader):
    data = loader()
    assert np.isfinite(data.X).all() and np.isfinite(data.y).all()


def test_every_column_has_a_name_and_a_unit(loader):
    data = loader()
    assert len(data.feature_names) == data.X.shape[1] == len(set(data.feature_names))
    assert set(data.units) == {*data.feature_names, "target"}
    assert data.target_name


def test_source_licence_and_units_are_in_the_docstring(loader):
    data = loader()
    words = " ".join(loader.__doc__.split())
    assert "Source: " in words and "Licence: " in words
    assert data.source.split("(")[0].strip() in words
    assert data.licence and data.description


def test_class_names_belong_to_the_labels(loader):
    data = loader()
    if data.class_names:
        assert set(data.y) == set(range(len(data.class_names)))
    else:
        assert loader.__name__ in ("diabetes", "doctor_visits", "engel", "stackloss")


def test_nothing_is_downloaded(loader, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("a loader opened a network connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    loader()


def test_arrays_are_fresh_copies(loader):
    first = loader()
    first.X[:] = -1.0
    first.y[:] = -1
    second = loader()
    assert (second.X != -1.0).any() and (second.y != -1).any()


def test_diabetes_is_in_raw_units():
    data = datasets.diabetes()
    assert (data.y.min(), data.y.max()) == (25, 346)
    assert (data.y == np.round(data.y)).all()
    assert (data.column("age").min(), data.column("age").max()) == (19, 79)
    assert set(data.column("sex")) == {1, 2}
    assert (data.column("bmi").min(), data.column("bmi").max()) == (18, 42.2)


def test_breast_cancer_labels_the_malignant_tumours_with_1():
    data = datasets.breast_cancer()
    assert np.bincount(data.y).tolist() == [357, 212]
    assert data.class_names == ("benign", "malignant")
    # Malignant nuclei are the larger ones: the labels are not merely renamed.
    radius = data.column("mean radius")
    assert radius[data.y == 1].mean() > 1.3 * radius[data.y == 0].mean()


def test_breast_cancer_means_are_the_ten_mean_columns():
    full, means = datasets.breast_cancer(), datasets.breast_cancer(means_only=True)
    assert means.X.shape == (569, 10)
    assert all(name.startswith("mean ") for name in means.feature_names)
    for name in means.feature_names:
        assert np.array_equal(means.column(name), full.column(name))
    assert set(means.units) == {*means.feature_names, "target"}


def test_digits_are_whole_numbers_from_0_to_16():
    data = datasets.digits()
    assert set(np.unique(data.X)) == set(range(17))
    counts = np.bincount(data.y)
    assert (counts.min(), counts.max()) == (174, 183)


def test_wine_and_iris_have_the_documented_classes():
    wine, iris = datasets.wine(), datasets.iris()
    assert np.bincount(wine.y).tolist() == [59, 71, 48]
    assert wine.column("proline").max() == 1680
    assert wine.column("nonflavanoid_phenols").max() == 0.66
    assert np.bincount(iris.y).tolist() == [50, 50, 50]
    assert (iris.X.min(), iris.X.max()) == (0.1, 7.9)
    assert iris.class_names == ("setosa", "versicolor", "virginica")


def test_doctor_visits_are_skewed_counts():
    data = datasets.doctor_visits()
    assert (data.y.min(), data.y.max()) == (0, 77)
    assert np.median(data.y) == 1
    assert round(data.y.mean(), 2) == 2.86
    assert round(data.y.var(ddof=1), 1) == 20.3
    assert round(100 * (data.y == 0).mean()) == 31
    assert (data.column("disea").min(), data.column("disea").max()) == (0, 58.6)
    fractions = data.column("physlm") % 1 != 0
    assert round(100 * fractions.mean()) == 5


def test_doctor_visits_has_several_rows_for_a_person():
    from statsmodels.datasets import randhie

    original = Path(randhie.__file__).parent / "src" / "randhie.csv"
    header = original.read_text().splitlines()[0].split(",")
    columns = [header.index(name) for name in ("zper", "mdvis")]
    person, visits = np.loadtxt(original, delimiter=",", skiprows=1, usecols=columns).T
    assert np.array_equal(visits, datasets.doctor_visits().y)
    persons = len(np.unique(person))
    assert persons < len(person) / 3
    assert 1 + np.count_nonzero(np.diff(person)) == persons  # rows of a person are adjacent


def test_engel_and_stackloss_have_the_documented_ranges():
    engel, stack = datasets.engel(), datasets.stackloss()
    assert (round(engel.X.min()), round(engel.X.max())) == (377, 4958)
    assert (round(engel.y.min()), round(engel.y.max())) == (242, 2033)
    assert (stack.y.min(), stack.y.max()) == (7, 42)
    for name, low, high in (("airflow", 50, 80), ("watertemp", 17, 27), ("acidconc", 72, 93)):
        assert (stack.column(name).min(), stack.column(name).max()) == (low, high)


def test_engel_spreads_with_income():
    data = datasets.engel()
    income = data.column("income")
    slope, intercept = np.polyfit(income, data.y, 1)
    distance = np.abs(data.y - (slope * income + intercept))
    rich = income > np.median(income)
    assert distance[rich].mean() > 1.5 * distance[~rich].mean()


def test_unknown_column_names_the_choices():
    with pytest.raises(ValueError, match=r"no feature 'mass'.*income"):
        datasets.engel().column("mass")


def test_split_is_a_partition_that_the_seed_fixes():
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20)
    X_train, X_test, y_train, y_test = datasets.split(X, y, test_size=0.25, seed=3)
    assert len(X_train) == 15 and len(X_test) == 5
    assert sorted([*y_train, *y_test]) == list(range(20))
    assert np.array_equal(X_train[:, 0], 2.0 * y_train)
    assert np.array_equal(y_test, datasets.split(X, y, test_size=0.25, seed=3)[3])
    assert not np.array_equal(y_test, datasets.split(X, y, test_size=0.25, seed=4)[3])


def test_stratified_split_keeps_the_class_proportions():
    y = np.array([0] * 90 + [1] * 10)
    for seed in range(5):
        y_test = datasets.split(np.zeros((100, 1)), y, test_size=0.2, seed=seed, stratify=True)[3]
        assert np.bincount(y_test).tolist() == [18, 2]


def test_standardise_measures_the_training_part_only():
    random = np.random.default_rng(0)
    train, test = random.normal(5.0, 3.0, (50, 2)), random.normal(9.0, 1.0, (20, 2))
    scaled, other = datasets.standardise(train, test)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0)
    np.testing.assert_allclose(other, (test - train.mean(axis=0)) / train.std(axis=0))
    assert (other.mean(axis=0) > 0.5).all()  # not centred by its own mean


def test_standardise_keeps_a_constant_column_finite():
    # 0.1 + 0.1 + 0.1 is not 0.3: the deviation of equal numbers is not exactly 0.
    scaled, other = datasets.standardise(np.full((3, 1), 0.1), np.array([[1.1]]))
    np.testing.assert_allclose(scaled, 0.0, atol=1e-12)
    np.testing.assert_allclose(other, 1.0)


def test_standardise_refuses_what_it_cannot_scale():
    with pytest.raises(ValueError, match=r"part 2 has shape \(4, 3\).*\(5, 2\)"):
        datasets.standardise(np.ones((5, 2)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="NaN"):
        datasets.standardise([1.0, np.nan])
    with pytest.raises(ValueError, match="rows"):
        datasets.standardise(np.empty((0, 2)))


def test_importing_the_module_imports_no_large_library():
    code = (
        "import sys, lossbook.datasets, lossbook.exercises; "
        "print(sorted({'torch', 'sklearn', 'statsmodels', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
