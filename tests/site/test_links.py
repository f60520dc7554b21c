"""Every link inside the site leads somewhere, fragments too."""

import os
import subprocess
import sysconfig
from pathlib import Path

LYCHEE = Path(sysconfig.get_path("scripts")) / ("lychee.exe" if os.name == "nt" else "lychee")


def test_internal_links_and_fragments(site):
    # What is copied for download, and the theme's macros, are no pages; the links of 404.html begin at the host's root.
    done = subprocess.run(
        [
            LYCHEE,
            "--offline",
            "--include-fragments",
            "--no-progress",
            "--exclude-path",
            "webpack-macros|/_sources/|/404.html",
            site,
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
