"""Real data for the chapters, read from packages that are installed anyway.

Nothing is downloaded: scikit-learn and statsmodels ship these files. Every loader returns a
`Dataset` whose arrays are fresh copies, so a page may change them freely.

>>> from lossbook.datasets import diabetes, split, standardise
>>> data = diabetes()
>>> data.X.shape, data.y.shape
((442, 10), (442,))
>>> X_train, X_test, y_train, y_test = split(data.X, data.y, test_size=0.25, seed=0)
>>> X_train, X_test = standardise(X_train, X_test)
"""

from dataclasses import dataclass

import numpy as np

_UCI_LICENCE = "distributed with scikit-learn (BSD-3-Clause); the UCI repository asks for citation"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of features and the target to be predicted from it.

    Attributes
    ----------
    name : str
        What the data is called.
    X : ndarray, float64, shape (n, d)
        One row per sample, one column per feature, in `units`.
    y : ndarray, shape (n,)
        float64 for a quantity, int64 for a class label or a count.
    feature_names : tuple of str, length d
    target_name : str
        What `y` holds.
    units : dict of str to str
        The unit of each feature and of the target, "-" for a pure number, and
        "not stated" where the source does not say.
    class_names : tuple of str
        `class_names[k]` is the meaning of label k. Empty unless `y` is a class label.
    source : str
        The publication the data comes from, and the package that ships it.
    licence : str
    description : str
        What a row is, in a sentence or two.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    target_name: str
    units: dict[str, str]
    source: str
    licence: str
    description: str
    class_names: tuple[str, ...] = ()

    def column(self, feature):
        """The values of one feature, shape (n,), as a copy."""
        if feature not in self.feature_names:
            raise ValueError(
                f"{self.name} has no feature {feature!r}; choose one of: "
                f"{', '.join(self.feature_names)}."
            )
        return self.X[:, self.feature_names.index(feature)].copy()

    def __repr__(self):
        rows, columns = self.X.shape
        return (
            f"Dataset({self.name}: {rows} samples, {columns} features, target: {self.target_name})"
        )


