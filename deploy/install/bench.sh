#!/bin/sh
# Installs what `make bench` needs beside what the tests need: the broker to compare with.
set -eu
cd "$(dirname "$0")"

./tests.sh
PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null || ./packages.sh mosquitto
