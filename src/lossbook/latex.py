r"""Formulas in LaTeX as numbers, so that a printed formula can be compared with the code.

SymPy reads the LaTeX. What it does not know is written out before: cases, sums and maxima over
the classes, products without a sign, and names such as ``\hat y``.

    >>> evaluate(r"\frac12 e^2", {"e": 3.0})
    4.5
    >>> evaluate(r"\max_{k \ne y}(z_k) - z_y", {"z_k": [1.0, 5.0, 2.0], "z_y": 1.0, "y": 0})
    4.0
"""

import functools
import re

import mpmath
import numpy as np
import sympy
from sympy.parsing.latex import parse_latex

# a name of the book, and the function it stands for
FUNCTIONS = {
    r"\sigma": lambda x: 1 / (1 + sympy.exp(-x)),
    r"\operatorname{softplus}": lambda x: sympy.log(1 + sympy.exp(x)),
    r"\operatorname{sign}": sympy.sign,
    r"\operatorname{logit}": lambda x: sympy.log(x / (1 - x)),
    r"\Phi": lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
    r"\varphi": lambda x: sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
    r"\operatorname{clip}": lambda x, low, high: sympy.Min(sympy.Max(x, low), high),
    r"\max": sympy.Max,
    r"\min": sympy.Min,
}
# what SymPy reads by itself
KNOWN = {r"\log", r"\exp", r"\sqrt", r"\tanh", r"\cosh", r"\sinh", r"\frac", r"\cdot", r"\infty"}
CONSTANTS = {r"\pi": sympy.pi}
RELATIONS = {r"\le": sympy.Le, r"\ge": sympy.Ge, "<": sympy.Lt, ">": sympy.Gt, "=": sympy.Eq}
TOKEN = re.compile(
    r"""(?P<operator>\\operatorname\{\w+\}|\\mathbb\{1\})
      | (?P<accent>\\hat\s*(?:\{\w\}|\w))
      | (?P<command>\\[a-zA-Z]+)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<letter>[a-zA-Z])
      | (?P<other>[-+*/=<>|^_(){}\[\],!&])
      | (?P<space>\s+)""",
    re.VERBOSE,
)


def evaluate(latex, values):
    r"""The number that a formula gives.

    ``values`` maps each symbol of the formula, as it is written there, to a number. A symbol whose
    index is a letter, such as ``p_k``, may map to a sequence: ``\sum_k (…)``, ``\max_k (…)`` and
    ``\sum_{k \ne y} (…)`` run over it, the last without the index that ``y`` has.
    """
    values = {_plain(name): value for name, value in values.items()}
    sequences = {name[-1]: len(value) for name, value in values.items() if np.ndim(value) == 1}
    left_out = {name: int(values[name]) for name in re.findall(r"\\ne\s*([a-z])", latex)}
    function, names = _compiled(latex, tuple(sequences.items()), tuple(left_out.items()))
    with mpmath.workdps(30):
        return float(function(*(mpmath.mpf(float(_look_up(name, values))) for name in names)))


@functools.cache
def _compiled(latex, sequences, left_out):
    """The formula as a function of mpmath's numbers, and the names of its arguments."""
    symbols, formula = parsed(latex, sequences, left_out)
    names = [name for name in symbols if name not in CONSTANTS]
    return sympy.lambdify([symbols[name] for name in names], formula, "mpmath"), names


@functools.cache
def parsed(latex, sequences=(), left_out=()):
    """SymPy's expression of the formula, and its symbols by their LaTeX.

    ``sequences`` holds pairs of an index and its number of values, ``left_out`` pairs of the name
    of an index that a sum leaves out and its number.
    """
    text = re.sub(r"\\(left|right|,|;|!|displaystyle)(?![a-zA-Z])", " ", latex)
    text = re.sub(r"\\[td]frac(?![a-zA-Z])", r"\\frac", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\d|[a-zA-Z](?!_))", r"\\frac{\1}{\2}", text)
    symbols = {}
    formula = _read(text, symbols, dict(sequences), dict(left_out))
    return symbols, formula


def _read(text, symbols, sequences, left_out):
    text = text.strip()
    cases = re.fullmatch(r"\\begin\{cases\}(.*)\\end\{cases\}", text, re.DOTALL)
    if cases:
        pieces = []
        for line in re.split(r"\\\\(?:\[\w+\])?", cases.group(1)):
            if line.strip():
                piece, condition = line.split("&")
                pieces.append(
                    (
                        _read(piece, symbols, sequences, left_out),
                        _condition(condition, symbols, sequences, left_out),
                    )
                )
        return sympy.Piecewise(*pieces)
    text = _repeat(text, sequences, left_out)
    return _with_functions(parse_latex(_spell_out(text, symbols), backend="antlr"), symbols)


