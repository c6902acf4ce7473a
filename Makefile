# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Open WebUI's.
WEBUI := .webui

.PHONY: demo demo-load demo-upgrade demo-stack nginx test browser check nightly selftest mutate bench lock clean

# The embedded model is no match for an enterprise, and the demo is that the gate says so:
# exit status 1 is its right end.
demo: $(VENV)/.demo
	@$(BIN)/python -m readiness.embedded --fetch
	@$(BIN)/python -m pytest readiness --endpoint embedded --profile smoke; \
	status=$$?; echo "exit status $$status"; test $$status -eq 1

# Code completion in one small step, and one round of aborts, on the same small model: what is shown
# is what is measured. Too few trials show no readiness (10), and a defect may be found (1).
demo-load: $(VENV)/.demo
	@$(BIN)/python -m readiness.embedded --fetch
	@$(BIN)/python -m pytest readiness/checks/load readiness/checks/stability \
		--endpoint embedded --profile smoke; \
	status=$$?; echo "exit status $$status"; test $$status -eq 1 -o $$status -eq 10

# A candidate that drops 3 % of the tool calls is stopped beside its baseline, in half a minute.
demo-upgrade: $(VENV)/.run
	@$(BIN)/python -m readiness.cli.upgrade_demo

# nginx, Open WebUI and the reference endpoint (MODEL=--embedded: the embedded model), and the four
# dimensions that see the whole stack, through it. Ready or not, it ends in the matrix.
demo-stack: $(VENV)/.installed $(WEBUI)/.installed nginx
	@$(BIN)/python -m readiness.cli.stack_demo $(MODEL)

# Open WebUI without what it needs for embeddings: 772 MB, in an environment of its own.
$(WEBUI)/.installed:
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))" || { \
	echo "Open WebUI needs Python 3.11 or 3.12: name it with PYTHON=python3.12"; exit 1; }
	@echo "installing Open WebUI in $(WEBUI): 772 MB, some minutes, once"
	$(PYTHON) -m venv $(WEBUI)
	$(WEBUI)/bin/python -m pip install --quiet --no-deps open-webui==0.12.4
	$(WEBUI)/bin/python -m pip install --quiet --no-warn-conflicts -r $$(echo $(WEBUI)/lib/python3*/site-packages/requirements-slim.txt)
	@touch $@

nginx:
	@test -x "$$(PATH=$$PATH:/usr/sbin command -v nginx)" || { \
	test "$$(id -u)" = 0 && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nginx; \
	} >/dev/null 2>&1 || echo "no nginx: install it to see the stack"

# These tests pass however busy the machine is, and run on all cores at once. What measures time, or
# fills the machine itself, comes after them, one by one.
AT_ONCE := $(addprefix tests/,baseline benchmarks cli evidence forms judge mutants policy protocol \
	reporters runner scoring statistics verdict \
	$(addprefix checks/,json_only license long_context memory multilingual refusal spanish \
	tool_calling test_forms_of_probes.py test_natural_answers.py test_recorded_replies.py \
	test_shared_cases.py)) \
	$(filter-out %/test_checks.py,$(wildcard tests/checks/api/test_*.py))

# Compiled beforehand: where the environment keeps no bytecode (PYTHONDONTWRITEBYTECODE), each of the
# processes that tests start would compile the package and its libraries anew.
test: $(VENV)/.installed browser
	$(BIN)/python -m readiness.embedded --fetch
	-@$(BIN)/python -W ignore -m compileall -qq -j 0 readiness $(VENV)/lib
	$(BIN)/python -m pytest -W error -m "not nightly" -n logical --dist loadfile $(AT_ONCE)
	$(BIN)/python -m pytest -W error -m "not nightly" $(AT_ONCE:%=--ignore=%)

# The page is looked at in a real Chromium: the system's, or Debian's where it may be installed.
browser:
	@command -v chromium >/dev/null || { \
	test "$$(id -u)" = 0 && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; \
	} >/dev/null 2>&1 || echo "no chromium: tests/reporters/test_browser.py is skipped"

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

nightly: $(VENV)/.installed nginx
	-$(MAKE) $(WEBUI)/.installed
	$(BIN)/python -m pytest -W error
	$(BIN)/readiness selftest

selftest: $(VENV)/.installed browser
	$(BIN)/readiness selftest

# Each small change to the judge's own code is to be seen by the tests of its package: hours, by night.
# `make mutate MUTATE=readiness/verdict/claim.py` tries one module.
mutate: $(VENV)/.mutate
	$(BIN)/python -m benchmarks.mutation $(MUTATE)

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python -m benchmarks.latency

# What is installed is pinned, and its digests are checked. Each set completes the one before.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile --no-deps

$(VENV)/.run: pyproject.toml requirements/run.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes --requirement requirements/run.txt
	$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.demo: $(VENV)/.run requirements/embedded.txt
	$(INSTALL) --require-hashes --requirement requirements/embedded.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.demo requirements/dev.txt
	$(INSTALL) --require-hashes --requirement requirements/dev.txt
	@touch $@

$(VENV)/.mutate: $(VENV)/.installed requirements/mutate.txt
	$(INSTALL) --require-hashes --requirement requirements/mutate.txt
	@touch $@

# Pin what pyproject.toml asks for, with the digests of every platform's files: one that is pinned
# stays, until its line is deleted.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
lock:
	$(LOCK) --extra allure --extra host --extra sign --output-file requirements/run.txt \
		pyproject.toml requirements/build.in
	$(LOCK) --all-extras --group dev --constraint requirements/run.txt \
		--output-file requirements/dev.txt pyproject.toml requirements/build.in
	echo xllamacpp | $(LOCK) --no-deps --constraint requirements/dev.txt --output-file requirements/embedded.txt -
	printf 'cosmic-ray\ncoverage\n' | $(LOCK) --constraint requirements/dev.txt --output-file requirements/mutate.txt -

clean:
	rm -rf $(VENV) $(WEBUI) reports dist
