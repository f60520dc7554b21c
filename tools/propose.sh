#!/bin/sh
# Proposes the renewed locks as a pull request; says so when nothing changed. Needs gh with GH_TOKEN set.
set -eu
locks="requirements.txt requirements-book.txt requirements-gpu.txt requirements-mutants.txt"
# shellcheck disable=SC2086
if git diff --quiet -- $locks; then
    echo "The locks are up to date."
    exit 0
fi
branch=renew-locks
gh auth setup-git
git switch -C "$branch"
git -c user.name=locks -c user.email=locks@users.noreply.github.com \
    commit -q -m "Renew the locks" -- $locks
git push --force origin "$branch"
gh pr view "$branch" --json state --jq .state 2>/dev/null | grep -q OPEN ||
    gh pr create --head "$branch" --title "Renew the locks" \
        --body "Newest versions within the ranges of pyproject.toml. Run the tests before merging."
