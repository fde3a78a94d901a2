#!/bin/sh
# Installs what `make fuzz` needs beside a Rust toolchain: a C++ compiler, for libFuzzer, and cargo-fuzz.
set -eu
cd "$(dirname "$0")/../.."

command -v c++ >/dev/null || deploy/install/packages.sh g++

cargo_fuzz=0.13.2
if [ "$(.venv/bin/cargo-fuzz --version 2>/dev/null)" != "cargo-fuzz $cargo_fuzz" ]; then
    echo "Building cargo-fuzz $cargo_fuzz into .venv, which takes about two minutes"
    cargo install --quiet --locked --root .venv --version "$cargo_fuzz" cargo-fuzz
fi
