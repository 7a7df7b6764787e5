SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PREFIX   := github.com/fieldlink-go/fieldlink
PKG      ?= work
FUZZTIME ?= 20s
SOAK     ?= 10m
ARCHES   := 386 arm arm64

# The tools are a module of their own, outside of go.work.
TOOLS := GOWORK=off go -C internal/tools
export GOARM := 7

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | while IFS=$$'\t' read -r target text; do printf '%-14s %s\n' "$$target" "$$text"; done

# everyday

.PHONY: demo
demo: ## do an unattended job on a fake PiKVM, and be a gateway at a fake hub; PIKVM_URL and friends take a real PiKVM
	@go run ./internal/demo

.PHONY: build
build: ## compile every package
	go build work

.PHONY: test
test: ## test every package; needs Go alone
	go test work

.PHONY: race
race: ## test every package with the race detector, in random order
	go test -race -shuffle=on work

.PHONY: cover
cover: ## test coverage, in total per published module
	@.ci/cover $(PREFIX)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (20s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## run the benchmarks of PKG (all), with allocations
	go test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: bench-peers
bench-peers: ## measure wsclient, wsconn, spool, the device store, minijson and sioclient beside their peers, as ratios
	@go run ./internal/e2e/benchpeers
	@go run ./internal/e2e/siobench

.PHONY: bench-sio
bench-sio: ## the part of bench-peers about Socket.IO servers; needs Linux, and Node.js with npm
	@go run ./internal/e2e/siobench

.PHONY: sio-idle
sio-idle: ## let a Socket.IO server hold 10,000 idle connections of another process, and tell what each costs
	@go run ./internal/e2e/sioidle

.PHONY: sio-attack
sio-attack: ## attack a Socket.IO server for a minute, as the advisories do and worse, and hold an honest client's p99 against 250 ms
	go test ./sioclient/internal/attack -count=1 -timeout=30m -v -run 'Advisory|BadInput|SlowReader|Latency' -args -full

.PHONY: powercut
powercut: ## replay the file operations of the spool and of a whole device store into 100,000 disks each that a power cut could leave; the device store needs strace
	go test ./wsclient/spool -count=1 -timeout=60m -v -run 'TestFaithfulDisk|TestPowerCut$$|TestPlantedMissingSync' -args -full
	go test ./smok/store/diskstore -count=1 -timeout=60m -v -run 'TestPowerCut$$|TestPlantedMissingSync' -args -full

.PHONY: bitrot
bitrot: ## flip 10,000 bits of the spool and of a device store and cut 1,000 files, also beside bbolt
	go test ./wsclient/spool ./smok/store/diskstore -count=1 -timeout=60m -v -run 'TestBitRot|TestTruncation' -args -full
	@go run ./internal/e2e/bitrot

.PHONY: crash
crash: ## kill a gateway 200 times with each kind of order link, and keep one for 30 days without a link
	go test ./smok -count=1 -timeout=120m -v -run 'TestGatewayIsKilled|TestOfflineForThirtyDays' -args -full

.PHONY: volume
volume: ## send and receive 1,000,000 messages through 100 disconnects, kill a gateway 50 times
	go test ./wsclient -count=1 -timeout=30m -v -run 'QU(20|21|22|23|24|26)' -args -full
	go test ./wsclient/internal/outbox -count=1 -timeout=30m -v -run 'TestAccountsAddUp' -args -full

.PHONY: chaos
chaos: ## send 100,000 orders through 1,000 link cuts
	go test ./ngtt -count=1 -v -run 'TestNoLossAndNothingTwiceUnderRandomCuts' -args -full

.PHONY: soak
soak: ## let WebSocket managers work in bad weather for SOAK (10m), and check their books and what they hold
	@go run ./internal/e2e/soak -duration $(SOAK)

.PHONY: interop
interop: ## test against independent peers; installs their packages of npm and Debian
	bash internal/e2e/interop/setup.sh
	bash internal/e2e/siointerop/setup.sh
	cd internal/e2e && go test -tags interop -count=1 -timeout=30m ./interop ./siointerop
	@echo 'old versions under the attacks of the advisories:' && cat .out/oldversions.txt

# source

.PHONY: fmt
fmt: .bin/gofumpt ## format every Go file
	@.bin/gofumpt -l -w .

.PHONY: fmt-check
fmt-check: .bin/gofumpt ## fail if a Go file is not formatted
	@files=$$(.bin/gofumpt -l .); \
	if [ -n "$$files" ]; then printf 'not formatted (make fmt mends it):\n%s\n' "$$files"; exit 1; fi

.PHONY: vet
vet: ## go vet on every package
	go vet work
	go vet -tags interop ./internal/e2e/...
	$(TOOLS) vet ./...

.PHONY: vet-arch
vet-arch: ## go vet for the architectures of small gateways
	@for arch in $(ARCHES); do echo "GOARCH=$$arch go vet work"; GOARCH=$$arch go vet work; done

.PHONY: lint
lint: .bin/staticcheck ## staticcheck, and golangci-lint if it is installed
	.bin/staticcheck work
	.bin/staticcheck -tags interop ./internal/e2e/...
	cd internal/tools && GOWORK=off ../../.bin/staticcheck ./...
	@if command -v golangci-lint >/dev/null; then \
		for dir in $$(go list -m -f '{{.Dir}}'); do echo "golangci-lint run ($$dir)"; (cd "$$dir" && golangci-lint run ./...); done; \
	else echo "golangci-lint is not installed: left out"; fi

# modules

.PHONY: tidy
tidy: .bin/modules ## write tidy go.mod and go.sum files
	@.bin/modules tidy

.PHONY: tidy-check
tidy-check: .bin/modules ## fail if a go.mod or go.sum file is not tidy
	@.bin/modules tidy-check

.PHONY: deps-check
deps-check: .bin/depscheck ## check the rules on dependencies, licences and layout
	@.bin/depscheck

.PHONY: modcheck
modcheck: .bin/modules ## vet and test each module alone, with an empty module cache
	@.bin/modules check $(M)

.PHONY: api-check
api-check: .bin/modules .bin/apidiff ## compare each module's API with its last tag
	@.bin/modules api-check

.PHONY: consumer
consumer: .bin/modules ## fetch each module by version from outside and run a program with it
	@.bin/modules consumer $(M)

.PHONY: vuln
vuln: .bin/govulncheck ## look for known vulnerabilities (online)
	@for dir in $$(go list -m -f '{{.Dir}}'); do echo "govulncheck $$dir"; .bin/govulncheck -C "$$dir" ./...; done

# release

.PHONY: release-plan
release-plan: .bin/modules ## which modules changed since their last tag, and their next version
	@.bin/modules plan

.PHONY: release
release: .bin/modules ## check, commit and tag a release: make release M="errkit=v0.1.0 pikvm=v0.1.0"; pushes nothing
	@.bin/modules release $(M)

.PHONY: ci
ci: fmt-check vet lint race tidy-check deps-check modcheck api-check consumer ## what must pass before a change is merged

# tools

.PHONY: tools
tools: ## build every tool into .bin
	$(TOOLS) build -o ../../.bin/ tool

.PHONY: tools-test
tools-test: ## test the tools of this repository
	$(TOOLS) test ./...

# The go command knows best whether a tool is up to date.
.PHONY: .bin/gofumpt .bin/staticcheck .bin/apidiff .bin/govulncheck .bin/modules .bin/depscheck
.bin/gofumpt:
	@$(TOOLS) build -o ../../.bin/ mvdan.cc/gofumpt
.bin/staticcheck:
	@$(TOOLS) build -o ../../.bin/ honnef.co/go/tools/cmd/staticcheck
.bin/apidiff:
	@$(TOOLS) build -o ../../.bin/ golang.org/x/exp/cmd/apidiff
.bin/govulncheck:
	@$(TOOLS) build -o ../../.bin/ golang.org/x/vuln/cmd/govulncheck
.bin/modules .bin/depscheck: .bin/%:
	@$(TOOLS) build -o ../../.bin/ ./$*

.PHONY: clean
clean: ## remove what was built
	rm -rf .bin .out
