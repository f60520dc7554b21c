"""Workflows hold no logic, say why they exist, and use what was reviewed. Syntax and security: `make workflows`."""

import re

import pytest
import yaml

from tools.book import Book

FOLDER = Book().root / ".github" / "workflows"
TARGETS = set(re.findall(r"^([a-z]+):", (Book().root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def faults(text: str) -> list[str]:
    """What a workflow does against the conventions."""
    found = []
    workflow = yaml.safe_load(text)
    if not text.startswith("# Why: "):
        found.append("no comment says why it exists")
    if workflow.get("permissions") != {"contents": "read"}:
        found.append("permissions are not contents: read")
    if "concurrency" not in workflow:
        found.append("no concurrency")
    if len(workflow["jobs"]) != 1:
        found.append("not one job")
    for job in workflow["jobs"].values():
        if "timeout-minutes" not in job:
            found.append("no timeout-minutes")
        for step in job["steps"]:
            if "run" in step:
                command = step["run"].replace('"$TARGET"', "test")
                targets = command.removeprefix("make ").split()
                if not command.startswith("make ") or not set(targets) <= TARGETS:
                    found.append(f"not a make target: {step['run']}")
            if step.get("uses", "").startswith("actions/checkout") and step["with"] != {"persist-credentials": False}:
                found.append("checkout keeps credentials")
    found += [
        f"not a full SHA with its tag: {line}"
        for line in re.findall(r"uses: (.+)", text)
        if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ]
    return found


@pytest.mark.parametrize("name", ["test", "publish", "gpu", "colab", "links", "lock"])
def test_workflow(name):
    assert faults((FOLDER / f"{name}.yml").read_text(encoding="utf-8")) == []


def test_there_are_no_others():
    assert len(list(FOLDER.iterdir())) == 6


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("# Why: ", "# ", "no comment says why"),
        ("contents: read", "contents: write", "permissions are not"),
        ("concurrency:", "env:", "no concurrency"),
        ("timeout-minutes: 60", "continue-on-error: true", "no timeout"),
        ("persist-credentials: false", "fetch-depth: 0", "keeps credentials"),
        ("run: make links", "run: make links && rm x", "not a make target"),
        ("run: make links", "run: pytest", "not a make target"),
        (" # v7.0.1", "", "not a full SHA"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "not a full SHA"),
    ],
)
def test_a_fault_is_named(old, new, fault):
    text = (FOLDER / "links.yml").read_text(encoding="utf-8")
    assert old in text
    assert any(fault in line for line in faults(text.replace(old, new, 1)))
