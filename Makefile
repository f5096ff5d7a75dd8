# `make help` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help

.PHONY: help run build test race soak fuzz bench lint generate setup clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Run everything on this machine: servers, API, worker, demo data
	@exec bin/watchparty dev

build: setup ## Build bin/watchparty
	@go build -o bin/watchparty ./cmd/watchparty

# The longest package begins first, beside two that wait for most of their time. make lint vets.
test: ## Run every test on real servers
	@deploy/setup.sh test
	go test -timeout 15m -vet off -ldflags -w ./e2e ./worker ./live ./store ./...
	cd deploy/monitoring/check && go test ./...

race: ## Run every test with the race detector
	@deploy/setup.sh test
	go test -race -timeout 30m ./...

soak: ## Run the storms at their full size, with what they did as a table
	@deploy/setup.sh test
	go test -timeout 60m -v -count 1 ./e2e -run '^TestMailStorm$$' \
		-storm.users 500 -storm.kills 5 -storm.restarts 2 -storm.patience 40m
	go test -timeout 60m -v -count 1 ./avatar -run '^TestMemoryStays$$' -avatar.pictures 5000
	go test -timeout 30m -count 1 ./store -run '^TestListPlans$$' -plans.whole
	go test -timeout 30m -count 1 ./coherence -run '^TestModel$$' -model.whole
	go test -timeout 30m -v -count 1 ./e2e -run '^TestNoReadIsStale$$' -coherence.whole
	go test -timeout 30m -v -count 1 ./e2e -run '^TestEveryRuleIsNeeded$$' -coherence.rules
	go test -count 1 ./e2e -run '^TestBackgroundTab$$' -background.hidden 1m
	go test -timeout 180m -v -count 1 ./live/rules -run '^TestRules$$' -rules.whole
	LOCK_ROUNDS=20 go test -timeout 60m -count 1 ./store -run '^TestNoDeadlocks$$'

FUZZTIME ?= 60s
fuzz: setup ## Fuzz each fuzz target for FUZZTIME (60s)
	@for target in avatar:FuzzRender avatar/probe:FuzzCheck cache:FuzzDecode mail:FuzzRedact store:FuzzSearch \
		.:FuzzNormalPassword api:FuzzRequests live/wire:FuzzDecodeClient playback:FuzzTrace playback:FuzzCommand; do \
		go test "./$${target%%:*}" -run '^$$' -fuzz "^$${target##*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x || \
			exit 1; \
	done

bench: ## Run the benchmarks and write bench/RESULTS.md
	@deploy/setup.sh bench
	go run ./bench

# What make generate makes from the contract.
GENERATED := api/contract/contract.gen.go clients/typescript/src/schema.ts clients/typescript/src/live/schema.ts \
	web/assets/watch.js

lint: ## Check formatting, code, workflows' determinism, the contract, and that generated files are up to date
	@deploy/setup.sh lint
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'gofmt -w these files'; exit 1; }
	go vet ./...
	bin/golangci-lint run ./...
	cd deploy/kubernetes/check && go vet -mod=mod ./... && ../../../bin/golangci-lint run ./... && \
		go test -mod=mod ./... && go run -mod=mod .
	bin/workflowcheck ./workflows/...
	clients/typescript/node_modules/.bin/tsc --project web/watch
	npm run --silent --prefix api/lint spectral
	npm run --silent --prefix api/lint redocly
	npm run --silent --prefix api/lint generated
	api/lint/breaking.sh
	@for file in $(GENERATED); do mkdir -p bin/committed/$${file%/*} && cp $$file bin/committed/$$file; done
	@$(MAKE) --no-print-directory generate
	@for file in $(GENERATED); do cmp -s $$file bin/committed/$$file || \
		{ echo "make generate has changed $$file: commit that"; exit 1; }; done

generate: ## Generate the server's code, the client's types, .env.example and docs/settings.md
	@deploy/setup.sh lint
	go generate ./api/contract
	npm run --silent --prefix clients/typescript generate
	go generate ./web
	go run ./cmd/watchparty settings > bin/settings && mv bin/settings .env.example
	go run ./cmd/watchparty settings --markdown > bin/settings && mv bin/settings docs/settings.md

setup: ## Install what is missing to build and run
	@deploy/setup.sh run

clean: ## Remove what was built, and the development stack's data
	rm -rf bin/watchparty .watchparty