def diabetes():
    """Diabetes progression: 442 patients, 10 features in their raw values.

    X : float64, shape (442, 10). age (years), sex (coded 1 and 2; the source does not say
        which is which), bmi (body mass index, kg/m²), bp (average blood pressure) and six
        blood serum measurements: s1 total cholesterol, s2 LDL, s3 HDL, s4 total
        cholesterol / HDL, s5 possibly the log of serum triglycerides, s6 blood sugar. The
        source states no units for blood pressure and serum.
    y : float64, shape (442,). A measure of disease progression one year after baseline,
        25 to 346, all whole numbers. The source states no unit.

    Convention: scikit-learn's default scales each column to unit sum of squares. These are
    the raw values (`scaled=False`), so that a slope can be read in the feature's own unit.

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), "Least angle regression", Annals
    of Statistics 32(2), 407-499; shipped by scikit-learn.
    Licence: the source states none; distributed with scikit-learn (BSD-3-Clause).
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    names = tuple(bunch.feature_names)
    return Dataset(
        name="diabetes",
        X=_floats(bunch.data),
        y=_floats(bunch.target),
        feature_names=names,
        target_name="disease progression after one year",
        units=dict.fromkeys((*names, "target"), "not stated")
        | {"age": "years", "sex": "code 1 or 2", "bmi": "kg/m²", "s4": "-"},
        source="Efron, Hastie, Johnstone and Tibshirani (2004), Annals of Statistics 32(2), "
        "407-499; shipped by scikit-learn",
        licence="none stated by the source; distributed with scikit-learn (BSD-3-Clause)",
        description="One row per diabetes patient, measured at baseline; the target is "
        "measured one year later.",
    )


def breast_cancer(*, means_only=False):
    """Breast tumours: 569 masses, 30 features of their cell nuclei.

    **Convention: 1 is malignant, 0 is benign.** scikit-learn has it the other way round
    (0 malignant, 1 benign). Here p is the probability of what is being looked for, a
    malignant tumour, as it is in medicine.

    X : float64, shape (569, 30), or (569, 10) with `means_only=True`. Ten measurements of
        the nuclei in an image of a fine needle aspirate (radius, texture, perimeter, area,
        smoothness, compactness, concavity, concave points, symmetry, fractal dimension),
        each as mean, standard error and "worst" (mean of the three largest values). The
        source states no unit of length.
    y : int64, shape (569,). 212 malignant (1), 357 benign (0).

    Parameters
    ----------
    means_only : bool
        Keep the ten columns named "mean ...", the number of inputs of Net(10, 5, 1).

    Source: Street, Wolberg and Mangasarian (1993), "Nuclear feature extraction for breast
    tumor diagnosis", SPIE 1905, 861-870; UCI Machine Learning Repository; shipped by
    scikit-learn.
    Licence: distributed with scikit-learn (BSD-3-Clause); the UCI repository asks for
    citation.
    """
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    names = tuple(str(name) for name in bunch.feature_names)
    keep = [k for k, name in enumerate(names) if name.startswith("mean ") or not means_only]
    names = tuple(names[k] for k in keep)
    return Dataset(
        name="breast cancer",
        X=_floats(bunch.data[:, keep]),
        y=_labels(1 - bunch.target),
        feature_names=names,
        target_name="malignant",
        class_names=("benign", "malignant"),
        units=dict.fromkeys(names, "not stated") | {"target": "label"},
        source="Street, Wolberg and Mangasarian (1993), SPIE 1905, 861-870; UCI Machine "
        "Learning Repository; shipped by scikit-learn",
        licence=_UCI_LICENCE,
        description="One row per breast mass: features of its cell nuclei, and whether it was "
        "malignant (1) or benign (0).",
    )


def digits():
    """Handwritten digits: 1,797 images of 8 by 8 pixels.

    X : float64, shape (1797, 64). Pixels row by row, whole numbers from 0 (no ink) to 16:
        how many of the 16 dots in a 4 by 4 block of the original image are inked.
        `X.reshape(-1, 8, 8)` gives the images.
    y : int64, shape (1797,). The digit, 0 to 9; between 174 and 183 images of each.

    Source: Kaynak (1995), Alpaydin and Kaynak (1998); UCI Machine Learning Repository,
    "Optical recognition of handwritten digits" (its test part); shipped by scikit-learn.
    Licence: distributed with scikit-learn (BSD-3-Clause); the UCI repository asks for
    citation.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    names = tuple(bunch.feature_names)
    return Dataset(
        name="digits",
        X=_floats(bunch.data),
        y=_labels(bunch.target),
        feature_names=names,
        target_name="digit",
        class_names=tuple(str(name) for name in bunch.target_names),
        units=dict.fromkeys(names, "inked dots, 0 to 16") | {"target": "label"},
        source="Alpaydin and Kaynak (1998); UCI Machine Learning Repository, Optical "
        "recognition of handwritten digits; shipped by scikit-learn",
        licence=_UCI_LICENCE,
        description="One row per image of a handwritten digit, 8 by 8 pixels.",
    )


def wine():
    """Wines from one region of Italy, three growers: 178 wines, 13 measurements.

    X : float64, shape (178, 13). Results of a chemical analysis: alcohol, malic acid, ash,
        ..., proline. The source states no units; the columns differ in size by a factor of
        thousands (proline up to 1680, nonflavanoid phenols up to 0.66).
    y : int64, shape (178,). The grower, 0 to 2: 59, 71 and 48 wines.

    Source: Forina et al., PARVUS (University of Genoa); UCI Machine Learning Repository,
    "Wine"; shipped by scikit-learn.
    Licence: distributed with scikit-learn (BSD-3-Clause); the UCI repository asks for
    citation.
    """
    from sklearn.datasets import load_wine

    bunch = load_wine()
    names = tuple(bunch.feature_names)
    return Dataset(
        name="wine",
        X=_floats(bunch.data),
        y=_labels(bunch.target),
        feature_names=names,
        target_name="grower",
        class_names=("grower 0", "grower 1", "grower 2"),
        units=dict.fromkeys(names, "not stated") | {"target": "label"},
        source="Forina et al., PARVUS (University of Genoa); UCI Machine Learning Repository, "
        "Wine; shipped by scikit-learn",
        licence=_UCI_LICENCE,
        description="One row per wine: its chemical analysis, and which of three growers made it.",
    )


