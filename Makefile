# Two commands are enough: `make book` to read, `make test` to verify. `make help` lists the others.
# Logic lives in tools/; every recipe here is a line or two. Works with GNU make 3.81 (macOS) and newer.

PROFILE ?= full
SHARD ?= 1/1
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
PY := $(BIN)/python
INSTALL := $(PY) -m pip install -q --disable-pip-version-check --require-hashes
PYTEST := $(PY) -m pytest -q
# What is installed is known by the locks' content: git renews the times of files when it switches branches.
BOOK_READY := .venv/.book-$(shell cksum < requirements-book.txt | tr -d ' ')
TEST_READY := .venv/.test-$(shell cat requirements.txt requirements-data.txt | cksum | tr -d ' ')
LOCK := uv pip compile --generate-hashes --no-emit-index-url --no-header -q --upgrade
ANYWHERE := --universal --python-version 3.11

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book test lab new check refresh record redraw run matrix lock home bench mutants \
	lint tests unit chapters workflows site html status links colab gpu propose

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# --- for readers and learners -------------------------------------------------------------------

book: html ## Build the book from the stored outputs and say where to open it
	@echo "The book is built. Open $(CURDIR)/_build/html/index.html"

lab: $(TEST_READY) ## Open the chapters in JupyterLab
	@$(PY) -m jupyterlab chapters

# --- for maintainers ----------------------------------------------------------------------------

test: lint tests chapters workflows site ## Verify everything: lint, tests, chapters, workflows, site
	@echo "Everything passes."

new: $(TEST_READY) ## Lay a chapter that passes every check: make new CHAPTER=name
	@$(PY) -m tools.new "$(CHAPTER)"

check: $(TEST_READY) ## Lint, run and compare one chapter: make check CHAPTER=cnn-math
	@$(PY) -m tools.check "$(CHAPTER)"

refresh: $(TEST_READY) ## Re-run the chapters that changed and store their outputs (CHAPTER=name forces one)
	@$(PY) -m tools.refresh $(CHAPTER)

record: $(TEST_READY) ## Run one recorded experiment anew and store it: make record NAME=cnn-code-variants
	@$(PY) -m tools.record "$(NAME)"

redraw: $(TEST_READY) ## Play that a chapter's records are renewed: which claims would fall? (CHAPTER=name)
	@$(PY) -m tools.redraw "$(CHAPTER)"

run: $(TEST_READY) ## Run all chapters into _runs/ with a report: make run PROFILE=full SHARD=1/4
	@$(PY) -m tools.run --profile "$(PROFILE)" --shard "$(SHARD)"

matrix: $(TEST_READY) ## Compare the chapters again with one thread and on JAX, and scratch with Keras on JAX
	BOOK_THREADS=1 $(PYTEST) --nbval chapters
	KERAS_BACKEND=jax $(PYTEST) --nbval chapters
	KERAS_BACKEND=jax HYPOTHESIS_PROFILE=few $(PYTEST) -n 2 tests/utils/test_equivalence*.py \
		tests/utils/test_models_encoder.py tests/utils/test_models_gpt.py

bench: $(TEST_READY) ## Measure the benchmarks and store them in records/
	@$(PY) -m benchmarks
	@$(PY) -m tools.status

mutants: $(TEST_READY) ## Mutate utils/scratch and count the mutants that no test kills
	@$(INSTALL) -r requirements-mutants.txt
	@$(PY) -m tools.mutants
	@$(PY) -m tools.status

status: $(TEST_READY) ## Write pages/status.md and pages/reproductions.md anew
	@$(PY) -m tools.status
	@$(PY) -m tools.reproductions

lock: ## Renew the locks from pyproject.toml
	@command -v uv >/dev/null || { echo "make lock needs uv: install it with 'pip install uv'." >&2; exit 1; }
	@$(LOCK) $(ANYWHERE) --group pyproject.toml:book -o requirements-book.txt
	@$(LOCK) $(ANYWHERE) pyproject.toml --group pyproject.toml:book --group pyproject.toml:lab \
		--group pyproject.toml:test -o requirements.txt
	@$(LOCK) $(ANYWHERE) --group pyproject.toml:mutants -c requirements.txt -o requirements-mutants.txt
	@$(LOCK) -c requirements.txt --python-platform x86_64-unknown-linux-gnu --python-version 3.12 \
		--group pyproject.toml:gpu -o requirements-gpu.txt

home: $(BOOK_READY) ## Write the repository's address everywhere: make home REPO=owner/name
	@$(PY) -m tools.home "$(REPO)"

# --- the parts of `make test`, and what the workflows call ---------------------------------------

lint: $(TEST_READY) ## Check style and spelling of all files, in seconds
	@echo "== lint"
	@$(PY) -m ruff check -q .
	@$(PY) -m ruff format -q --check .
	@$(PY) -m codespell_lib

tests: $(TEST_READY)
	@echo "== unit, property, equivalence and structure tests"
	@$(PYTEST) -n 2 tests/utils tests/book

unit: $(TEST_READY)
	@$(PYTEST) tests/utils

chapters: $(TEST_READY)
	@echo "== every chapter, run and compared with its stored outputs"
	@$(PYTEST) --nbval chapters

workflows: $(TEST_READY)
	@echo "== workflows"
	@$(BIN)/actionlint
	@$(BIN)/zizmor --offline -q .github/workflows

site: html $(TEST_READY)
	@echo "== the site"
	@$(PYTEST) -rs tests/site

# From nothing: a second incremental build would not repeat the warnings that failed the first.
html: $(BOOK_READY)
	@echo "== building the book (a minute)"
	@rm -rf _build
	@$(BIN)/jupyter-book build . -W -n --keep-going -q >/dev/null

links: html $(TEST_READY)
	@$(BIN)/lychee --no-progress --scheme https --scheme http --max-retries 3 --accept 200..=299,403,429 \
		--exclude '/issues/new' --exclude '/edit/main/' '_build/html/**/*.html'

colab:
	@sh tools/colab.sh

gpu: $(TEST_READY)
	@$(PY) -m pip uninstall -q -y tensorflow-cpu
	@$(INSTALL) -r requirements-gpu.txt
	@$(PY) -m tools.run --profile full
	@$(PYTEST) --nbval chapters

propose:
	@sh tools/propose.sh

# --- the environment ----------------------------------------------------------------------------

$(BOOK_READY):
	@sh tools/venv.sh "$(PYTHON)"
	@rm -f .venv/.book-*
	@$(INSTALL) -r requirements-book.txt
	@touch $@

$(TEST_READY): | $(BOOK_READY)
	@command -v git >/dev/null || { echo "The tests need git: install it and run make again." >&2; exit 1; }
	@echo "Installing what the chapters and the tests need (about 3 GB, once) ..."
	@rm -f .venv/.test-*
	@$(INSTALL) -r requirements.txt
	@$(INSTALL) --no-deps -r requirements-data.txt
	@touch $@
