"""The source text that a result comes from: of a function and all of its chapter that it uses, and of modules."""

from __future__ import annotations

import ast
import dis
import hashlib
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import numpy as np


def imported(source: str, package: str = "utils") -> set[str]:
    """Return the dotted names below ``package`` that Python source imports.

    ``from utils.data import images`` yields both ``utils.data`` and ``utils.data.images``: only the
    file system knows which of the two is a module.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name == package or name.startswith(f"{package}.")}


def module_file(root: Path, name: str) -> Path | None:
    """Return the file of a dotted module name, or None when the name is not a module."""
    base = root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None


def used_modules(root: Path, source: str) -> list[Path]:
    """Return the files of the ``utils`` modules that source imports, directly or through others."""
    found: set[Path] = set()
    queue = [source]
    while queue:
        for name in imported(queue.pop()):
            parts = name.split(".")
            parents = {".".join(parts[: i + 1]) for i in range(len(parts))}
            for path in filter(None, (module_file(root, parent) for parent in parents)):
                if path not in found:
                    found.add(path)
                    queue.append(path.read_text(encoding="utf-8"))
    return sorted(found)


def modules_hash(root: Path, modules: Iterable[str]) -> str:
    """Return the SHA-256 of the text of ``utils`` modules and of those that they import."""
    digest = hashlib.sha256()
    for path in used_modules(root, "\n".join(f"import {name}" for name in modules)):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_text(encoding="utf-8").encode())
    return digest.hexdigest()


def function_source(function: FunctionType) -> tuple[str, list[str]]:
    """Return what decides a function's results: source text, and the ``utils`` modules that it names.

    The text is that of the function and of whatever it uses of its own module (in a notebook: of the
    chapter): functions, methods of classes, constants and arrays, directly or through others. A default
    counts by its text. What comes from elsewhere is left out: data has a hash of its own, and packages
    have versions.

    Parameters
    ----------
    function : function
        Written in Python, in a file or in a cell.

    Returns
    -------
    source : str
        Dedented, the function first, then the others by name.
    modules : list of str
        Dotted names.

    Raises
    ------
    TypeError
        If it uses something of its own module whose value cannot be followed: a decorated function, an
        object of a class of its own, a class with a base or with attributes that are no methods.
    """
    parts: dict[str, str] = {}
    modules: set[str] = set()
    queue: list[tuple[str, object]] = [(function.__qualname__, function)]
    while queue:
        name, value = queue.pop()
        if name in parts:
            continue
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(home, str) and home.split(".")[0] == "utils" and home != function.__module__:
            modules.add(home)
        elif isinstance(value, FunctionType) and home == function.__module__:
            parts[name] = textwrap.dedent(inspect.getsource(value))
            used = {used for used in _globals(value.__code__) if used in value.__globals__}
            queue += [(used, value.__globals__[used]) for used in used]
        elif isinstance(value, type) and home == function.__module__:
            methods = {k: v for k, v in vars(value).items() if isinstance(v, FunctionType)}
            others = {k for k in vars(value) if k not in methods and not k.startswith("__")}
            if others or any(base.__module__ == home for base in value.__bases__):
                raise _cannot_follow(name, "class with a base or attributes")
            parts[name] = f"class {name}: {', '.join(methods)}"
            queue += [(f"{name}.{k}", method) for k, method in methods.items()]
        elif isinstance(value, Mapping | list | tuple):
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            parts[name] = f"{name}: {type(value).__name__} of {len(value)}"
            queue += [(f"{name}[{k!r}]", item) for k, item in items]
        elif isinstance(value, np.ndarray):
            parts[name] = f"{name} = {array_hash(value)}"
        elif isinstance(value, bool | int | float | str | range | np.generic | None):
            parts[name] = f"{name} = {value!r}"
        elif isinstance(value, set | frozenset):
            parts[name] = f"{name} = {sorted(value)!r}"
        elif isinstance(value, partial) or home == function.__module__:
            raise _cannot_follow(name, type(value).__name__)
    first = parts.pop(function.__qualname__)
    return "\n".join([first, *(text for _, text in sorted(parts.items()))]), sorted(modules)


def _cannot_follow(name: str, kind: str) -> TypeError:
    return TypeError(f"{name} is a {kind}, which cannot be followed: use functions, numbers, texts, lists and arrays.")


def array_hash(values: np.ndarray) -> str:
    """Return the SHA-256 of an array's dtype, shape and bytes."""
    digest = hashlib.sha256(f"{values.dtype.str} {values.shape}".encode())
    digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _globals(code: CodeType) -> Iterator[str]:
    """Yield the global names that code reads, those of functions inside it included."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals(constant)