def iris():
    """Iris flowers: 150 flowers of three species, four lengths each.

    X : float64, shape (150, 4). Sepal length, sepal width, petal length, petal width, in cm
        (0.1 to 7.9).
    y : int64, shape (150,). 0 setosa, 1 versicolor, 2 virginica; 50 of each.

    Source: Fisher (1936), "The use of multiple measurements in taxonomic problems", Annals of
    Eugenics 7(2), 179-188; shipped by scikit-learn.
    Licence: distributed with scikit-learn (BSD-3-Clause).
    """
    from sklearn.datasets import load_iris

    bunch = load_iris()
    names = tuple(name.removesuffix(" (cm)") for name in bunch.feature_names)
    return Dataset(
        name="iris",
        X=_floats(bunch.data),
        y=_labels(bunch.target),
        feature_names=names,
        target_name="species",
        class_names=tuple(str(name) for name in bunch.target_names),
        units=dict.fromkeys(names, "cm") | {"target": "label"},
        source="Fisher (1936), Annals of Eugenics 7(2), 179-188; shipped by scikit-learn",
        licence="distributed with scikit-learn (BSD-3-Clause)",
        description="One row per flower: four lengths, and its species.",
    )


def doctor_visits():
    """Visits to a doctor in one year: 20,190 counts, very skewed.

    X : float64, shape (20190, 9). lncoins: ln(coinsurance + 1) with coinsurance in percent;
        idp: 1 under an individual deductible plan; lpi: ln of the yearly participation
        incentive payment, at least 0; fmde: ln of (maximum expenditure / (0.01
        coinsurance)), 0 when idp is 1; physlm: 1 with a physical limitation (5 % of the
        rows hold a fraction, which the source does not explain); disea: index of chronic
        diseases, 0 to 58.6; hlthg, hlthf, hlthp: 1 if the person rates the own health good,
        fair, poor (all 0: excellent).
    y : int64, shape (20190,). Outpatient visits to a medical doctor in the year, 0 to 77.
        31 % are 0, the median is 1, the mean 2.86, the variance 20.3: seven times the mean.

    A row is one person in one year, and the same person has several rows, next to each
    other. Rows are therefore not independent, and a random split puts one person on both
    sides. The file has no identifier to prevent it.

    Source: RAND Health Insurance Experiment; Cameron and Trivedi (2005), "Microeconometrics:
    Methods and Applications", Cambridge University Press; shipped by statsmodels (`randhie`).
    Licence: public domain.
    """
    from statsmodels.datasets import randhie

    return _from_statsmodels(
        randhie,
        target="mdvis",
        dtype=np.int64,
        name="doctor visits",
        target_name="visits to a doctor in a year",
        units={
            "lncoins": "ln(percent + 1)",
            "idp": "0 or 1",
            "lpi": "ln(dollars)",
            "fmde": "ln(dollars)",
            "physlm": "0 to 1",
            "disea": "index",
            "hlthg": "0 or 1",
            "hlthf": "0 or 1",
            "hlthp": "0 or 1",
            "target": "visits per year",
        },
        source="RAND Health Insurance Experiment; Cameron and Trivedi (2005), "
        "Microeconometrics, Cambridge University Press; shipped by statsmodels",
        licence="public domain",
        description="One row per person and year: the insurance plan, the person's health, and "
        "how often the person saw a doctor.",
    )


def engel():
    """Income and food in Belgium: 235 working-class households.

    X : float64, shape (235, 1). Yearly household income, 377 to 4,958 Belgian francs.
    y : float64, shape (235,). Yearly spending on food, 242 to 2,033 Belgian francs. The
        spread grows with income, which is what makes the quantiles of interest.

    Source: Engel (1857); used by Koenker and Bassett (1982), "Robust tests for
    heteroscedasticity based on regression quantiles", Econometrica 50, 43-61; shipped by
    statsmodels.
    Licence: public domain.
    """
    from statsmodels.datasets import engel as module

    return _from_statsmodels(
        module,
        target="foodexp",
        dtype=np.float64,
        name="engel",
        target_name="food expenditure",
        units={"income": "Belgian francs a year", "target": "Belgian francs a year"},
        source="Engel (1857); Koenker and Bassett (1982), Econometrica 50, 43-61; shipped by "
        "statsmodels",
        licence="public domain",
        description="One row per Belgian working-class household.",
    )


