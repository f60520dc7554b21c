#!/bin/sh
# Runs the chapters as a learner in Colab does: a folder with nothing but the notebooks, the image's own Python
# packages, and the set-up cell that clones the published branch. Only the comparing plugin is added.
set -eu
version() { sed -n "s/^$1==\([^ ;]*\).*/\1/p" requirements.txt; }
python3 -m pip install -q --no-deps "nbval==$(version nbval)" "coverage==$(version coverage)"
folder=$(mktemp -d)
cp chapters/*.ipynb "$folder"
cd "$folder"
BOOK_QUIET=1 python3 -m pytest -q --rootdir . --nbval --nbval-current-env .
