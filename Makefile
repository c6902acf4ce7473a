# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo demo-load demo-upgrade test browser check nightly selftest bench clean

# The embedded model is no match for an enterprise, and the demo is that the gate says so:
# exit status 1 is its right end.
demo: $(VENV)/.installed
	@$(BIN)/python -m readiness.embedded --fetch
	@$(BIN)/python -m pytest readiness --endpoint embedded --profile smoke; \
	status=$$?; echo "exit status $$status"; test $$status -eq 1

# Code completion in one small step, and one round of aborts, on the same small model: what is shown
# is what is measured. Too few trials show no readiness (10), and a defect may be found (1).
demo-load: $(VENV)/.installed
	@$(BIN)/python -m readiness.embedded --fetch
	@$(BIN)/python -m pytest readiness/checks/load readiness/checks/stability \
		--endpoint embedded --profile smoke; \
	status=$$?; echo "exit status $$status"; test $$status -eq 1 -o $$status -eq 10

# A candidate that drops 3 % of the tool calls is stopped beside its baseline, in half a minute.
demo-upgrade: $(VENV)/.installed
	@$(BIN)/python -m readiness.cli.upgrade_demo

test: $(VENV)/.installed browser
	$(BIN)/python -m readiness.embedded --fetch
	$(BIN)/python -m pytest -W error -m "not nightly"

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

nightly: $(VENV)/.installed
	$(BIN)/python -m pytest -W error
	$(BIN)/readiness selftest

selftest: $(VENV)/.installed browser
	$(BIN)/readiness selftest

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python -m benchmarks.latency

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable ".[distributed,embedded,host,sign]"
	@touch $@

clean:
	rm -rf $(VENV) reports dist
