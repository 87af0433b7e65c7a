"""What the losses over classes share: labels or distributions, class weights, ignored rows."""

import functools
import math

from lossbook.backend import as_index, complement, one_hot, pick, product, softmax
from lossbook.checks import (
    NUMPY,
    Interval,
    check_domain,
    check_same_shape,
    find,
    is_integer,
    namespace_of,
    values_are_known,
)
from lossbook.loss import Loss

CLASS_INDEX = Interval(0, math.inf)  # a target that cannot be a distribution over the classes


class ClasswiseLoss(Loss):
    """A loss over classes: the prediction has one column a class, the class axis is the last.

    The target is either class indices, integers of shape ``prediction.shape[:-1]``, or a
    distribution over the classes, floating and of the prediction's shape. There is one loss
    value per row. One more argument than other losses, or two:

    - ``ignore_index``: rows with this class index are left out. None (the default) means that
      every index must be a class.
    - ``class_weight``, shape (C,), where the signature has it: multiplies the term of each
      class; the weighted mean divides by the sum of the weights that were used.

    A loss whose target domain is CLASS_INDEX takes class indices alone.
    """

    def _more_parameters(self):
        return {"ignore_index": None}

    def _value_shape(self, prediction):
        return prediction.shape[:-1]

    def _over_samples(self, weight):
        return weight[..., None]

    def _is_label(self, xp, target):
        return is_integer(xp, target)

    def _count(self, prediction, weight, parameters):
        if parameters.get("class_weight") is not None or parameters["ignore_index"] is not None:
            return None
        return super()._count(prediction, weight, parameters)

    def _leave_out(self, xp, target, prediction, weight, parameters):
        ignore_index = parameters["ignore_index"]
        if ignore_index is not None:
            ignored = as_index(xp, target) == ignore_index
            kept = xp.astype(~ignored, prediction.dtype)
            weight = kept if weight is None else weight * kept
            target = xp.where(ignored, 0, target)
        return super()._leave_out(xp, target, prediction, weight, parameters)

    def _own_weight(self, xp, target, prediction, parameters):
        if parameters.get("class_weight") is None:
            return None
        masses = class_masses(
            xp,
            target,
            prediction,
            class_weight=parameters["class_weight"],
            label_smoothing=parameters.get("label_smoothing", 0.0),
        )
        return xp.sum(masses, axis=-1)

    def _check_target(self, xp, target, prediction, parameters):
        if prediction.ndim == 0 or 0 in prediction.shape:
            raise ValueError(
                f"{self.name}: {self.prediction_name} needs shape (..., classes) and at least one "
                f"row and one class; its shape is {tuple(prediction.shape)}."
            )
        if parameters.get("class_weight") is not None:
            parameters["class_weight"] = self._checked_class_weight(
                xp, parameters["class_weight"], prediction
            )
        if is_integer(xp, target):
            self._check_label_shape(target, prediction)
        else:
            self._check_distribution_shape(xp, target, prediction, parameters)

    def _checked_class_weight(self, xp, class_weight, prediction):
        namespace_of(self.name, **{self.prediction_name: prediction, "class_weight": class_weight})
        classes = prediction.shape[-1]
        if class_weight.shape != (classes,):
            raise ValueError(
                f"{self.name}: class_weight must have one entry per class, shape ({classes},); "
                f"it has shape {tuple(class_weight.shape)}."
            )
        self._check_type(xp, "class_weight", class_weight, prediction)
        if values_are_known(class_weight):
            negative = find(xp, class_weight < 0, class_weight)
            if negative:
                raise ValueError(f"{self.name}: class_weight must not be negative; {negative}.")
        return xp.astype(class_weight, prediction.dtype)

    def _check_label_shape(self, labels, prediction):
        rows = prediction.shape[:-1]
        if labels.shape == rows:
            return
        hint = ""
        if labels.shape == prediction.shape:
            hint = " For one-hot rows convert the target to a floating type."
        elif math.prod(labels.shape) == math.prod(rows):
            hint = f" Reshape it: target.reshape({tuple(rows)})."
        elif prediction.ndim > 2:
            hint = " The class axis is the last one: move it there."
        raise ValueError(
            f"{self.name}: class indices need shape {tuple(rows)} for {self.prediction_name} "
            f"of shape {tuple(prediction.shape)}; target has shape {tuple(labels.shape)}.{hint}"
        )

    def _check_distribution_shape(self, xp, target, prediction, parameters):
        if self.target_domain is CLASS_INDEX and target.shape == prediction.shape:
            raise TypeError(
                f"{self.name}: target must hold class indices, integers of shape "
                f"{tuple(prediction.shape[:-1])}; it is {target.dtype} of shape "
                f"{tuple(target.shape)}. This loss has no value for a distribution."
            )
        if target.shape == prediction.shape[:-1]:
            raise TypeError(
                f"{self.name}: class indices must be integers; target is {target.dtype} of shape "
                f"{tuple(target.shape)}. Convert it to int64."
            )
        check_same_shape(self.name, **{"target": target, self.prediction_name: prediction})
        self._check_type(xp, "target", target, prediction)
        if parameters["ignore_index"] is not None:
            raise ValueError(
                f"{self.name}: ignore_index needs class indices, but target holds a distribution "
                "per row. Leave rows out with weight=0."
            )

    def _check_target_domain(self, xp, target, prediction, parameters):
        if is_integer(xp, target):
            self._check_labels(xp, target, prediction.shape[-1], parameters["ignore_index"])
            return
        check_domain(xp, self.name, "target", target, self.target_domain)
        # rows of half precision add up in float32, but their entries were rounded before
        total = xp.sum(
            target if target.dtype.itemsize >= 4 else xp.astype(target, xp.float32), axis=-1
        )
        slack = float(xp.finfo(target.dtype).eps) * 4 * target.shape[-1] ** 0.5 + 1e-6
        found = find(xp, abs(total - 1) > slack, total)
        if found:
            raise ValueError(
                f"{self.name}: each row of target must be a distribution that sums to 1; "
                f"a row sum is off: {found}."
            )

    def _check_labels(self, xp, labels, classes, ignore_index):
        if xp is NUMPY and labels.min() >= 0 and labels.max() < classes:
            return  # the usual case, from two numbers
        labels = as_index(xp, labels)  # for the unsigned integers of torch -1 is 255
        outside = (labels < 0) | (labels >= classes)
        if ignore_index is not None:
            outside = outside & (labels != ignore_index)
        found = find(xp, outside, labels)
        if found:
            raise ValueError(
                f"{self.name}: class indices must lie in 0..{classes - 1} for {classes} "
                f"classes; target has {found}. To leave rows out, name their index with "
                "ignore_index."
            )


