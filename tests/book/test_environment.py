"""The three descriptions of the environment agree: ranges, locks, and the file for conda users."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from utils.sources import imported

LOCKS = ("requirements-book.txt", "requirements.txt")
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = (
    {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"},
    {"sys_platform": "linux", "platform_machine": "aarch64", "platform_system": "Linux"},
    {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin"},
    {"sys_platform": "win32", "platform_machine": "AMD64", "platform_system": "Windows"},
)


def read_lock(path) -> list[tuple[Requirement, list[str]]]:
    """Requirements of a lock with their hashes."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    entries = []
    for line in text.splitlines():
        line = line.split("#", 1)[0] if line.lstrip().startswith("#") else line
        if line.strip():
            head, *hashes = line.split("--hash=")
            entries.append((Requirement(head.strip()), [h.strip() for h in hashes]))
    return entries


def environments():
    for python in PYTHONS:
        for platform in PLATFORMS:
            yield {"python_version": python, "python_full_version": f"{python}.0", "extra": "", **platform}


def pinned(lock, environment) -> dict[str, Version]:
    """What the lock installs there: name and version."""
    found = {}
    for requirement, _ in lock:
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (pin,) = requirement.specifier
            assert pin.operator == "==", f"{requirement} is not pinned"
            found[canonicalize_name(requirement.name)] = Version(pin.version)
    return found


def disagreements(ranges, lock) -> list[str]:
    """Each range of pyproject.toml that the lock leaves out or goes beyond, as a sentence."""
    wrong = set()
    for environment in environments():
        versions = pinned(lock, environment)
        for requirement in ranges:
            if requirement.marker and not requirement.marker.evaluate(environment):
                continue
            version = versions.get(canonicalize_name(requirement.name))
            if version is None:
                wrong.add(f"{requirement.name} is missing from the lock")
            elif not requirement.specifier.contains(version, prereleases=True):
                wrong.add(f"{requirement.name} {version} is outside {requirement.specifier}")
    return sorted(wrong)


