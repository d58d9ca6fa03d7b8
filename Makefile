# make test is all that a change must pass. What each target needs beyond Go, git
# and make, it installs or asks for.

.PHONY: build test check bench bench-runs inp kill fuzz scan screenshots generate clean

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
BENCHTIME ?= 1s
FUZZTIME ?= 2m
ACCOUNTS ?= 10000

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/waveadmin ./cmd/waveadmin

test:
	@.ci/test

# Everything of make test that needs neither a browser nor a database server.
check:
	@.ci/check

# What docs/performance.md says, measured here: one package after the other, so that
# they do not disturb each other.
bench:
	go test -p 1 -timeout 1h -run '^$$' -bench . -benchtime $(BENCHTIME) \
	  $$(grep -rl '^func Benchmark' --include='*_test.go' . | xargs -n1 dirname | sort -u)

# Bulk runs against the limit of the API, with one server and with three, as a table:
# ten minutes. It fails when a call was refused or an account is not as planned.
bench-runs:
	go test -timeout 1h -run '^$$' -bench BenchmarkRun -benchtime 1x ./test/bench -accounts $(ACCOUNTS)

# From a press to the next paint in the matrix, on a processor slowed down: see
# docs/performance.md. It fails over 200 ms.
inp:
	go test -v -run '^$$' -bench MatrixInteractions -benchtime 1x ./test/bench

# The tests of bulk runs in which servers die, with a thousand accounts and fifty
# deaths each: make test has small ones.
kill:
	go test -v -count=1 -timeout 1h -run TestKill_bulk ./test/kill -accounts 1000 -deaths 50

# Each fuzz target for longer than make test gives it, on all processors.
fuzz:
	@.ci/fuzz $(FUZZTIME)

# MDN HTTP Observatory, csp_evaluator and wapiti against the program; see test/scan.
scan:
	@.ci/scan

# The pictures of README.md, taken by the browser tests.
screenshots:
	WAVEADMIN_SCREENSHOTS=$(CURDIR)/docs/screenshots go test -count=1 \
	  $$(grep -rlF '.Shot(' --include='*_test.go' . | xargs -n1 dirname | sort -u)

generate:
	go tool templ generate

clean:
	rm -rf bin
