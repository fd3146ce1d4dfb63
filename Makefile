# Two commands do everything: `make run` starts the whole stack, `make test` checks the whole project.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One process per core and one more, see tests/testing/parallel.py. Empty runs the tests in this process.
PARALLEL ?= -n auto --no-loadscope-reorder
STAMPS := $(VENV)/stamps
# Hundreds of processes are started, each of which would compile all of its modules.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run test test-fast test-changed coverage format docs site check messages screenshots bench bench-peers instructions lighthouse conformance hostile chaos soak audit lock test-compose openapi helm dist clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: $(STAMPS)/run $(EXTRAS:%=$(STAMPS)/%)  ## start the whole stack; EXTRAS=heic adds the decoder of HEIC, EXTRAS="heic faces" the detector of faces too
	@exec $(BIN)/imageconverter up

test: check  ## check the whole project
	$(BIN)/python -m pytest --ignore=tests/compose $(PARALLEL)

test-fast: $(STAMPS)/dev  ## run the tests that need no servers and no sandbox, within a minute
	$(BIN)/python -m pytest --ignore=tests/compose $(PARALLEL) -m "not (servers or sandbox or stack or chaos or slow)"

test-changed: $(STAMPS)/dev  ## run the tests of what differs from main, or on main from the commit before
	@tests=$$($(BIN)/python -m tests.testing.changed) || exit 1; \
	  if [ -z "$$tests" ]; then echo "No tests for what has changed."; exit; fi; \
	  echo "Testing $$tests"; $(BIN)/python -m pytest --ignore=tests/compose $(PARALLEL) $$tests

