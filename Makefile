# Eshik: `make` lists what can be made. Everything stands on Go alone; the tests
# bring their own PostgreSQL, Redis and browser (see tools/withservers).

GO            ?= go
RELEASE       ?= $(shell git describe --tags --always --dirty 2>/dev/null)
FUZZTIME      ?= 100000x
TESTFLAGS     ?=
GOLANGCI_LINT ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
SQLC          ?= $(GO) run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
OASDIFF       ?= $(GO) run github.com/oasdiff/oasdiff@v1.37.0
MSGP          ?= $(GO) run github.com/tinylib/msgp@v1.6.5 -io=false -tests=false
OAPI_CODEGEN  ?= $(GO) run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2

# Built, not `go run`: that would turn every failing exit code into 1.
WITH_SERVERS := var/bin/withservers

.DEFAULT_GOAL := help
.PHONY: help run phone test race fuzz bench gallery flows codes contract contract-released lint vuln check docs limits access generate build hsm image clean unwatched $(WITH_SERVERS)

help: ## list what can be made
	@if [ -t 1 ]; then bold='\033[1m' plain='\033[0m'; fi; \
	awk -v bold="$$bold" -v plain="$$plain" -F ':.*## ' \
		'/^[a-z-]+:.*## / { printf "  " bold "%-18s" plain " %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the server with the sandbox world: dial *1414# at the printed address
	$(GO) run ./cmd/eshik serve

phone: ## a phone in the terminal, for a server that runs
	$(GO) run ./cmd/phone

test: $(WITH_SERVERS) ## vet, then every test: both databases, both session stores, end to end, browser
	$(GO) vet ./...
	$(WITH_SERVERS) $(GO) test -vet=off -count=1 -timeout 25m $(TESTFLAGS) ./...

# SQLite is C that was translated to Go: -race has the compiler check each of its pointers
# (checkptr) and watch each access inside the engine, which is two thirds of the time of a
# test that uses it and says nothing of our code. The driver and all else are watched.
RACE = -race '-gcflags=modernc.org/...=-d=checkptr=0' '-gcflags=modernc.org/sqlite/lib=-d=checkptr=0 -race=false'

# `check` runs each test once, which halves its time: here those that the race detector does not
# watch (./e2e, ./flowcheck, and files that are not built for it), all others under it.
unwatched: $(WITH_SERVERS)
	$(WITH_SERVERS) $(GO) test -vet=off -count=1 -timeout 25m $(TESTFLAGS) ./e2e ./flowcheck
	@set -e; for file in $$(grep -rl --include='*_test.go' '^//go:build !race' .); do \
		tests=$$(sed -n 's/^func \(Test[A-Za-z0-9_]*\)(.*/\1/p' $$file | paste -sd'|' -); \
		said=$$($(WITH_SERVERS) $(GO) test -vet=off -count=1 -timeout 25m $(TESTFLAGS) -run "^($$tests)\$$" $$(dirname $$file)) || { echo "$$said"; exit 1; }; \
		echo "$$said"; case "$$said" in *"no tests to run"*) echo "$$file: none of $$tests ran"; exit 1;; esac; \
	done

# Not ./e2e: it drives a program of its own, in which the detector would see nothing. Not ./flowcheck:
# it types at one conversation after the other, for minutes, through code that other packages race.
race: $(WITH_SERVERS) ## the tests of the packages that run in the test's own process, under the race detector
	$(WITH_SERVERS) env CGO_ENABLED=1 $(GO) test -vet=off -count=1 -timeout 30m $(RACE) $(TESTFLAGS) \
		$$($(GO) list ./... | grep -vE '/(e2e|flowcheck)$$')

fuzz: ## every fuzz target for FUZZTIME (100000x: executions; or a time, as 5m)
	scripts/fuzz.sh $(FUZZTIME)

bench: $(WITH_SERVERS) ## measure the speed table, each row beside a control; appends to var/bench.jsonl
	$(WITH_SERVERS) -durable $(GO) run ./tools/bench

gallery: ## draw the paper of each kind of certificate into docs/gallery
	mkdir -p docs/gallery
	$(GO) test -vet=off -count=1 ./services/certificate -run 'TestGallery$$' -gallery

flows: ## draw the conversation into docs/flows.md, the life of a payment into docs/payments.md
	$(GO) run ./cmd/eshik flows graph --out docs/flows.md
	$(GO) run ./cmd/eshik flows payments --out docs/payments.md

codes: ## write the published list of the REST interface's error codes
	$(GO) run ./tools/codes

contract: ## compare the REST contracts with the last release's: breaking changes must be listed as intended
	@for audience in citizen partner console; do cd api/$$audience && \
		$(OASDIFF) breaking --color never --fail-on WARN --err-ignore breaking.txt --warn-ignore breaking.txt released.yaml openapi.yaml && cd ../.. || exit 1; done

contract-released: ## at a release: what the contracts are now is what later changes are compared with
	for audience in citizen partner console; do cp api/$$audience/openapi.yaml api/$$audience/released.yaml; : > api/$$audience/breaking.txt; done

lint: docs contract ## gofmt, vet, the linters of .golangci.yml, the house's rules, and the documents
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt -w these files:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GOLANGCI_LINT) run
	$(GO) test -vet=off -count=1 ./platform
	@$(GO) run ./tools/long

access: ## write who may do what, of the contracts and the table of staff
	$(GO) run ./tools/access

limits: ## write the table of limits into the operators' guide
	$(GO) run ./tools/docs --write

docs: ## check the documents: every link leads somewhere, every setting and limit is described
	$(GO) run ./tools/docs

vuln: ## known vulnerabilities that our code calls; fails on one in a dependency
	scripts/vuln.sh

check: FUZZTIME = 10000x
check: lint vuln unwatched race fuzz ## what a change must pass: every test once, 10 000 executions of each fuzz target

generate: ## generate the typed SQL, the REST contract's types and what writes conversations anew
	$(SQLC) generate
	$(MSGP) -file platform/dialog/state.go -o platform/dialog/state_msgp.go
	$(MSGP) -unexported -file platform/session/conversation.go -o platform/session/conversation_msgp.go
	cd api/citizen && $(OAPI_CODEGEN) -config oapi.yaml openapi.yaml
	cd api/partner && $(OAPI_CODEGEN) -config oapi.yaml openapi.yaml
	cd api/console && $(OAPI_CODEGEN) -config oapi.yaml openapi.yaml

build: ## a static binary: var/bin/eshik
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.release=$(RELEASE)" -o var/bin/eshik ./cmd/eshik

hsm: ## the program that keeps the master key in a security module, which needs C: var/bin/eshik-hsm
	CGO_ENABLED=1 $(GO) build -trimpath -ldflags "-s -w" -o var/bin/eshik-hsm ./cmd/hsm

image: ## a container image: eshik:latest
	docker build --pull --build-arg RELEASE=$(RELEASE) -f deploy/Dockerfile -t eshik:latest .

clean: ## forget what was built and what the sandbox remembers
	rm -rf var

$(WITH_SERVERS):
	@mkdir -p $(@D)
	$(GO) build -o $@ ./tools/withservers
