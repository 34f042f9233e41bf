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

export WARMLINE_TEST_ROUNDS="${ROUNDS:-1}"
case "${1:-}" in
kill)
    "$BIN/python" -m pytest -q -m "kill and broker" tests
    exit
    ;;
kafka3)
    trap 'bash kafka/stop.sh 3' EXIT
    WARMLINE_TEST_KAFKA3=$(bash kafka/start.sh 3)
    export WARMLINE_TEST_KAFKA3
    "$BIN/python" -m pytest -q -m kafka3 tests
    exit
    ;;
esac

slow="broker or kafka or kafka3 or postgres or weights or browser or corpus or gpu or slow"
echo "== fast tests"
"$BIN/python" -m pytest -q -n auto -m "not ($slow)"

kafka=""
running=""
stop() {
    # shellcheck disable=SC2086 - several numbers
    [ -z "$running" ] || kill $running 2>/dev/null || true
    [ -z "$kafka" ] || bash kafka/stop.sh 1
}
trap stop EXIT
trap 'exit 130' INT TERM

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
    kafka=1
    WARMLINE_TEST_KAFKA=$(bash kafka/start.sh 1)
    export WARMLINE_TEST_KAFKA
else
    left_out kafka "no Java and Maven to start Apache Kafka with"
    skip kafka
fi
if ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    left_out postgres "no PostgreSQL; Debian: apt-get install postgresql"
    skip postgres
fi
if ! command -v nvidia-smi >/dev/null 2>&1; then
    left_out gpu "no CUDA device"
    skip gpu
fi
echo "== tests with servers, real weights, a browser"
# Tests of the whole program wait more than they work: the others run beside them, and so do those without recognition;
# no two that recognise speech run at once.
beside() {
    name=$1
    shift
    "$BIN/python" -m pytest -q --durations=15 "$@" >"out/$name.log" 2>&1 &
    running="$running $!"
}
beside parts -m "($slow) and not kafka3$without" --ignore tests/end_to_end tests
beside idle -m "idle$without" tests/end_to_end
program=0
"$BIN/python" -m pytest -q --durations=15 -m "($slow) and not kafka3 and not idle$without" tests/end_to_end || program=$?
for each in $running; do
    wait "$each" || program=$?
done
running=""
cat out/idle.log out/parts.log
exit $program
