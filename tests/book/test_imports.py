"""Who may import whom in ``utils``, and how long a module may be."""

import ast
from pathlib import Path

import pytest

from tools.book import Book
from utils.sources import imported

MAX_LINES = 300
BASE = {"settings"}
# A layer is a module or a package of utils; it may always import from itself.
ALLOWED = {
    "": set(),
    "settings": set(),
    "data": BASE,
    "scratch": BASE,
    "backend": BASE,
    "models": BASE | {"backend"},
    "training": BASE | {"backend", "models", "data"},
    "claims": BASE,
    "machine": set(),
    "sources": set(),
    "records": BASE | {"machine", "sources"},
    "advice": BASE | {"records"},
    "plots": BASE,
    "checks": BASE | {"scratch"},
    "engines": BASE | {"scratch"},
}
KERAS = {"backend", "models", "training"}
HEAVY = {"keras", "tensorflow", "jax", "torch"}
# Programs that run in a process of their own, each with its framework; nothing imports them.
WORKERS = {
    "utils.engines.jax_worker": {"jax"},
    "utils.engines.keras_worker": {"jax", "keras"},
    "utils.engines.tensorflow_worker": {"keras", "tensorflow"},
}


def modules(root: Path) -> dict[str, Path]:
    """The modules of utils by dotted name."""
    found = {}
    for path in sorted((root / "utils").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def layer(name: str) -> str:
    """``utils.scratch.pooling`` belongs to ``scratch``."""
    return ([*name.split("."), ""])[1]


def uses(root: Path, path: Path) -> set[str]:
    """Modules of utils that a file imports."""
    names = imported(path.read_text(encoding="utf-8"))
    known = modules(root)
    return {name for name in names if name in known}


def foreign(path: Path) -> set[str]:
    """Top-level packages that a file imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def violations(root: Path) -> list[str]:
    """Every broken rule as a sentence."""
    broken = []
    graph = {}
    for name, path in modules(root).items():
        own = layer(name)
        if own not in ALLOWED:
            broken.append(f"{name}: no rule says what it may import")
            continue
        graph[name] = uses(root, path) - {name}
        for other in sorted(graph[name]):
            # `from utils import settings` names the package too; the package itself is empty.
            if (other != "utils" and layer(other) != own and layer(other) not in ALLOWED[own]) or other in WORKERS:
                broken.append(f"{name} must not import {other}")
        if own not in KERAS:
            frameworks = foreign(path) & HEAVY - WORKERS.get(name, set())
            broken += [f"{name} must not import {package}" for package in sorted(frameworks)]
        elif own != "backend":
            frameworks = foreign(path) & (HEAVY - {"keras"})
            broken += [f"{name} must not import {package}" for package in sorted(frameworks)]
        if own == "scratch" and (extra := foreign(path) - {"numpy", "utils"} - BENIGN - BEYOND.get(name, set())):
            broken.append(f"{name}: scratch needs NumPy only, not {', '.join(sorted(extra))}")
        if any(isinstance(n, ast.ImportFrom) and n.level for n in ast.walk(ast.parse(path.read_text("utf-8")))):
            broken.append(f"{name}: import by full name, not relatively")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES:
            broken.append(f"{name} has {lines} lines, more than {MAX_LINES}")
    return broken + circles(graph)


BENIGN = {
    "__future__",
    "abc",
    "collections",
    "copy",
    "dataclasses",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "typing",
    "unicodedata",
}
BEYOND = {"utils.scratch.activations": {"scipy"}}  # the error function, which NumPy lacks


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import themselves through others."""

    def reachable(start: str) -> set[str]:
        seen, queue = set(), list(graph.get(start, ()))
        while queue:
            if (name := queue.pop()) not in seen:
                seen.add(name)
                queue += graph.get(name, ())
        return seen

    return [f"{name} imports itself through others" for name in graph if name in reachable(name)]


def test_the_rules_hold(book):
    assert violations(book.root) == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("settings.py", "from utils import claims", "utils.settings must not import utils.claims"),
        ("settings.py", "import keras", "utils.settings must not import keras"),
        ("scratch/a.py", "from utils.models import cnn", "utils.scratch.a must not import utils.models"),
        ("models/cnn.py", "from utils.scratch import a", "utils.models.cnn must not import utils.scratch"),
        ("models/cnn.py", "def f():\n    import tensorflow", "utils.models.cnn must not import tensorflow"),
        ("claims.py", "import utils.scratch.a", "utils.claims must not import utils.scratch.a"),
        ("checks/a.py", "import keras", "utils.checks.a must not import keras"),
        ("scratch/a.py", "import scipy.signal", "utils.scratch.a: scratch needs NumPy only, not scipy"),
        ("scratch/b.py", "from utils.scratch import a", "utils.scratch.a imports itself through others"),
        ("scratch/b.py", "from . import a", "utils.scratch.b: import by full name, not relatively"),
        ("plots.py", "x = 1\n" * 301, "utils.plots has 301 lines, more than 300"),
        ("other.py", "", "utils.other: no rule says what it may import"),
        ("engines/a.py", "import jax", "utils.engines.a must not import jax"),
        ("engines/jax_worker.py", "import tensorflow", "utils.engines.jax_worker must not import tensorflow"),
        ("engines/a.py", "import utils.engines.jax_worker", "utils.engines.a must not import utils.engines.jax_worker"),
    ],
)
def test_each_rule_can_be_broken(tmp_path, file, source, complaint):
    sound = {
        "__init__.py": "",
        "settings.py": "",
        "claims.py": "from utils import settings",
        "plots.py": "",
        "scratch/__init__.py": "",
        "scratch/a.py": "import numpy as np\nfrom utils.scratch.b import x",
        "scratch/b.py": "",
        "models/__init__.py": "",
        "models/cnn.py": "from utils.backend import keras",
        "backend.py": "import keras\nimport tensorflow",
        "checks/__init__.py": "",
        "checks/a.py": "from utils.scratch import a",
        "engines/__init__.py": "",
        "engines/a.py": "from utils.scratch import a",
        "engines/jax_worker.py": "import jax",
    }
    for name, text in sound.items():
        path = tmp_path / "utils" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert violations(tmp_path) == []
    (tmp_path / "utils" / file).write_text(source)
    assert complaint in violations(tmp_path)


def test_tools_and_tests_are_modules_of_at_most_300_lines(book: Book):
    files = [p for folder in ("tools", "tests", "_ext", "benchmarks") for p in (book.root / folder).rglob("*.py")]
    long = {p.name: n for p in files if (n := len(p.read_text(encoding="utf-8").splitlines())) > MAX_LINES}
    assert not long
