"""The source of a function: what changes it, and what does not."""

import linecache
import types

import numpy as np
import pytest

from utils import sources

CHAPTER = """\
import numpy as np
from utils import claims, settings
from utils.scratch.dense import dense

FACTOR = 2
CHOICES = {"small": (1, 2), "large": [3]}
POSITIONS = np.arange(3)
other = 5


class Model:
    def predict(self, x):
        return helper(x)


def helper(x):
    return FACTOR * x


def apart(x):
    return x + other


def run(seed, width=1):
    inner = [CHOICES["small"][0] for _ in range(2)]
    settings.quiet()
    return {"share": Model().predict(dense(POSITIONS, inner, seed))}
"""


def chapter(text: str, name: str) -> types.ModuleType:
    """Execute text as a cell of a notebook is: its lines are known to linecache alone."""
    file = f"<cell {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = types.ModuleType("__main__")
    exec(compile(text, file, "exec"), module.__dict__)
    return module


def source(text: str = CHAPTER, name: str = "a") -> tuple[str, list[str]]:
    return sources.function_source(chapter(text, name).run)


def test_the_source_has_the_function_and_what_it_uses():
    text, modules = source()
    assert text.startswith("def run(seed, width=1):")
    for part in ("def helper(x):", "def predict(self, x):", "FACTOR = 2", "CHOICES['small'][1] = 2", "POSITIONS = "):
        assert part in text
    assert "apart" not in text
    assert "other" not in text
    assert modules == ["utils.scratch.dense", "utils.settings"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("width=1", "width=2"),
        ("FACTOR * x", "FACTOR + x"),
        ("FACTOR = 2", "FACTOR = 3"),
        ("(1, 2)", "(1, 3)"),
        ("return helper(x)", "return -helper(x)"),
        ("np.arange(3)", "np.arange(4)"),
    ],
)
def test_a_change_of_what_it_uses_changes_it(old, new):
    assert CHAPTER.count(old) == 1
    assert source(CHAPTER.replace(old, new), "b") != source()


@pytest.mark.parametrize(("old", "new"), [("x + other", "x - other"), ("other = 5", "other = 6")])
def test_other_changes_do_not(old, new):
    assert source(CHAPTER.replace(old, new), "c") == source()


def test_the_place_in_its_file_and_the_indentation_do_not_matter():
    def inside():
        return 1

    text, _ = sources.function_source(inside)
    assert text == "def inside():\n    return 1\n"


def test_arrays_differ_by_dtype_shape_and_values():
    arrays = [np.zeros(4), np.zeros(4, np.float32), np.zeros((2, 2)), np.array([0, 0, 0, 1.0])]
    assert len({sources.array_hash(a) for a in arrays}) == 4
    assert sources.array_hash(np.arange(6).reshape(2, 3).T) == sources.array_hash(np.array([[0, 3], [1, 4], [2, 5]]))


def test_the_hash_of_modules_follows_imports(tmp_path):
    (tmp_path / "utils").mkdir()
    files = {"__init__": "", "a": "from utils import b", "b": "x = 1", "c": "x = 1"}
    for name, text in files.items():
        (tmp_path / "utils" / f"{name}.py").write_text(text)
    before = sources.modules_hash(tmp_path, ["utils.a"])
    (tmp_path / "utils" / "c.py").write_text("x = 2")
    assert sources.modules_hash(tmp_path, ["utils.a"]) == before
    (tmp_path / "utils" / "b.py").write_text("x = 2")
    assert sources.modules_hash(tmp_path, ["utils.a"]) != before


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("FACTOR = 2", "import functools\nFACTOR = functools.partial(max, 2)", "FACTOR is a partial"),
        ("FACTOR = 2", "class Own:\n    x = 1\nFACTOR = Own()", "FACTOR is a Own"),
        ("class Model:", "class Model:\n    x = 1", "Model is a class with a base or attributes"),
        ("def helper(x):", "import functools\n@functools.lru_cache\ndef helper(x):", "helper is a _lru_cache_wrapper"),
    ],
)
def test_what_cannot_be_followed_is_refused(old, new, kind):
    with pytest.raises(TypeError, match=f"{kind}, which cannot be followed"):
        source(CHAPTER.replace(old, new), "d")


@pytest.mark.parametrize(
    ("one", "two"), [("range(3)", "range(4)"), ("{1, 2}", "{1, 3}"), ("np.int64(2)", "np.int64(3)")]
)
def test_other_constants_count_by_their_values(one, two):
    texts = [source(CHAPTER.replace("FACTOR = 2", f"FACTOR = {value}"), "e")[0] for value in (one, two)]
    assert texts[0] != texts[1]