def classwise_loss(**settings):
    """Make a `ClasswiseLoss`; settings as for `lossbook.loss.pointwise_loss`."""
    return functools.partial(ClasswiseLoss, **settings)


def class_masses(xp, target, prediction, *, class_weight=None, label_smoothing=0.0):
    """What each class of each row counts: w_c · q_c, with q the smoothed target distribution.

    Shape of the prediction. Without class weights every row sums to 1.
    """
    classes = prediction.shape[-1]
    masses = target
    if is_integer(xp, target):
        masses = one_hot(xp, target, prediction)
    if label_smoothing:
        masses = (1 - label_smoothing) * masses + label_smoothing / classes
    return masses if class_weight is None else masses * class_weight


def expected(xp, target, costs, class_weight=None):
    """Σ_c w_c q_c cost_c: the cost of the class that each row names, or of its distribution."""
    if not is_integer(xp, target):
        masses = class_masses(xp, target, costs, class_weight=class_weight)
        return xp.sum(product(xp, masses, costs), axis=-1)
    cost = pick(xp, costs, target)
    return cost if class_weight is None else product(xp, class_weight[target], cost)


def through_softmax(xp, logits, slopes):
    """Derivatives with respect to the logits, from those with respect to log softmax(logits).

    ``s_c - p_c Σ_k s_k``, with the class's own part taken together: ``s_c (1 - p_c)``.
    """
    of_others = xp.sum(slopes, axis=-1)[..., None] - slopes
    return slopes * complement(xp, logits) - softmax(xp, logits) * of_others
