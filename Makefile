# make test is all that a change must pass. What each target needs beyond Go, git
# and make, it installs or asks for.

.PHONY: build test check bench inp fuzz screenshots generate clean

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
BENCHTIME ?= 1s
FUZZTIME ?= 2m

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
	go test -p 1 -run '^$$' -bench . -benchtime $(BENCHTIME) \
	  $$(grep -rl '^func Benchmark' --include='*_test.go' . | xargs -n1 dirname | sort -u)

# From a press to the next paint in the matrix, on a processor slowed down: see
# docs/performance.md. It fails over 200 ms.
inp:
	go test -v -run '^$$' -bench MatrixInteractions -benchtime 1x ./test/bench

# Each fuzz target for longer than make test gives it, on all processors.
fuzz:
	@.ci/fuzz $(FUZZTIME)

# The pictures of README.md, taken by the browser tests.
screenshots:
	WAVEADMIN_SCREENSHOTS=$(CURDIR)/docs/screenshots go test -count=1 \
	  $$(grep -rlF '.Shot(' --include='*_test.go' . | xargs -n1 dirname | sort -u)

generate:
	go tool templ generate

clean:
	rm -rf bin
