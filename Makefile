# One command to work, one to prove:
#
#   make run     open the window on the practice workspace (without a display: drive it unseen)
#   make test    everything that is checked; what CI runs
#   make check   the quick part of it, for the loop while writing
#   make setup   Debian packages and npm packages; the others do it first
#   make bench   measure
#   make torture       try to lose, double or forge credits, in minutes; test does it too
#   make torture-full  the same for an hour, and many more random calls on every kind of record
#
# Rust and Node are the only things that must be there already.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:

target := $(or $(CARGO_TARGET_DIR),target)
# Two sets of features, each always spelled the same, so that nothing is built a third time.
headless := --locked --workspace --no-default-features
desktop := --locked --workspace
# The programs for the checks, with the features that the tests were built with: nothing is built a second time.
checked_bins := $(desktop) --bins --tests

ui_sources := $(shell find ui -path ui/node_modules -prune -o -path ui/dist -prune -o -type f -print)

.PHONY: run test check setup bench generated fmt ui-checks headless desktop foreign specs e2e torture torture-full

run: setup ui/dist/index.html
	cargo build $(desktop) --bins
	if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then
	  $(target)/debug/makegood
	else
	  echo 'There is no display: the window opens on one that nobody sees, and does its main job there.'
	  $(target)/debug/e2e --window $(target)/debug/makegood --pictures $(target)/tour recovers restores
	fi

test: setup fmt ui-checks headless desktop foreign torture e2e

check: setup fmt
	cargo clippy $(headless) --all-targets -- -D warnings
	cargo test $(headless) --lib
	npm --prefix ui run check

setup: ui/node_modules/.package-lock.json

ui/node_modules/.package-lock.json: ui/package-lock.json .ci/debian-packages
	.ci/debian-packages
	npm --prefix ui ci --no-audit --no-fund
	touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json $(ui_sources)
	npm --prefix ui run build
	touch $@

fmt:
	cargo fmt --all -- --check

ui-checks: setup
	npm --prefix ui run check
	npm --prefix ui run lint
	npm --prefix ui run test

# That everything but the window compiles without Tauri and WebKit. Its tests are run with the rest: one
# build fewer, and the same code.
headless: setup
	cargo clippy $(headless) --all-targets -- -D warnings

# The rules, the cases, the stores, the shell and the rights compiled into it, the tidiness of the house,
# and that generated files are fresh.
desktop: setup ui/dist/index.html
	cargo clippy $(desktop) --all-targets -- -D warnings
	cargo test $(desktop)

# Clients that nobody here wrote talk to makegoodctl, and the vault to servers that nobody here wrote.
foreign: setup ui/dist/index.html
	cargo build $(checked_bins)
	tests/foreign/check $(target)
	tests/foreign/servers $(target) $(desktop)

# The adapters against servers made from the vendors' own API documents, of which MAKEGOOD_PROVIDER_SPECS
# names a folder.
specs:
	cargo test -p makegood-connectors --test specs

# Killed processes, cut power, races, forged SQL: see tests/torture.
torture: setup ui/dist/index.html
	cargo build $(checked_bins)
	$(target)/debug/torture quick

torture-full: setup ui/dist/index.html
	cargo build $(checked_bins)
	$(target)/debug/torture full
	MAKEGOOD_SEEDS=400 cargo test $(desktop) --lib -- random_calls

e2e: setup ui/dist/index.html
	cargo build $(checked_bins)
	$(target)/debug/e2e --window $(target)/debug/makegood --pictures $(target)/e2e

# Writes the window's side of the contract anew, and the schemas of the events.
generated:
	MAKEGOOD_WRITE_GENERATED=1 cargo test $(headless) --lib -- contract::typescript events::schema

bench: setup
	cargo bench $(headless) $(foreach name,desk serve intake money transfer vault,--bench $(name))