def stackloss():
    """Ammonia lost by a plant: 21 days, and a few of them outliers.

    X : float64, shape (21, 3). airflow: rate of operation of the plant (50 to 80, no unit
        stated); watertemp: temperature of the cooling water (17 to 27, no unit stated);
        acidconc: concentration of the circulating acid, as 10 × (percent − 50), 72 to 93.
    y : float64, shape (21,). Ten times the percentage of the ammonia that escapes, 7 to 42.

    Source: Brownlee (1965), "Statistical Theory and Methodology in Science and Engineering",
    2nd edition, Wiley; shipped by statsmodels.
    Licence: public domain.
    """
    from statsmodels.datasets import stackloss as module

    return _from_statsmodels(
        module,
        target="STACKLOSS",
        dtype=np.float64,
        name="stack loss",
        target_name="ammonia lost",
        units={
            "airflow": "not stated",
            "watertemp": "not stated",
            "acidconc": "10 × (percent − 50)",
            "target": "0.1 percent",
        },
        source="Brownlee (1965), Statistical Theory and Methodology in Science and Engineering, "
        "2nd edition, Wiley; shipped by statsmodels",
        licence="public domain",
        description="One row per day of a plant that oxidises ammonia to nitric acid.",
    )


def split(X, y, *, test_size=0.25, seed, stratify=False):
    """Shuffle the rows and cut them into a training and a test part.

    Parameters
    ----------
    X, y : arrays with the same number of rows
    test_size : float in (0, 1), or int
        The fraction of rows, or the number of rows, that goes to the test part.
    seed : int
        The same seed gives the same split.
    stratify : bool
        Keep the class proportions of `y` in both parts. For class labels only.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarrays

    Raises
    ------
    ValueError
        When X and y differ in length, or a part would be empty (from scikit-learn).

    For three parts call it twice: cut off the test part first, then the validation part.
    """
    from sklearn.model_selection import train_test_split

    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=test_size, random_state=seed, stratify=y if stratify else None
    )
    return X_train, X_test, y_train, y_test


def standardise(train, *others):
    """Shift and scale each column so that the training part has mean 0 and deviation 1.

    Mean and deviation come from `train` alone and are applied to all parts. A test part
    stands for data that does not exist yet: if it took part in the mean, the model would have
    seen something of it, and its test loss would promise too much.

    A column that is constant in `train` has no scale: it is shifted, and divided by 1.

    Parameters
    ----------
    train : array, shape (n, d) or (n,)
    *others : arrays with the same columns
        Validation part, test part.

    Returns
    -------
    tuple of float64 arrays, or a single array when only `train` is given

    Raises
    ------
    ValueError
        When a part has other columns than `train`, or `train` is empty or not finite.

    >>> standardise([1.0, 3.0], [2.0, 5.0])
    (array([-1.,  1.]), array([0., 3.]))
    """
    train = _floats(train)
    if train.shape[0] == 0 or not np.isfinite(train).all():
        raise ValueError("standardise: the training part must have rows, and no NaN or infinity.")
    mean = train.mean(axis=0)
    constant = (train == train[0]).all(axis=0)
    scale = np.where(constant, 1.0, train.std(axis=0))
    parts = []
    for k, part in enumerate((train, *map(_floats, others))):
        if part.shape[1:] != train.shape[1:]:
            raise ValueError(
                f"standardise: part {k + 1} has shape {part.shape}, but the training part has "
                f"shape {train.shape}; all parts need the same columns."
            )
        parts.append((part - mean) / scale)
    return tuple(parts) if others else parts[0]


def _from_statsmodels(module, *, target, dtype, **facts):
    table = module.load_pandas().data
    features = table.drop(columns=target)
    return Dataset(
        X=_floats(features),
        y=np.array(table[target], dtype=dtype),
        feature_names=tuple(column.lower() for column in features.columns),
        **facts,
    )


def _floats(values):
    return np.array(values, dtype=np.float64)


def _labels(values):
    return np.array(values, dtype=np.int64)
