# Counterproof. `make help` lists what there is to make.
#
# One set of flags is used for every ordinary build and test: another set
# compiles the graphics bindings again, which takes minutes. The race detector
# needs its own and is kept to rooms without graphics.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The Go that make setup fetched, where the system has none or an older one.
export PATH := $(CURDIR)/.tools/go/bin:$(PATH)
export GOTOOLCHAIN := local
GO ?= go

FUZZTIME ?= 10s
TIMEOUT ?= 20m
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Folders that exist: the table in agent/DESIGN.md also lists rooms to be built.
wings := $(patsubst %/,%,$(wildcard agent/ devices/ sync/ ui/ packaging/))
mains := $(patsubst %,./%...,$(wildcard agent/cmd/ sync/cmd/ ui/cmd/))
concurrent := $(patsubst %,./%...,$(wildcard agent/desk/ agent/daemon/ agent/draft/ devices/ sync/))

.PHONY: help setup build demo check test race rig chiptest fuzz fleet crashlab bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: packages, Go, the face networks; silent when nothing is
	@packaging/setup/setup

build: ## build the programs into bin/
	@$(need_go)
	@mkdir -p bin
	$(GO) build -o bin/ $(mains)

demo: setup ## set up, build and run a whole visit on simulated devices
	@$(MAKE) --no-print-directory build
	bin/counterproofd demo
	bin/counterproofd demo --no-window --route chip

check: ## format, vet, staticcheck, layout and figures
	@$(need_go)
	@unformatted=$$(gofmt -l $(wings)); if [ -n "$$unformatted" ]; then echo "not gofmt clean:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) test ./packaging/house/...

test: build ## every test; skips are listed with their reasons and counted
	@$(need_go)
	@$(GO) build -o bin/ ./packaging/testreport
	$(GO) test -json -timeout $(TIMEOUT) ./... | bin/testreport

race: ## the tests of the rooms with concurrency, under the race detector
	@$(need_go)
	@$(GO) build -o bin/ ./packaging/testreport
	$(GO) test -json -race -timeout $(TIMEOUT) $(concurrent) | bin/testreport

chiptest: ## chips of software through the real smart-card service; skipped loudly where it is not installed
	@$(need_go)
	$(GO) test -count=1 ./devices/internal/port/pcsc ./packaging/pcsc

rig: ## the device drivers on a real kernel, in a virtual machine; skipped loudly where none can be had
	@$(need_go)
	@GO=$(GO) packaging/rig/rig

fuzz: ## every fuzz target for FUZZTIME (10s) each
	@$(need_go)
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' $(wings) | sort | while IFS=: read -r file target; do \
		echo "$${file%/*} $${target#func }"; \
		$(GO) test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) "./$${file%/*}" </dev/null; \
	done

fleet: ## 2,000 counters on a bad line against a centre that is killed: nothing lost, doubled, altered or readable
	@$(need_go)
	$(GO) run ./sync/cmd/fleetsim --agents 2000 --rounds 5

crashlab: ## kills and power cuts at every kind of write, in short; FULL=1 for all of them
	@$(need_go)
	COUNTERPROOF_CRASHLAB=$(if $(FULL),full,short) $(GO) test -count=1 -v -timeout 60m ./packaging/crashlab/... | \
		{ grep -vE '^(=== |[[:space:]]*--- PASS: .*/|PASS$$)' || true; }

bench: ## every benchmark once
	@$(need_go)
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout $(TIMEOUT) ./... | grep -v 'no test files' || test $${PIPESTATUS[0]} -eq 0

clean: ## remove what was built; what setup fetched stays
	rm -rf bin out

need_go = command -v $(GO) >/dev/null || { echo "Go is missing: run make setup first" >&2; exit 1; }
