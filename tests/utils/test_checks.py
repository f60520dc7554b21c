"""Each checker takes the right answer, waits at an empty stub, and names each typical mistake by its own diagnosis."""

import ast
import inspect
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest

from tests.utils.readers import QUIET
from utils import checks
from utils.checks import Mistake, WrongAnswer, check, cnn_math

NAMES = [f"utils.checks.{module.name}" for module in iter_modules(checks.__path__)]
MODULES = [import_module(name) for name in (*NAMES, "tools.templates.checks")]
CHECKERS = [
    function
    for module in MODULES
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
]


def parts(checker, monkeypatch):
    """Return (solution, cases, mistakes) that a checker hands to ``check``."""
    caught = []
    monkeypatch.setitem(checker.__globals__, "check", lambda attempt, *rest: caught.append(rest))
    checker(None)
    monkeypatch.undo()
    return caught[0]


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda c: c.__name__)
def test_right_answer_and_empty_stub(checker, monkeypatch, capsys):
    solution, cases, _ = parts(checker, monkeypatch)
    checker(solution)
    assert capsys.readouterr().out == f"✓ {solution.__name__} is right in {len(cases)} cases.\n"

    def stub(*arguments):
        """Left empty."""

    checker(stub)
    assert capsys.readouterr().out.startswith("Not yet: stub")


@QUIET
@pytest.mark.parametrize("checker", CHECKERS, ids=lambda c: c.__name__)
def test_each_mistake_has_its_own_diagnosis(checker, monkeypatch):
    _, _, mistakes = parts(checker, monkeypatch)
    assert len(mistakes) >= 3
    for mistake in mistakes:
        with pytest.raises(WrongAnswer) as caught:
            checker(mistake.answer)
        assert str(caught.value).startswith(mistake.diagnosis)


@QUIET
@pytest.mark.parametrize("checker", CHECKERS, ids=lambda c: c.__name__)
def test_solutions_are_finite_and_mistakes_say_more_than_an_error(checker, monkeypatch):
    solution, cases, mistakes = parts(checker, monkeypatch)
    assert all(np.isfinite(solution(*case)).all() for case in cases)
    for mistake in mistakes:
        results = [checks._result(mistake.answer, case) for case in cases]
        errors = [result for result in results if isinstance(result, Exception)]
        assert len(errors) < len(cases)  # else it would explain any error of its type
        assert all(isinstance(error, IndexError | ValueError) for error in errors)  # others are slips of ours


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("ragged", [(np.zeros((2, 3)), np.zeros(2)), [[1.0, 2.0], [3.0]]], ids=["arrays", "lists"])
def test_parts_of_different_shapes_are_refused(checker, ragged):
    with pytest.raises(WrongAnswer, match=r"^The parts of the result have different shapes: .+\."):
        checker(lambda *arguments: ragged)


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda c: c.__name__)
def test_other_wrong_answers_show_a_case(checker):
    def odd(*arguments):
        return "a word"

    with pytest.raises(WrongAnswer, match=r"none of the usual mistakes|shape of the result") as caught:
        checker(odd)
    assert "returns  'a word'" in str(caught.value)


def test_a_notebook_shows_the_message_and_not_the_solution():
    with pytest.raises(WrongAnswer) as caught:
        cnn_math.pointwise(lambda x, w: 2 * (x @ w))
    (shown,) = caught.value._render_traceback_()
    assert shown == f"✗ {caught.value}"
    assert "@" not in shown


def test_an_attempt_that_raises_is_shown_with_its_case():
    def broken(x):
        return x[9]

    with pytest.raises(WrongAnswer, match=r"^broken\(\[1.0\]\)\n  raises IndexError: index 9[^\n]*$") as caught:
        check(broken, lambda x: x, [(np.array([1.0]),)], [])
    assert isinstance(caught.value.__cause__, IndexError)


LATE = Mistake(lambda x, i: x[i + 1], "It is late.")
LATE_CASES = [(np.array([1.0, 2.0]), 0), (np.array([3.0, 4.0]), 1)]


def at(x, i):
    return x[i]


def test_a_mistake_may_raise_and_its_case_is_shown():
    def late(x, i):
        return list(x)[1:][i]  # with other words in its error

    message = r"^It is late\.\nlate\(\[3.0, 4.0\], 1\)\n  raises IndexError: list index[^\n]*$"
    with pytest.raises(WrongAnswer, match=message) as caught:
        check(late, at, LATE_CASES, [LATE])
    assert isinstance(caught.value.__cause__, IndexError)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda x, i: x[i + 1] if i == 0 else {}["last"],  # another error
        lambda x, i: x[i + 1] if i == 1 else 9.0,  # another result
        lambda x, i: x[i + 2],  # the same error, in more cases
    ],
)
def test_an_error_of_another_mistake_has_no_diagnosis(attempt):
    with pytest.raises(WrongAnswer, match=r"^<lambda>\(.+\)\n  raises \w+Error: [^\n]*$"):
        check(attempt, at, LATE_CASES, [LATE])


def test_a_mistake_may_leave_nan():
    with pytest.raises(WrongAnswer, match="It is a root"):
        check(
            lambda x: np.array([x, np.nan]),
            lambda x: np.array([x, x]),
            [(1.0,), (2.0,)],
            [
                Mistake(lambda x: np.array([np.nan, x]), "It is elsewhere."),
                Mistake(lambda x: np.array([x, np.nan]), "It is a root."),
            ],
        )


def test_an_attempt_may_write_into_its_arguments():
    def doubled(x):
        x *= 2
        return x

    check(doubled, lambda x: 2 * x, [(np.array([1.0, 2.0]),)], [])


def test_an_attempt_may_write_into_arrays_of_a_list():
    def unit(arrays):
        for array in arrays:
            array /= abs(array)
        return arrays

    with pytest.raises(WrongAnswer, match="large"):
        check(
            unit,
            lambda arrays: [np.clip(a, -1, 1) for a in arrays],
            [([np.array([0.5])],)],
            [Mistake(unit, "Small ones become large.")],
        )


def test_advice_for_parts_of_different_shapes():
    def ragged(x):
        return x, x[:1]

    with pytest.raises(WrongAnswer, match=r"different shapes: return one array of shape \(2,\)\."):
        check(ragged, lambda x: x, [(np.array([1.0, 2.0]),)], [])
    with pytest.raises(WrongAnswer, match=r"different shapes: expected \(2, 2\) in all\."):
        check(ragged, lambda x: (x, x), [(np.array([1.0, 2.0]),)], [])


def test_a_result_of_another_shape_is_wrong():
    with pytest.raises(WrongAnswer, match="flat"):
        check(
            lambda x: x.ravel(),
            lambda x: x,
            [(np.ones((2, 2)),)],
            [Mistake(lambda x: x.ravel(), "It is flat.")],
        )


def test_large_arrays_are_shown_by_their_shape():
    with pytest.raises(WrongAnswer, match=r"expected an array of shape \(5, 6\)"):
        check(lambda x: x + 1, lambda x: x, [(np.ones((5, 6)),)], [])


def test_numbers_of_numpy_are_shown_as_numbers():
    with pytest.raises(WrongAnswer, match=r"returns  1\.0\n  expected 2\.0$"):
        check(lambda x: x[0], lambda x: x[1], [(np.array([1.0, 2.0]),)], [])


def test_checkers_stand_without_keras():
    for module in (checks, *MODULES):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            assert not isinstance(node, ast.Import | ast.ImportFrom) or "keras" not in ast.dump(node)
