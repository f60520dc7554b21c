"""Each checker takes the right answer, waits at an empty stub, and names each typical mistake by its own diagnosis."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

from utils import checks
from utils.checks import Mistake, WrongAnswer, check, cnn_code, cnn_math, rnn_code, rnn_math

MODULES = (cnn_math, cnn_code, rnn_math, rnn_code)
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


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda c: c.__name__)
def test_each_mistake_has_its_own_diagnosis(checker, monkeypatch):
    _, _, mistakes = parts(checker, monkeypatch)
    assert len(mistakes) >= 3
    for mistake in mistakes:
        with pytest.raises(WrongAnswer) as caught:
            checker(mistake.answer)
        assert str(caught.value).startswith(mistake.diagnosis)


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

    with pytest.raises(WrongAnswer, match=r"broken\(\[1.0\]\)\n  raises IndexError: index 9"):
        check(broken, lambda x: x, [(np.array([1.0]),)], [])


def test_an_attempt_may_write_into_its_arguments():
    def doubled(x):
        x *= 2
        return x

    check(doubled, lambda x: 2 * x, [(np.array([1.0, 2.0]),)], [])


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


def test_checkers_stand_without_keras():
    files = {path.stem for path in Path(checks.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {module.__name__.split(".")[-1] for module in MODULES}
    for module in (checks, *MODULES):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            assert not isinstance(node, ast.Import | ast.ImportFrom) or "keras" not in ast.dump(node)