def _condition(text, *context):
    text = re.sub(r"\\text\{(?:if|for)\s*\}", "", text).strip()
    if text == r"\text{otherwise}":
        return True
    for sign, relation in RELATIONS.items():
        if sign in text:
            left, right = text.split(sign)
            return relation(_read(left, *context), _read(right, *context))
    raise ValueError(f"a condition needs one of {', '.join(RELATIONS)}; it is {text!r}.")


def _repeat(text, sequences, left_out):
    r"""Write ``\sum_k (…)`` and ``\max_{k \ne y} (…)`` out, the outermost first."""
    pattern = re.compile(r"\\(sum|max)_(?:([a-z])|\{\s*([a-z])\s*\\ne\s*([a-z])\s*\})\s*(?=\()")
    while match := pattern.search(text):
        index, without = match[2] or match[3], left_out.get(match[4])
        end = _closing(text, match.end())
        inside = text[match.end() + 1 : end]
        terms = [
            re.sub(rf"_{index}(?![a-zA-Z])", f"_{{{number}}}", inside)
            for number in range(sequences[index])
            if number != without
        ]
        if match[1] == "sum":
            repeated = " + ".join(f"({term})" for term in terms)
        else:
            repeated = rf"\max({', '.join(terms)})"
        text = f"{text[: match.start()]}({repeated}){text[end + 1 :]}"
    return text


def _closing(text, start):
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise ValueError(f"a parenthesis is not closed in {text!r}.")


def _spell_out(text, symbols):
    r"""Symbols as x_{0}, x_{1}, …, functions as f_{0}, …, and ``\cdot`` for a product."""
    tokens = _tokens(text)
    words, ends_factor = [], False
    for kind, token in tokens:
        if kind == "symbol":
            words.append(_name(token, symbols))
            ends_factor = True
            continue
        if kind == "function":
            words.append(r" \cdot " if ends_factor else "")
            words.append(f"f_{{{list(FUNCTIONS).index(token)}}}")
            ends_factor = False
            continue
        if token == "(" and ends_factor:
            words.append(r" \cdot ")
        words.append(f" {token} ")
        ends_factor = token in ")}" or kind == "number"
    return "".join(words)


def _tokens(text):
    """Pairs of kind and text; a symbol comes with its index, a number or a name."""
    position, tokens = 0, []
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise ValueError(f"cannot read {text[position:]!r} in the formula {text!r}.")
        position, kind, token = match.end(), match.lastgroup, match.group().strip()
        if kind == "space":
            continue
        token = re.sub(r"\\hat\s*\{?(\w)\}?", r"\\hat \1", token)
        if kind == "command" and token in KNOWN:
            tokens.append(("known", token))
            continue
        if token in FUNCTIONS and re.match(r"\s*\(", text[position:]):
            tokens.append(("function", token))
            continue
        if kind in ("letter", "accent", "command", "operator"):
            index = re.match(r"_(\{[^{}]*\}|\w|\\[a-zA-Z]+)", text[position:])
            if index:
                position += index.end()
                token += "_" + index[1].strip("{}")
            tokens.append(("symbol", token))
            continue
        tokens.append((kind, token))
    return tokens


def _name(token, symbols):
    if token not in symbols:
        symbols[token] = sympy.Symbol(f"x_{{{len(symbols)}}}", real=True)
    return f"x_{{{list(symbols).index(token)}}} "


def _with_functions(formula, symbols):
    real = {sympy.Symbol(symbol.name): symbol for symbol in symbols.values()}
    formula = formula.subs(real) if real else formula
    for number, function in enumerate(FUNCTIONS.values()):
        named = sympy.Function(f"f_{{{number}}}")
        formula = formula.replace(named, function)
    formula = formula.replace(
        lambda part: isinstance(part, sympy.log) and len(part.args) == 2,
        lambda part: sympy.log(part.args[0]),
    )
    return formula.subs(
        {symbols[name]: value for name, value in CONSTANTS.items() if name in symbols}
    )


def _plain(name):
    """One spelling of a symbol: without the braces around its index."""
    name = re.sub(r"\\hat\s*\{?(\w)\}?", r"\\hat \1", name)
    return re.sub(r"_\{([^{}]*)\}", r"_\1", name)


def _look_up(name, values):
    if name in values:
        return values[name]
    base, _, index = name.rpartition("_")
    for sequence, numbers in values.items():
        if index.isdigit() and np.ndim(numbers) == 1 and sequence[:-1] == f"{base}_":
            return numbers[int(index)]
    raise KeyError(f"the formula has the symbol {name}, which has no value here.")
