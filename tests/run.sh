#!/bin/sh
# All tests that this machine has the parts for, the fast ones first; says what is left out and why.
# In CI nothing may be left out but what needs a GPU.
set -eu
cd "$(dirname "$0")/.."
BIN=${VENV:-.venv}/bin
mkdir -p out

left_out() {
    echo "left out: $1 tests ($2)"
    if [ "${CI:-}" = true ] && [ "$1" != corpus ] && [ "$1" != gpu ]; then
        echo "in CI that is a failure"
        exit 1
    fi
}

if [ "${1:-}" = kafka3 ]; then
    sh kafka/start.sh 3
    trap 'sh kafka/stop.sh' EXIT
    WARMLINE_TEST_KAFKA3=$(cat .kafka/bootstrap) WARMLINE_TEST_ROUNDS=${ROUNDS:-10} \
        "$BIN/python" -m pytest -q -m "kafka3 or (broker and kill)" tests
    exit
fi

slow="broker or kafka or kafka3 or weights or browser or corpus or gpu"
echo "== fast tests"
"$BIN/python" -m pytest -q -m "not ($slow)"

without=""
skip() {
    without="$without and not $1"
}
if [ ! -d "${WARMLINE_CORPUS:-../shared/data}" ]; then
    left_out corpus "no corpora at ${WARMLINE_CORPUS:-../shared/data}; see docs/benchmarks.md"
    skip corpus
fi
if ! command -v chromium >/dev/null 2>&1; then
    left_out browser "no chromium; Debian: apt-get install chromium"
    skip browser
fi
if command -v java >/dev/null 2>&1 && command -v mvn >/dev/null 2>&1; then
    sh kafka/start.sh 1
    trap 'sh kafka/stop.sh' EXIT
    WARMLINE_TEST_KAFKA=$(cat .kafka/bootstrap)
    export WARMLINE_TEST_KAFKA
else
    left_out kafka "no Java and Maven to start Apache Kafka with"
    skip kafka
fi
if ! command -v nvidia-smi >/dev/null 2>&1; then
    left_out gpu "no CUDA device"
    skip gpu
fi
echo "== tests with servers, real weights, a browser"
"$BIN/python" -m pytest -q -m "($slow) and not kafka3$without"
