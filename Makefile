# `make run` and `make test` need python3, make and git, and nothing else: they make their own environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
REGRESSIONS := tests/e2e/test_action.py tests/e2e/test_regressions.py tests/unit/test_acceptance.py
FAMILIES := tests/e2e/test_twenty_metrics.py
APART := $(REGRESSIONS) $(FAMILIES)
ALONE := $(shell grep --files-with-matches 'mark\.alone' tests/e2e/*.py)
CLUSTERS := $(wildcard tests/e2e/test_cluster*.py) tests/e2e/test_networks.py
LOCKED := requirements.txt requirements-all.txt requirements-dev.txt requirements-audit.txt
CONFIG ?= configs/default.yaml
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

# A test that fails beside others, or while something else used the machine, is run once more by itself. The output has
# both attempts, and the second one decides. The first forgets earlier failures and ends with its last test, so that no
# other test is taken for one that failed.
TESTS = $(BIN)/python -m pytest --cache-clear --maxfail=0 -m $(1) $(2) || \
	{ test $$? -eq 1 && $(BIN)/python -m pytest -m $(1) --last-failed --last-failed-no-failures=none && \
	echo "What failed above passed when it was run again by itself."; }
APT := --quiet=2 -o Acquire::Retries=1 -o Acquire::http::Timeout=30
BESIDE := --numprocesses=3 --dist=loadscope --no-loadscope-reorder

.PHONY: run pictures answers published docs test types test-beside test-long test-cluster browser coverage test-slow test-slow-adversity test-slow-regressions test-slow-families \
	audit format lock benchmarks clean

# The catalogue and the cluster need extras, which take some seconds more to install.
run: $(VENV)/$(if $(filter catalogue cluster %catalogue.yaml %cluster.yaml,$(CONFIG)),all,run).stamp
	$(BIN)/python -m bench run $(CONFIG)

# The pictures of the README, from real runs. Give the machine nothing else to do meanwhile. The second needs the network, and
# that it says slower (exit code 1) is no reason to have no picture of it.
pictures: export COLUMNS = 80
pictures: $(VENV)/run.stamp
	$(BIN)/python -m bench run configs/default.yaml
	$(BIN)/python -m bench show last --svg docs/pictures/run.svg
	$(BIN)/python -m bench ab requirements=httpx==0.27.2 requirements=httpx==0.28.1 --only '*httpx*' || test $$? -eq 1
	$(BIN)/python -m bench show last --svg docs/pictures/ab.svg

# The pages of measured results, and the runs that they are made from: half an hour each. Give the machine nothing else to do
# meanwhile. Clients in versions of their own need the network once. `python -m docs.pages write` makes the pages from what is kept.
answers published: $(VENV)/all.stamp
	$(BIN)/python -m docs.pages measure $@

# The documentation site, in build/docs/site: its pages first, those made from the code and from kept runs among them.
docs: $(VENV)/dev.stamp
	$(BIN)/python -m docs.pages site build/docs
	cd build/docs && $(abspath $(BIN))/zensical build --strict --clean

# Each process of pytest compiles all tests, if it may not keep them for the next.
unexport PYTHONDONTWRITEBYTECODE

test: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(call TESTS,"alone and not long and not slow",$(ALONE))
	@$(MAKE) --no-print-directory --jobs=2 types test-beside

# mypy has one process, and takes 47 s of it without a cache: a CPU would do nothing meanwhile.
types: $(VENV)/dev.stamp
	$(BIN)/mypy

test-beside: $(VENV)/dev.stamp
	$(call TESTS,"not alone and not long and not slow",$(BESIDE))

# The tests of complete runs, environments, gates and pages that take more than a second or two each, and those of clients
# that are extras: about forty-five minutes in all.
test-long: $(VENV)/dev.stamp browser
	$(call TESTS,"alone and long and not slow",$(ALONE))
	$(call TESTS,"not alone and long and not slow",$(BESIDE) $(CLUSTERS:%=--ignore=%))

# The same for clusters of dask, on this machine and on others, which are network namespaces: about ten minutes.
test-cluster: $(VENV)/dev.stamp
	$(call TESTS,"long and not slow",$(BESIDE) $(CLUSTERS))

# Pages are tested in a browser of the system, and the live table in a terminal of tmux. Both are installed where that can be
# done, as in CI. Elsewhere these tests are skipped, and the last lines of the output name them.
browser:
	@have() { command -v "$$1" > /dev/null; }; \
	{ have tmux && { have chromium || have chromium-browser || have google-chrome; }; } || \
	{ test "$$(id -u)" = 0 && apt-get $(APT) update && DEBIAN_FRONTEND=noninteractive apt-get $(APT) install --yes \
		--no-install-recommends chromium fonts-dejavu-core tmux > /dev/null; } || \
	echo "no browser or no tmux: pages or the live table are not tested"

# Tracing doubles the processor time of the unit tests. Lines that no test but the slow ones runs are named.
coverage: $(VENV)/dev.stamp
	$(BIN)/python -m pytest --cov --cov-report=term

# The long versions of what `make test` tries a few times: half an hour at the most for each of the first two, two
# and a half for the third, which takes longer where the machine is noisy. Give the machine nothing else to do meanwhile.
test-slow: test-slow-adversity test-slow-regressions test-slow-families

test-slow-adversity: $(VENV)/dev.stamp
	timeout --kill-after=10 30m sh -c '\
		$(BIN)/python -m pytest -m "slow and alone" --timeout=900 --durations=20 $(APART:%=--ignore=%) && \
		$(BIN)/python -m pytest -m "slow and not alone" --timeout=900 --durations=20 $(APART:%=--ignore=%) \
			--numprocesses=3 --dist=loadscope && \
		$(BIN)/python -m pytest -m "hypothesis and not slow" --hypothesis-profile=thorough tests/unit'

test-slow-regressions: $(VENV)/dev.stamp
	timeout --kill-after=10 30m sh -c '\
		$(BIN)/python -m pytest -m "slow and alone" --timeout=900 --durations=20 $(REGRESSIONS) && \
		$(BIN)/python -m pytest -m "slow and not alone" --timeout=900 --durations=20 $(REGRESSIONS) --numprocesses=2'

test-slow-families: $(VENV)/dev.stamp
	timeout --kill-after=10 150m $(BIN)/python -m pytest -m slow --timeout=7200 $(FAMILIES)

# Known weaknesses of what is locked, and of the workflows. It has an environment of its own, so that what
# it needs is in no other; the second half needs the network.
audit: $(VENV)/audit/stamp
	$(VENV)/audit/bin/zizmor --offline --persona=auditor .github/workflows action.yml
	for each in $(LOCKED); do \
		$(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r $$each || exit 1; \
	done

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Speed and memory: figures for people, not tests. Give the machine nothing else to do meanwhile.
benchmarks: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -o addopts=--import-mode=importlib tests/benchmarks/bench_*.py -s

# Without pip, which takes five seconds to install itself, as it compiles all of its modules.
$(VENV)/bin/python:
	@$(PYTHON) -m venv --without-pip $(VENV) || { rm -rf $(VENV); exit 1; }

# uv installs packages in a tenth of pip's time: the one that is there, or else the locked one. The system's pip installs it,
# or the pip that comes with Python, from within its wheel, which takes two seconds longer. At the end that pip is installed
# for the user, by uv, too. Where uv cannot do it, such as behind a mirror that only pip knows, pip does all of it.
WHEELS = $$($(BIN)/python -c 'import ensurepip as e, sysconfig as s; print(s.get_config_var("WHEEL_PKG_DIR") or e.__path__[0] + "/_bundled")')
UV_PIP := pip install --quiet --python $(BIN)/python
INSTALL_UV := --disable-pip-version-check --quiet install --only-binary=:all: --require-hashes -r $(VENV)/uv.txt
define INSTALL
	@echo "installing the locked packages of $(1) into $(VENV)"
	@awk '/^[^ ]/ { wanted = /^uv==/ } wanted' $(1) > $(VENV)/uv.txt
	@{ uv --version > /dev/null 2>&1 && uv $(UV_PIP) --require-hashes -r $(1); } || \
		{ { $(PYTHON) -m pip --retries 1 --python $(BIN)/python $(INSTALL_UV) 2> /dev/null || \
			PYTHONPATH=$$(echo $(WHEELS)/pip-*.whl) $(BIN)/python -m pip $(INSTALL_UV); } && \
			$(BIN)/uv $(UV_PIP) --require-hashes -r $(1); } || \
		{ $(BIN)/python -m ensurepip > /dev/null && $(PIP) --require-hashes -r $(1); }
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || \
		$(BIN)/uv $(UV_PIP) --no-index --find-links $(WHEELS) pip || $(BIN)/python -m ensurepip > /dev/null
endef

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	$(call INSTALL,requirements.txt)
	@touch $@

$(VENV)/all.stamp: requirements-all.txt | $(VENV)/bin/python
	$(call INSTALL,requirements-all.txt)
	@touch $@ $(VENV)/run.stamp

# Each locked set contains the ones before it, in the same versions.
$(VENV)/dev.stamp: requirements-dev.txt | $(VENV)/bin/python
	$(call INSTALL,requirements-dev.txt)
	@touch $@ $(VENV)/all.stamp $(VENV)/run.stamp

$(VENV)/audit/stamp: requirements-audit.txt
	$(PYTHON) -m venv $(VENV)/audit || { rm -rf $(VENV)/audit; exit 1; }
	$(VENV)/audit/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	touch $@

# Extras stay in the locked names: pip 23.2 does not hold `coverage[toml]` to a pin of `coverage`.
# Needs uv; the files name no index, so that any mirror will do.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-strip-extras --upgrade
lock:
	$(LOCK) pyproject.toml --extra report --extra tls --extra variants --output-file requirements.txt
	$(LOCK) pyproject.toml --extra all --constraint requirements.txt --output-file requirements-all.txt
	$(LOCK) pyproject.toml --extra dev --constraint requirements-all.txt --output-file requirements-dev.txt
	$(LOCK) --group audit --output-file requirements-audit.txt

clean:
	rm -rf $(VENV) dist build .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
