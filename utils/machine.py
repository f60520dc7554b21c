"""What numbers were made on: the machine, without its name, and the versions of the packages."""

import os
import platform
from importlib import metadata
from pathlib import Path

# A backend's package goes by several names.
BACKENDS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",)}


def cpu() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def machine() -> dict[str, str | int]:
    """Return processor, cores and system."""
    return {"cpu": cpu(), "cores": os.cpu_count() or 1, "system": platform.system()}


def backend() -> str:
    """Return the Keras backend that a kernel started from here uses."""
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python and of the packages that chapters compute with, and of those named."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "keras", *BACKENDS.get(backend(), ()), *more):
        try:
            found[name.removesuffix("-cpu")] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
