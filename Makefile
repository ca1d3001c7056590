# What this project can do to itself. "make" alone lists it; CONTRIBUTING.md says when to use what.
SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help

GO    ?= go
# Everything that is built or downloaded for tests is kept here, outside the clone.
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rotad
# One directory per set of pinned tools, so that a change of tools/go.mod never meets an old binary.
TOOLS := $(CACHE)/tools/$(shell cat tools/go.mod tools/go.sum | sha256sum | cut -c1-16)
LINT  := $(TOOLS)/golangci-lint
# The tools of a release are a set of their own: who lints need not build them, and neither set moves the other's versions.
RELEASE_TOOLS := $(CACHE)/tools/$(shell cat tools/release/go.mod tools/release/go.sum | sha256sum | cut -c1-16)
NFPM          := $(RELEASE_TOOLS)/nfpm

# The same source and the same Go give the same bytes: no path, no build id, no C library. Where VERSION is given, a
# build from a clone and one from an archive are the same as well: the linker is told what the repository would have said.
VERSION :=
COMMIT  :=
STAMP    = $(if $(VERSION), -X main.release=$(VERSION) -X main.commit=$(COMMIT))
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath $(if $(VERSION),-buildvcs=false) -ldflags='-s -w -buildid=$(STAMP)'

.PHONY: help build demo test check bench fmt lint vet race generate integration playground packaging audit image-root image release ci \
	sim years kills mails power wire mutants canary fuzz proof

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

BIN := bin/rotad
build: ## the static binary, as bin/rotad
	$(BUILD) -o $(BIN) ./cmd/rotad

demo: ## the whole daemon against a world of its own, ninety days in ninety seconds
	$(GO) run ./cmd/rotad demo

test: ## every test that needs nothing but Go
	$(GO) test ./...

check: lint vet race ## what a change has to pass: format and lint, vet, tests under the race detector

# Figures beside bare loops; QUICK=1 takes 100,000 clients instead of a million. Nothing else should run meanwhile.
bench: ## speed and memory, a line per figure with its goal
	cd test && $(GO) run ./bench $(if $(QUICK),-quick)

fmt: $(LINT) ## rewrite the files as gofumpt and goimports want them
	$(LINT) fmt ./...
	cd test && $(LINT) fmt ./...

lint: $(LINT) ## golangci-lint: format, import star, house rules
	$(LINT) run ./...
	cd test && $(LINT) run ./...

vet: ## go vet, in the program and in the tests against real servers
	$(GO) vet ./...
	cd test && $(GO) vet ./...

race: ## the tests under the race detector
	$(GO) test -race -timeout 30m ./...

generate: ## the files that are written by programs: Grafana's dashboards and alerts, the chart's copies and schema, docs/reference/providers.md
	$(GO) generate ./...

# Whatever the tests need is installed, started and stopped by them. One package at a time: they share servers' ports,
# memory and two cores.
integration: ## the built binary against real servers; RUN=keycloak-grace selects one scenario
ifdef RUN
	cd test && $(GO) test -count=1 -timeout 60m -v -run 'TestScenario/^$(RUN)$$' ./scenarios/
else
	cd test && $(GO) test -count=1 -timeout 60m -v -p 1 $$($(GO) list ./... | grep -v /packaging)
endif

packaging: ## image, unit, packages, release: built, verified, installed and run away from this system (as root)
	cd test && $(GO) test -count=1 -timeout 60m -v ./packaging/

# The servers lie in /tmp/rotad-playground and run until they are ended.
playground: ## Keycloak, Vault, Postfix, Prometheus, Alertmanager and a rotad to try things on (as root); DOWN=1 ends them
	cd test && $(GO) run ./playground $(if $(DOWN),down,up)

audit: $(LINT) ## known vulnerabilities that the program can reach (asks the Go vulnerability database)
	$(TOOLS)/govulncheck ./...

# The files of the container image. The Dockerfile and the test of the image both call this.
OUT ?= bin/image
CA  ?= /etc/ssl/certs/ca-certificates.crt
image-root: ## the files of the container image, in OUT
	rm -rf $(OUT)
	install -d -m 0755 $(OUT)/files/etc/ssl/certs $(OUT)/files/etc/rotad $(OUT)/own/var/lib $(OUT)/own/run
	install -d -m 0700 $(OUT)/own/var/lib/rotad
	install -d -m 0750 $(OUT)/own/run/rotad
	install -m 0644 $(CA) $(OUT)/files/etc/ssl/certs/ca-certificates.crt
	printf 'rotad:x:65532:65532:rotad:/var/lib/rotad:/sbin/nologin\n' > $(OUT)/files/etc/passwd
	printf 'rotad:x:65532:\n' > $(OUT)/files/etc/group
	$(BUILD) -o $(OUT)/files/rotad ./cmd/rotad

