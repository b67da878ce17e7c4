# Two commands for a newcomer: `make serve` and `make test`. Nothing is needed but make and a Python >= 3.12.

VENV ?= .venv
BIN := $(VENV)/bin
# The exact versions to install. Without any, `make test VENV=.venv-newest CONSTRAINTS=` tests the newest releases that
# pyproject.toml allows.
CONSTRAINTS ?= constraints.txt
# the tests that are run from the source archive as well
SAMPLE := tests/test_architecture.py tests/test_layout.py tests/cache/http tests/cache/rules
INSTALL = $(BIN)/python -m pip install --quiet $(addprefix --constraint ,$(CONSTRAINTS)) --editable
# Each is tried: a command of that name may exist without working, and some systems ship a Python without venv.
PYTHONS := $(or $(PYTHON),python3.14 python3.13 python3.12 python3)
NEWEST := for python in $(PYTHONS); do \
	"$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && break; python=; done; \
	[ -n "$$python" ] || { echo "expected a Python >= 3.12 that can make a venv, tried: $(PYTHONS); name one:" \
	"make PYTHON=/path/to/python" >&2; exit 1; }

.PHONY: serve test package compiled test-programs package-managers test-edge docs conformance ledger mutation fuzz bench \
	capacity pictures check format clean

serve: $(VENV)/.serve
	$(BIN)/secondhand serve $(ARGS)

test: $(VENV)/.test # needs no other program; one worker process for each core
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --ignore tests/programs --ignore tests/edge $(ARGS)

package: $(VENV)/.test # makes both archives in dist/, checks them, and tests what is in the one with the sources
	$(INSTALL) '.[dev,package]'
	rm -rf build dist && $(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	$(BIN)/python -m twine check --strict dist/*
	mkdir dist/unpacked && tar -xf dist/*.tar.gz -C dist/unpacked --strip-components 1
	cd dist/unpacked && $(abspath $(BIN))/python -m pytest -q --numprocesses auto $(SAMPLE)

compiled: $(VENV)/.test # makes a wheel in dist/ with compiled modules, which need a C compiler, and tests what is in it
	$(INSTALL) '.[dev,package]'
	$(BIN)/python -m tools.compiled $(ARGS)

test-programs: $(VENV)/.test # drives the package managers, browsers and servers that are installed, and skips the others
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal tests/programs $(ARGS)

package-managers: .programs/.installed # Yarn, pnpm, Bun, Poetry, PDM, uv and axe-core, for test-programs; it needs npm

test-edge: $(VENV)/.test # serves real applications behind an edge, and behind nginx in its place; a process for each file
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile tests/edge $(ARGS)

docs: $(VENV)/.docs # the documentation as a site, in build/documentation/html; a warning is an error
	$(BIN)/python -m tools.documentation $(ARGS)

conformance: $(VENV)/.test # the public suite of tests for HTTP caches; it needs Node.js with npm; ARGS="--workers 2"
	$(BIN)/python -m tools.conformance $(ARGS)

ledger: $(VENV)/.test # every requirement with the conversations that show it; ARGS="KEY-09 AUTH" picks some
	@$(BIN)/python -m tests.rfc $(ARGS)

mutation: $(VENV)/.test # breaks the rules one at a time, and counts how many of the breaks the tests notice
	$(BIN)/python -m tools.mutation $(ARGS)

fuzz: $(VENV)/.fuzz # gives the parsers random inputs; ARGS="--seconds 600 range vary" picks targets and a time for each
	$(BIN)/python -m tools.fuzz $(ARGS)

bench: $(VENV)/.test # beside Squid, nginx and Varnish; it needs them and wrk, and installs nothing of that
	$(BIN)/python -m tools.bench $(ARGS)

pictures: $(VENV)/.test # of the page, for docs/page.md; it needs Chromium
	$(BIN)/python -m tools.pictures

capacity: $(VENV)/.test # what a shared store takes: ARGS=measure (it needs redis-server), ARGS=plan or ARGS=simulate
	$(BIN)/python -m tools.capacity $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .programs build dist

$(VENV)/.serve: pyproject.toml $(CONSTRAINTS)
	@$(NEWEST); "$$python" -m venv $(VENV)
	$(INSTALL) '.[lint]'
	@touch $@

$(VENV)/.test: pyproject.toml $(CONSTRAINTS)
	@$(NEWEST); "$$python" -m venv $(VENV)
	$(INSTALL) '.[dev,docs]'
	@touch $@ $(VENV)/.serve $(VENV)/.docs

$(VENV)/.docs: pyproject.toml $(CONSTRAINTS) # apart, so that the site can be built without what tests need
	@[ -x $(BIN)/python ] || { $(NEWEST); "$$python" -m venv $(VENV); }
	$(INSTALL) '.[docs]'
	@touch $@

$(VENV)/.fuzz: $(VENV)/.test # apart, since atheris is large, and made for Linux only
	$(INSTALL) '.[dev,fuzz]'
	@touch $@

.programs/.installed: tests/programs/package_managers/package.json tests/programs/package_managers/requirements.txt
	@$(NEWEST); mkdir -p .programs; "$$python" -m venv .programs/python
	.programs/python/bin/python -m pip install --quiet --requirement tests/programs/package_managers/requirements.txt
	cp tests/programs/package_managers/package.json .programs/
	npm install --prefix .programs --no-audit --no-fund --no-package-lock --loglevel error
	@touch $@
