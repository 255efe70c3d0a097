# make shop: a complete shop at http://localhost:3000.  make test: everything, on every real component.  make help: the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PORT ?= 3000
DATA ?= ./data

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 24

shop: build  ## set up, build and start a shop with demo data at http://localhost:3000
	build/bin/shop --demo --port $(PORT) --data $(DATA)

up: build  ## the distributed shop: components, and every service as its own process, at http://localhost:3000
	@scripts/up $(if $(filter command environment,$(firstword $(origin PORT))),--port $(PORT)) $(UP_OPTIONS)

down:  ## ends exactly what make up started
	@scripts/down $(DOWN_OPTIONS)

setup:
	@scripts/install-packages build

configure: setup
	@[ -f build/build.ninja ] || cmake --preset release

build: configure  ## everything into build/bin
	@cmake --build build

unit: configure
	@cmake --build build --target unit-tests
	@build/bin/unit-tests --gtest_brief=1

contract: configure  ## every adapter against its port's contract, on real components
	@cmake --build build --target contract-tests
	@tests/contract/run

dev: build unit  ## the fast loop: build, unit tests

SINCE ?= HEAD
fmt:  ## format the lines of C++ that have changed since the last commit, or SINCE=main
	@scripts/install-packages build
	@command -v git-clang-format-19 >/dev/null || { echo "clang-format-19 is missing: apt-get install clang-format-19"; exit 1; }
	@git-clang-format-19 --binary clang-format-19 --extensions hpp,cpp --force $(SINCE) -- src tests || [ $$? -eq 1 ]  # 1: something was changed

test:  ## everything, on every real component
	@scripts/test

SEEDS ?= 1000
simulate: configure  ## the whole shop in one thread under bad weather, SEEDS=1000 times: docs/integrity.md
	@cmake --build build --target simulate
	@build/bin/simulate --seeds $(SEEDS)

BENCH_RESULT = build/benchmarks$(addprefix -,$(BENCH)).json
model: configure  ## the model of placing and cancelling: every state, and TRACES=300 simulated worlds held against it: docs/integrity.md
	@scripts/install-packages test
	@tests/model/run full
	@tests/model/traces --seeds $(or $(TRACES),300)

bench: build  ## every figure of docs/benchmarks.md beside its peers, and that page (25 minutes); bench-NAME for one; BENCH_OPTIONS=--quick
	@scripts/install-packages build bench
	@cmake --build build --target load ask
	@tests/bench/bench.py $(BENCH) --json $(BENCH_RESULT) $(BENCH_OPTIONS); status=$$?; \
	  $(if $(BENCH),,tests/bench/report.py $(BENCH_RESULT) $(if $(findstring --quick,$(BENCH_OPTIONS)),--into build);) exit $$status

bench-compare: build  ## instructions a request, counted by callgrind: names what is over 5 % above the committed ones; COMPARE_OPTIONS=--keep
	@scripts/install-packages bench
	@tests/bench/instructions.py $(COMPARE_OPTIONS)

bench-%:
	@$(MAKE) --no-print-directory bench BENCH=$*

figures: build  ## the distributed shop's own: memory, tokens, POST to found, a rebuild of 100 000 products; docs/distributed-figures.md
	@tests/distributed/figures.py --write $(FIGURES_OPTIONS)

chaos: build  ## 10 000 checkouts while everything is killed with -9 every 2 s; one line says what became of them
	@tests/fault/chaos.py $(CHAOS_OPTIONS)

chaos-distributed: build  ## the same with a process per service: services and stores are killed in turn
	@SHOP_MODE=distributed tests/fault/chaos.py --seconds 150 $(CHAOS_OPTIONS)

faults: build  ## every store and the peer, in seven ways of a spoilt wire
	@tests/fault/faults.py $(FAULTS_OPTIONS)

overload: build  ## three times what the shop can serve, for 30 s
	@cmake --build build --target load
	@tests/fault/overload.py --mix checkout $(OVERLOAD_OPTIONS)
	@tests/fault/overload.py --mix login $(OVERLOAD_OPTIONS) --least 0.9

overload-distributed: build  ## the same with a process per service
	@cmake --build build --target load
	@SHOP_MODE=distributed tests/fault/overload.py --mix checkout $(OVERLOAD_OPTIONS)

MINUTES ?= 30
soak: build  ## an even load for MINUTES (30): memory stays flat
	@cmake --build build --target load
	@tests/fault/soak.py --minutes $(MINUTES)

test-security: build  ## attacks on a running shop
	@tests/security/run.py

schemathesis: build  ## generated requests against the OpenAPI document, SECONDS=600 of them
	@tests/openapi/run.py $(or $(SECONDS),600) --explore

sanitized: setup
	@[ -f build/sanitize/build.ninja ] || cmake --preset sanitize
	@cmake --build build/sanitize --target shop shopctl api-gateway unit-tests fuzz

fuzz: sanitized  ## fuzz everything that reads bytes from outside, SECONDS=600 each
	@tests/fuzz/run $(or $(SECONDS),600)

clean:  ## remove build/
	rm -rf build

.PHONY: test-security schemathesis sanitized fuzz chaos overload overload-distributed soak help up down shop setup configure build unit contract dev fmt test simulate model clean
