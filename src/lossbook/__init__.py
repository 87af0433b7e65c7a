"""Loss functions that read like their formula, each with its gradient.

    from lossbook import huber
    huber(target, prediction, delta=1.0)
    huber.gradient(target, prediction, delta=1.0)

Regression: mse, rmse, mae, huber, smooth_l1, log_cosh, pinball, expectile,
    epsilon_insensitive, squared_epsilon_insensitive, mape, msle, rmsle.
Robust regression: barron, charbonnier, cauchy, geman_mcclure, welsch, wing.
Likelihoods and scores: poisson_nll, gamma_nll, gaussian_nll, laplace_nll, tweedie_deviance,
    poisson_deviance, gamma_deviance, crps_gaussian, crps_quantiles.
Classification by probabilities: bce, bce_with_logits, brier, nll, cross_entropy,
    kl_divergence, jensen_shannon, multiclass_brier.
Variants of cross-entropy: focal, focal_cross_entropy, poly1_cross_entropy,
    generalised_cross_entropy, symmetric_cross_entropy.
Classification by margins: hinge, squared_hinge, modified_huber, logistic, exponential,
    perceptron, multiclass_hinge, multiclass_perceptron, weston_watkins, sparsemax_loss,
    entmax15_loss, zero_one.
Sequences: ctc.
A linear layer and its loss in one: linear_cross_entropy.
Overlap of masks: tversky, dice, jaccard, lovasz_hinge, lovasz_softmax.
Similarity of vectors: cosine_distance, cosine_embedding, hinge_embedding, contrastive, triplet,
    info_nce, nt_xent, supervised_contrastive, siglip, circle.
Ranking: margin_ranking, bpr, listwise_softmax, multilabel_margin, label_ranking.
Preferences: dpo, ipo.
"""

from lossbook.classification import (
    bce,
    bce_with_logits,
    brier,
    cross_entropy,
    jensen_shannon,
    kl_divergence,
    multiclass_brier,
    nll,
)
from lossbook.cross_entropy_variants import (
    focal,
    focal_cross_entropy,
    generalised_cross_entropy,
    poly1_cross_entropy,
    symmetric_cross_entropy,
)
from lossbook.likelihood import (
    crps_gaussian,
    crps_quantiles,
    gamma_deviance,
    gamma_nll,
    gaussian_nll,
    laplace_nll,
    poisson_deviance,
    poisson_nll,
    tweedie_deviance,
)
from lossbook.linear_cross_entropy import linear_cross_entropy
from lossbook.margin import (
    entmax15_loss,
    exponential,
    hinge,
    logistic,
    modified_huber,
    multiclass_hinge,
    multiclass_perceptron,
    perceptron,
    sparsemax_loss,
    squared_hinge,
    weston_watkins,
    zero_one,
)
from lossbook.overlap import dice, jaccard, lovasz_hinge, lovasz_softmax, tversky
from lossbook.preference import dpo, ipo
from lossbook.ranking import (
    bpr,
    label_ranking,
    listwise_softmax,
    margin_ranking,
    multilabel_margin,
)
from lossbook.regression import (
    epsilon_insensitive,
    expectile,
    huber,
    log_cosh,
    mae,
    mape,
    mse,
    msle,
    pinball,
    rmse,
    rmsle,
    smooth_l1,
    squared_epsilon_insensitive,
)
from lossbook.robust import (
    barron,
    cauchy,
    charbonnier,
    geman_mcclure,
    welsch,
    wing,
)
from lossbook.sequence import ctc
from lossbook.similarity import (
    circle,
    contrastive,
    cosine_distance,
    cosine_embedding,
    hinge_embedding,
    info_nce,
    nt_xent,
    siglip,
    supervised_contrastive,
    triplet,
)

__all__ = [
    "barron",
    "bce",
    "bce_with_logits",
    "bpr",
    "brier",
    "cauchy",
    "charbonnier",
    "circle",
    "contrastive",
    "cosine_distance",
    "cosine_embedding",
    "cross_entropy",
    "crps_gaussian",
    "crps_quantiles",
    "ctc",
    "dice",
    "dpo",
    "entmax15_loss",
    "epsilon_insensitive",
    "expectile",
    "exponential",
    "focal",
    "focal_cross_entropy",
    "gamma_deviance",
    "gamma_nll",
    "gaussian_nll",
    "geman_mcclure",
    "generalised_cross_entropy",
    "hinge",
    "hinge_embedding",
    "huber",
    "info_nce",
    "ipo",
    "jaccard",
    "jensen_shannon",
    "kl_divergence",
    "label_ranking",
    "laplace_nll",
    "linear_cross_entropy",
    "listwise_softmax",
    "log_cosh",
    "logistic",
    "lovasz_hinge",
    "lovasz_softmax",
    "mae",
    "mape",
    "margin_ranking",
    "modified_huber",
    "mse",
    "msle",
    "multiclass_brier",
    "multiclass_hinge",
    "multiclass_perceptron",
    "multilabel_margin",
    "nll",
    "nt_xent",
    "perceptron",
    "pinball",
    "poisson_deviance",
    "poisson_nll",
    "poly1_cross_entropy",
    "rmse",
    "rmsle",
    "siglip",
    "smooth_l1",
    "sparsemax_loss",
    "squared_epsilon_insensitive",
    "squared_hinge",
    "supervised_contrastive",
    "symmetric_cross_entropy",
    "triplet",
    "tversky",
    "tweedie_deviance",
    "welsch",
    "weston_watkins",
    "wing",
    "zero_one",
]
