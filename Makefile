# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Test processes: each holds TensorFlow, about 1.5 GB.
JOBS ?= 2
SHARED ?= $(or $(BLASTSCOPE_SHARED),../shared)

.PHONY: help demo test lint check-slow figures reproduce models lock clean

help:
	@echo "make demo        run the whole path on simulated smears; ends with a page to look at"
	@echo "make test        lint and all tests but the slow ones"
	@echo "make check-slow  the slow tests: emulated Pi, real picamera2, other backends, a Ray cluster"
	@echo "make reproduce   five seeds, random and grouped splits: the paper's table beside ours (hours)"
	@echo "make figures     quantize and time what make reproduce trained: README's int8 table"
	@echo "make models      train and quantize the models that come along (an hour), into edge/models"
	@echo "make lock        write the lock files anew"

$(READY): locks/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY)
	$(BIN)/blastscope demo --out demo --overwrite

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# One thread each for linear algebra: more would spin against each other.
test: lint
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" --numprocesses $(JOBS) --dist loadfile

# Ray for the slow tests: at the versions of locks/dev.txt, so that nothing else changes.
$(VENV)/.cluster: $(READY) locks/cluster.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/cluster.txt
	touch $@

check-slow: $(READY) $(VENV)/.cluster
	$(BIN)/python -m pytest -m slow

figures: $(READY) runs/tamim2025
	$(BIN)/python -m quantize.figures runs/tamim2025

reproduce: $(READY)
	$(BIN)/blastscope reproduce tamim2025 $(SHARED)/data/all4 --weights $(SHARED)/weights/mobilenet_v2_1.0_224_no_top.weights.h5 --out runs/tamim2025

runs/tamim2025:
	$(MAKE) reproduce

models: $(READY)
	$(BIN)/python -m quantize.shipping $(SHARED)/data/all4 --weights $(SHARED)/weights

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

lock:
	$(LOCK) -o locks/edge.txt
	$(LOCK) --extra dev -o locks/dev.txt
	$(LOCK) --extra cluster --constraint locks/dev.txt -o locks/cluster.txt

clean:
	rm -rf $(VENV) demo build *.egg-info