# buildah and podman give every file in the image the time of the commit, and so the same digest to each build of it.
# Their format (OCI) has no place for the health check; docker's has one, but also names a container that is never the same.
ENGINE = $(or $(DOCKER),docker)
EPOCH  = $(shell git log -1 --format=%ct)
image: ## the container image, with docker or whatever DOCKER names
	SOURCE_DATE_EPOCH=$(EPOCH) $(ENGINE) build $(if $(filter docker,$(notdir $(ENGINE))),,--timestamp $(EPOCH)) \
		--build-arg VERSION=$$(tools/release/version) --build-arg COMMIT=$$(git rev-parse HEAD) -t rotad .

DIST   := dist
ARCHES := amd64 arm64
release: $(NFPM) ## binaries, packages, SBOMs and checksums of the commit that is checked out, in DIST
	PATH=$(RELEASE_TOOLS):$$PATH tools/release/release $(DIST) $(ARCHES)

# The parts of the proof, each at full size; docs/proof.md says what they show. The rest of the build runs them small.
sim: ## every fault, action and pair, and a million seeds; SLICE=1 every fault and act alone, as CI runs, REPLAY="..." one schedule
	$(GO) run ./internal/sim/simulate $(if $(SLICE),-pairs=false -seeds=0) $(if $(REPLAY),-replay '$(REPLAY)')

years: ## a thousand fleet-years, and a year of five thousand clients
	ROTAD_YEARS=$(or $(N),1000) $(GO) test -count=1 -timeout 60m -v ./internal/years

kills: ## ten thousand kills of the running daemon; N=500 fewer
	cd test && ROTAD_KILLS=$(or $(N),10000) $(GO) test -count=1 -timeout 180m -v ./kills

mails: ## a thousand kills of the daemon while it sends mails; N=100 fewer
	cd test && ROTAD_MAIL_KILLS=$(or $(N),1000) $(GO) test -count=1 -timeout 90m -v ./mailkills

power: ## a thousand power cuts, and two hundred full disks; N=100 fewer cuts
	cd test && ROTAD_POWER_CUTS=$(or $(N),1000) ROTAD_POWER_FULL=200 $(GO) test -count=1 -timeout 90m -v ./power

wire: ## every fault of a network line between the daemon and its servers
	cd test && ROTAD_WIRE=all $(GO) test -count=1 -timeout 60m -v ./wire

mutants: ## deliberate breaks, each killed by a named test; RUN=regexp, EVERY=10 for the slice of this commit
	$(GO) run ./internal/mutants $(if $(EVERY),-every $(EVERY)) $(if $(RUN),-run '$(RUN)')

canary: ## a million secrets through the whole program, searched for in every byte that leaves it; N=20000 fewer
	ROTAD_CANARY_SECRETS=$(or $(N),1000000) $(GO) test -count=1 -timeout 90m -parallel 3 -v -run WholePipeline ./internal/canary

TIME ?= 10s
fuzz: ## every fuzz target for TIME; executions and crashers
	$(GO) run ./internal/proof/fuzz -time $(TIME)

# Each result is kept as soon as its part is finished; a part that has one from the same source is skipped.
proof: ## the parts of the proof, at full size, into docs/proof.md; PARTS="sim kills" some, AGAIN=1 none skipped, DIRTY=1 despite changes
	$(GO) run ./internal/proof/table $(if $(DIRTY),-allow-dirty) $(if $(AGAIN),-again) $(PARTS)

ci: ## all of it, with the time of each part; .ci/run prepares a machine and runs this
	@for part in lint vet race integration packaging 'sim SLICE=1' 'mutants EVERY=10'; do \
		begin=$$SECONDS; $(MAKE) --no-print-directory $$part; \
		echo "== $$part: $$((SECONDS - begin)) s"; \
	done

$(LINT): tools/go.mod tools/go.sum
	@mkdir -p $(TOOLS)
	cd tools && CGO_ENABLED=0 GOBIN=$(TOOLS) GOFLAGS=-trimpath $(GO) install tool
	@touch $(LINT)

$(NFPM): tools/release/go.mod tools/release/go.sum
	@mkdir -p $(RELEASE_TOOLS)
	cd tools/release && CGO_ENABLED=0 GOOS= GOARCH= GOBIN=$(RELEASE_TOOLS) GOFLAGS=-trimpath $(GO) install tool
	@touch $(NFPM)