# Python 3.12 and later measure almost for free; with 3.11 the tests take about half as much time again.
coverage: $(STAMPS)/dev  ## run all tests and fail if they cover too little
	COVERAGE_CORE=$$($(BIN)/python -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")') \
	  $(BIN)/python -m pytest --ignore=tests/compose $(PARALLEL) --cov --cov-report=term

check: $(STAMPS)/dev  ## lint, formatting, types and import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMPS)/dev  ## format the code and apply the lint fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(STAMPS)/dev  ## write the generated parts and images of the documents
	$(BIN)/python -m tests.documents.generated

site: $(STAMPS)/site  ## build the documents as a site, in the folder site
	$(VENV)/site/bin/python docs/site/sources.py $(VENV)/site/docs
	$(VENV)/site/bin/mkdocs build --quiet --strict

messages: $(STAMPS)/dev  ## update the catalogs of the console's texts, and list what is to be translated
	$(BIN)/python -m tests.console.catalogs

screenshots: $(STAMPS)/dev  ## make the screenshots of the console in the documents, and what tests compare with, anew
	rm -f docs/images/console/*.webp tests/console/references/*.png
	$(BIN)/python -m pytest tests/console/test_screenshots.py --accept-screenshots

bench: $(STAMPS)/dev  ## run the benchmarks
	$(BIN)/python -m bench

# Needs Node.js, apt-get and a network. Changes docs/benchmarks.md; PEERS="--quick" only prints.
bench-peers: $(STAMPS)/dev  ## compare with other converters, and write docs/benchmarks.md
	$(BIN)/python -m bench.peers $(PEERS)

# Needs valgrind.
instructions: $(STAMPS)/dev  ## count the instructions of ten conversions again, and keep the numbers
	$(BIN)/python -m bench.instructions --renew

# Needs npm, Chromium and a network.
lighthouse: $(STAMPS)/dev $(STAMPS)/lighthouse  ## judge the console by lighthouse
	$(BIN)/python -m bench.console

# CORPUS is a folder of image files; READERS is a Python that has psd-tools, to judge PSD files by that as well.
REPORT ?= conformance.html
READERS ?= $(BIN)/python

conformance: $(STAMPS)/dev  ## compare what the files of CORPUS=DIR become with what independent readers show
	@test -d "$(CORPUS)" || { echo "make conformance CORPUS=DIR [REPORT=FILE.html] [READERS=PYTHON]"; exit 1; }
	$(BIN)/python -m tests.conformance "$(CORPUS)" --report "$(REPORT)" --python "$(READERS)"

# Decodes about 100,000 hostile files and sends 10,000 hostile requests to a gateway. The files of Pillow's own tests are
# in its source package, which is downloaded once; without a network the test skips them and prints that.
PILLOW_SOURCE := pillow==13.0.0 --hash=sha256:cdcd1ba258178f7356d74170c9a81ba4eab6a5d55748bc402a5a2a6fe6be3510

hostile: $(STAMPS)/dev  ## feed hostile files and requests, about ten minutes
	@test -e $(VENV)/hostile/pillow-13.0.0.tar.gz || echo "$(PILLOW_SOURCE)" | $(BIN)/python -m pip download \
	  --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes -r /dev/stdin \
	  -d $(VENV)/hostile || true
	$(BIN)/python -m pytest tests/worker/sandbox/test_hostile.py tests/contract/test_requests.py --thorough --timeout 1200 -s

# Linters of OpenAPI and generators of clients in TypeScript, from npm; their tests are skipped without them.
openapi: $(STAMPS)/dev $(STAMPS)/openapi  ## lint the OpenAPI documents and generate clients from them
	$(BIN)/python -m pytest tests/contract/test_linters.py tests/contract/test_typescript_clients.py \
	  tests/contract/test_python_client.py

# Helm's own code, the schemas of Kubernetes, and those of KEDA and the Prometheus Operator from npm.
helm: $(STAMPS)/dev $(STAMPS)/helm  ## render and validate the Helm chart; its tests are skipped without this
	$(BIN)/python -m pytest tests/helm

dist: $(STAMPS)/release  ## make wheels, image and chart with their SBOMs, and check them; see docs/release.md
	$(BIN)/python -m pytest tests/release
	$(BIN)/python -m release

# Needs a Docker engine; see docs/docker.md.
test-compose: $(STAMPS)/dev  ## test the Docker Compose stack; needs a Docker engine
	$(BIN)/python -m pytest tests/compose

$(STAMPS)/run: requirements/embedded.txt pyproject.toml | $(STAMPS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/embedded.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/heic $(STAMPS)/faces $(STAMPS)/tracing $(STAMPS)/sentry: $(STAMPS)/%: requirements/%.txt | $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(STAMPS)/dev: requirements/dev.txt pyproject.toml | $(STAMPS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(STAMPS)/run

# mkdocs has a virtual environment of its own, as it needs other versions of what the roles need.
$(STAMPS)/site: requirements/docs.txt | $(STAMPS)
	$(PYTHON) -m venv $(VENV)/site
	$(VENV)/site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

$(STAMPS)/lighthouse: bench/lighthouse/package-lock.json | $(STAMPS)
	@mkdir -p $(VENV)/lighthouse
	cp bench/lighthouse/package*.json bench/lighthouse/.npmrc $(VENV)/lighthouse
	cd $(VENV)/lighthouse && npm ci --ignore-scripts --loglevel=error
	@touch $@

$(STAMPS)/openapi: tests/contract/generators/package-lock.json | $(STAMPS)
	@mkdir -p $(VENV)/openapi
	cp tests/contract/generators/package*.json tests/contract/generators/.npmrc $(VENV)/openapi
	cd $(VENV)/openapi && npm ci --ignore-scripts --loglevel=error
	@touch $@

$(STAMPS)/release: requirements/release.txt | $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(STAMPS)/helm: requirements/helm.txt tests/helm/models/package-lock.json | $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/helm.txt
	@mkdir -p $(VENV)/helm
	cp tests/helm/models/package*.json tests/helm/models/tsconfig.json tests/contract/generators/.npmrc $(VENV)/helm
	cd $(VENV)/helm && npm ci --ignore-scripts --loglevel=error
	@touch $@

$(STAMPS):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "imageconverter needs Python 3.11, 3.12 or 3.13: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $@

# Break things by the hundred while jobs run, as docs/reliability.md promises: about three quarters of an hour.
chaos: $(STAMPS)/dev  ## cause hundreds of faults while jobs run, about three quarters of an hour
	$(BIN)/python -m pytest tests/chaos --long -s --timeout 3600

# Mixed load with faults for half an hour; prints what has grown.
soak: $(STAMPS)/dev  ## run mixed load with faults for half an hour
	$(BIN)/python -m bench.soak

# Known advisories for what is locked; needs a network.
audit: | $(STAMPS)  ## check the locked packages for known vulnerabilities
	@test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip install \
	  --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt; }
	@for lock in embedded dev; do \
	  $(VENV)/audit/bin/pip-audit --disable-pip --require-hashes --strict --progress-spinner off -r requirements/$$lock.txt; \
	done

# Lock all dependencies anew, with hashes and without the address of any index.
lock: $(STAMPS)/dev  ## lock all dependencies again
	@project=pyproject.toml; for set in "runtime $$project --group build" "embedded $$project --group build --extra embedded" \
	  "dev $$project --group build --extra embedded --extra heic --extra faces --extra tracing --extra sentry --group dev" "audit --group audit" "docs --group docs" \
	  "heic --group heic --constraints requirements/runtime.txt" \
	  "faces --group faces --constraints requirements/runtime.txt" \
	  "tracing --group tracing --constraints requirements/runtime.txt" \
	  "sentry --group sentry --constraints requirements/runtime.txt" \
	  "helm --group helm --constraints requirements/dev.txt" \
	  "release --group release --constraints requirements/dev.txt"; do \
	  set -- $$set; name=$$1; shift; \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    "$$@" -o requirements/$$name.txt || exit 1; \
	done

clean:  ## delete the virtual environment
	rm -rf $(VENV) dist site
