"""The form of an entry of the catalogue: which facts are stated about a loss."""

import dataclasses
import math
from collections.abc import Callable

from lossbook.checks import Interval
from lossbook.loss import Loss
from lossbook.sampling import argument_names
from lossbook.structured import StructuredLoss

# in the order in which a table shows them
FACTS = (
    "value",
    "gradient",
    "domain",
    "minimiser",
    "convex",
    "smooth",
    "bound",
    "proper",
    "activation",
    "likelihood",
    "special_case",
    "source",
)


INTEGER = Interval(-math.inf, math.inf)  # of an integer type; of which size, the loss checks


@dataclasses.dataclass(frozen=True)
class When:
    """A property that some values of the parameters have: ``holds`` takes their dictionary."""

    words: str
    holds: Callable

    def __str__(self):
        return f"if {self.words}"


@dataclasses.dataclass(frozen=True)
class SpecialCase:
    """``factor · of(…)``: the loss is another one with some parameters fixed.

    ``parameters`` turns the loss's own parameters into those of the other, ``arguments`` its
    target and prediction into the other's.
    """

    of: Loss | StructuredLoss
    words: str
    parameters: Callable = lambda **own: own
    factor: float | Callable = 1.0  # a number, or a function of the parameters
    arguments: Callable = lambda *arrays, **own: arrays


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    r"""The facts about one loss; None stands for what does not apply to it.

    They hold for all values of the parameters that a formula or a condition names. Parameters that
    none of them names, such as class weights, have their defaults.

    The formulas use the symbols of the book: the target y, the prediction ŷ, p or z, the error
    e = ŷ - y, and the parameters as in `lossbook.properties.SYMBOLS`. Of a loss over classes they
    are those of a label y: z_k the logits, p_k the predicted probabilities, q_k 1 for the label
    and 0 elsewhere; the gradient is with respect to z_c.
    """

    loss: Loss | StructuredLoss
    title: str
    chinese: str
    value: str  # LaTeX of the loss of one sample
    gradient: str | tuple  # LaTeX of its derivative; one a prediction if there are several
    convex: bool | When  # in the prediction
    smooth: bool | When  # has a continuous derivative
    # LaTeX of the least upper bound of an entry of the gradient; "bounded" if it has no short form
    bound: str
    source: str  # key of the first source in references.bib
    minimiser: str | None = (
        None  # a name in `lossbook.minimisers.MINIMISERS`, or what `asks` checks
    )
    asks: Callable | None = None  # (entry, parameters) -> what is wrong with the minimiser
    activation: str | None = None  # what makes a prediction from a model's output
    inside: bool = False  # whether the loss applies the activation itself
    canonical: bool = False  # the gradient at the output is a multiple of activation minus target
    likelihood: str | None = None  # a name in `lossbook.properties.LIKELIHOODS`
    times: float = 1.0  # the negative log-likelihood is so many times the loss, plus a constant
    proper: bool | When | None = None  # for a prediction that is a distribution
    special_case: SpecialCase | None = None
    where: tuple = ()  # pairs of a symbol and its LaTeX, for both formulas
    legend: str = ""  # the symbols that are not of the book's notation, in words
    of: str | None = None  # the symbol of the gradient's variable, if that is not the prediction
    examples: tuple = ({},)  # parameters that the checks are run with
    # (arrays of a sample, parameters) -> what else the formulas name, by symbol; for samples that
    # meet each other the arrays of all, and one dictionary a sample
    vectors: Callable | None = None
    sample: Callable | None = None  # (rng, n, spread) -> arrays, where domains do not tell

    @property
    def name(self):
        return self.loss.name

    @property
    def arguments(self):
        """The names of the arrays, in the order of the signature."""
        return argument_names(self.loss)

    def domains(self, parameters):
        """The domain of each array; None stands for every number."""
        if isinstance(self.loss, StructuredLoss):
            domains = self.loss.domains | dict.fromkeys(self.loss.labels, INTEGER)
            return [domains.get(name) for name in self.arguments]
        every = {**self.loss.defaults, **parameters}
        return [
            domain(every) if callable(domain) else domain
            for domain in (self.loss.target_domain, self.loss.prediction_domain)
        ]

    @property
    def domain(self):
        """The domains in words; for the default parameters, where they depend on them."""
        return ", ".join(
            f"{name} {_DOMAIN_WORDS.get(domain, domain)}"
            for name, domain in zip(self.arguments, self.domains({}), strict=True)
        )


_DOMAIN_WORDS = {None: "real", INTEGER: "an integer"}
ERROR = (("e", r"\hat y - y"),)