@pytest.fixture(scope="module")
def pyproject(book):
    return tomllib.loads((book.root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def locks(book):
    return {name: read_lock(book.root / name) for name in LOCKS}


def test_the_locks_are_within_the_ranges(pyproject, locks):
    groups = pyproject["dependency-groups"]
    reading = [Requirement(line) for line in (*pyproject["project"]["dependencies"], *groups["book"])]
    everything = [*reading, *(Requirement(line) for name in ("lab", "test") for line in groups[name])]
    assert disagreements(reading[-len(groups["book"]) :], locks["requirements-book.txt"]) == []
    assert disagreements(everything, locks["requirements.txt"]) == []


def test_a_disagreement_is_named():
    lock = [(Requirement("numpy==2.4.6"), ["x"])]
    assert disagreements([Requirement("numpy>=2.0,<2.5")], lock) == []
    assert disagreements([Requirement("numpy<2.4")], lock) == ["numpy 2.4.6 is outside <2.4"]
    assert disagreements([Requirement("keras")], lock) == ["keras is missing from the lock"]
    elsewhere = [(Requirement("jax==1.0; sys_platform == 'linux'"), ["x"])]
    assert disagreements([Requirement("jax")], elsewhere) == ["jax is missing from the lock"]


def test_the_small_lock_is_a_part_of_the_large(locks):
    large = {(r.name, str(r.specifier), *hashes) for r, hashes in locks["requirements.txt"]}
    small = {(r.name, str(r.specifier), *hashes) for r, hashes in locks["requirements-book.txt"]}
    apart = [entry[:2] for entry in small - large]
    assert not apart, "make lock renews both"


def test_the_locks_for_gpu_runners_and_mutants_have_the_same_versions(book, locks):
    linux = {"python_version": "3.12", "python_full_version": "3.12.0", "extra": "", **PLATFORMS[0]}
    common = pinned(locks["requirements.txt"], linux)
    gpu = pinned(read_lock(book.root / "requirements-gpu.txt"), linux)
    assert gpu["tensorflow"] == common["tensorflow-cpu"]
    mutants = pinned(read_lock(book.root / "requirements-mutants.txt"), linux)
    for lock in (gpu, mutants):
        assert {name: common[name] for name in lock if name in common} == {n: v for n, v in lock.items() if n in common}


@pytest.mark.parametrize("name", [*LOCKS, "requirements-gpu.txt", "requirements-mutants.txt", "requirements-data.txt"])
def test_a_lock_has_hashes_and_no_address(book, name):
    path = book.root / name
    lock = read_lock(path)
    assert lock
    assert all(hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in hashes) for _, hashes in lock)
    assert "://" not in path.read_text(encoding="utf-8")
    assert not re.search(r"^\s*(-i|--index|--extra|--find|-f)\b", path.read_text(encoding="utf-8"), re.M)


def test_reading_needs_neither_tensorflow_nor_keras(locks):
    names = {canonicalize_name(requirement.name) for requirement, _ in locks["requirements-book.txt"]}
    assert not names & {"tensorflow", "tensorflow-cpu", "keras", "jax", "torch"}


def test_every_test_of_scratch_that_needs_numpy_alone_kills_mutants(book, pyproject):
    listed = pyproject["tool"]["mutmut"]["pytest_add_cli_args_test_selection"]
    imports = {
        path: imported(path.read_text(encoding="utf-8")) for path in (book.root / "tests" / "utils").glob("test_*.py")
    }
    alone = {
        path.relative_to(book.root).as_posix()
        for path, names in imports.items()
        if any(name.startswith("utils.scratch") for name in names)
        and not any(name.startswith(("utils.backend", "utils.models", "utils.engines")) for name in names)
    }
    assert listed == sorted(alone), (
        "[tool.mutmut] in pyproject.toml lists the tests of scratch in NumPy alone, sorted; missing or too many: "
        f"{', '.join(sorted(alone ^ set(listed))) or 'none'}"
    )


def test_the_file_for_conda_users_agrees(book, pyproject):
    environment = yaml.safe_load((book.root / "environment.yml").read_text(encoding="utf-8"))
    python, _, pip = environment["dependencies"]
    assert SpecifierSet(python.removeprefix("python")) == SpecifierSet(pyproject["project"]["requires-python"])
    assert pip == {"pip": ["-r requirements.txt"]}
    assert environment["name"] == pyproject["project"]["name"]


def test_what_to_cite_is_this_version_of_this_book(book, pyproject):
    cited = yaml.safe_load((book.root / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (book.root / "CHANGELOG.md").read_text(encoding="utf-8")
    version, date = re.search(r"^## (\d\S+), (\S+)$", changes, re.MULTILINE).groups()
    assert (cited["version"], cited["date-released"]) == (version, date)
    assert version == pyproject["project"]["version"]
    assert cited["title"] == yaml.safe_load((book.root / "_config.yml").read_text(encoding="utf-8"))["title"]
    assert cited["repository-code"] == pyproject["project"]["urls"]["Repository"]
    for page in ("README.md", "intro.md"):
        quoted = re.sub(r"^> ", "", (book.root / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
        text = " ".join(quoted.split())
        assert f"*{cited['title']}*, version {version}, {date[:4]}. <{cited['url']}>" in text, f"how to cite, in {page}"


def test_the_script_that_makes_the_environment_wants_the_same_python(book, pyproject):
    script = (book.root / "tools" / "venv.sh").read_text(encoding="utf-8")
    lowest, highest = re.search(r"not \(3, (\d+)\) <= .* <= \(3, (\d+)\)", script).groups()
    assert pyproject["project"]["requires-python"] == f">=3.{lowest},<3.{int(highest) + 1}"


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("exit 1", "This book needs Python 3.11, 3.12 or 3.13"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "has no venv module: install it"),
    ],
)
def test_a_python_that_does_not_do_is_one_clear_sentence(book, tmp_path, python, sentence):
    (tmp_path / "python").write_text(f"#!/bin/sh\n{python}\n")
    (tmp_path / "python").chmod(0o755)
    done = subprocess.run(
        ["sh", str(book.root / "tools" / "venv.sh"), str(tmp_path / "python")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()
