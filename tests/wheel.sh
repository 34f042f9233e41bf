#!/bin/sh
# The wheel in a clean environment, as a user without rights, far from the source: what the image would run.
# Not root? Then as whoever calls. PYTHON names the interpreter; KEEP=1 leaves the directory.
set -eu
cd "$(dirname "$0")/.."
WHEEL=$(ls dist/warmline-*.whl)
[ "$(printf '%s\n' "$WHEEL" | wc -l)" = 1 ] || { echo "expected one wheel in dist/, got: $WHEEL" >&2; exit 1; }

DIR=$(mktemp -d "${TMPDIR:-/tmp}/warmline-wheel.XXXXXX")
UP=
finish() {
    [ -z "$UP" ] || kill -TERM "$UP" 2>/dev/null || true
    wait
    [ -n "${KEEP:-}" ] || rm -rf "$DIR"
}
trap finish EXIT
trap 'exit 1' INT TERM

if [ "$(id -u)" = 0 ]; then
    AS_USER="setpriv --reuid=65534 --regid=65534 --clear-groups --"
else
    AS_USER=
fi

# root's own interpreter may lie where nobody else can reach it.
for python in ${PYTHON:-python3 /usr/bin/python3 /usr/local/bin/python3}; do
    if $AS_USER "$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        FOUND=$python
        break
    fi
done
[ -n "${FOUND:-}" ] || { echo "expected a Python 3.11 or newer with venv that any user can run; name it in PYTHON" >&2; exit 1; }

cp "$WHEEL" requirements/run.txt requirements/uv.txt tests/data/en_cancel_plan.wav "$DIR"
[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$DIR"
cd /
export HOME="$DIR" PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME
BIN=$DIR/venv/bin

echo "== a clean environment"
$AS_USER "$FOUND" -m venv "$DIR/venv"
PIP="$AS_USER $BIN/python -m pip install --quiet --disable-pip-version-check --no-cache-dir"
# As the Makefile does.
{ $PIP --require-hashes -r "$DIR/uv.txt" \
    && $AS_USER "$BIN/uv" pip install --quiet --no-cache --compile-bytecode --python "$BIN/python" --require-hashes -r "$DIR/run.txt"; } \
    || $PIP --require-hashes -r "$DIR/run.txt"
$PIP --no-deps "$DIR/$(basename "$WHEEL")"
$AS_USER "$BIN/python" -m pip check
du -sm "$DIR/venv" | awk '{print "environment: " $1 " MB"; exit $1 > 1200}'

echo "== names"
$AS_USER "$BIN/python" - <<'PY'
from importlib.metadata import files, packages_distributions
from pathlib import Path

# As tests/test_packaging.py; here no dependency for tests may hide one of the names.
brought = packages_distributions()
for name in ("stream", "audio", "models", "agent_assist"):
    assert set(brought.get(name, [])) == {"warmline"}, f"expected warmline alone to bring {name}, got {brought.get(name)}"
held = {str(path) for path in files("warmline") or ()}
tops = {Path(path).parts[0] for path in held} - {"stream", "audio", "models", "agent_assist"}
assert all(top.startswith(("warmline-", "..")) for top in tops), f"expected our four packages, got also {tops}"
assert not any("/pages/" in path for path in held), "expected built pages without their source"
for needed in (
    "agent_assist/web/static/index.html",
    "agent_assist/web/static/overlay.html",
    "agent_assist/advice/playbooks/default/playbook.yaml",
    "agent_assist/store/migrations/env.py",
    "agent_assist/store/migrations/versions/0001_calls.py",
    "models/phrases/zh.toml",
):
    assert needed in held, f"expected {needed} in the wheel"
print(f"{len(held)} files, names are ours alone")
PY

echo "== commands"
$AS_USER "$BIN/warmline" --version
$AS_USER "$BIN/warmline" models verify whisper-base --home "$DIR/home"
$AS_USER "$BIN/warmline" analyze "$DIR/en_cancel_plan.wav" --json --home "$DIR/home" > "$DIR/call.json"
$AS_USER "$BIN/python" - "$DIR/call.json" <<'PY'
import json
import sys

call = json.loads(open(sys.argv[1]).read())
rules = {card["rule"] for card in call["cards"]}
assert {"cancel_intent", "closing"} <= rules, f"expected the cards of this call, got {rules}"
print(f"{len(call['utterances'])} utterances, cards: {', '.join(sorted(rules))}")
PY

echo "== the whole program"
mkfifo "$DIR/ready"
$AS_USER "$BIN/warmline" up --port 0 --json --home "$DIR/home" > "$DIR/ready" 2> "$DIR/up.err" &
# A plain command, so this is warmline itself and no shell of ours.
UP=$!
timeout 120 head -n 1 "$DIR/ready" > "$DIR/addresses.json" || true
[ -s "$DIR/addresses.json" ] || { echo "expected it to start, got:" >&2; cat "$DIR/up.err" >&2; exit 1; }
$AS_USER "$BIN/python" - "$DIR/addresses.json" <<'PY'
import json
import sys
from urllib.request import Request, urlopen

found = json.loads(open(sys.argv[1]).read())


def get(path: str) -> str:
    request = Request(found["api"] + path, headers={"Authorization": f"Bearer {found['token']}"})
    with urlopen(request, timeout=10) as answer:
        return answer.read().decode()


assert get("/readyz") == "ready\n"
overlay = get("/overlay")
assert "not built" not in overlay, "expected the overlay, got the page that says it is not built"
script = overlay.partition('src="')[2].partition('"')[0]
assert len(get(script)) > 1_000, f"expected the script {script}"
assert json.loads(get("/v1/calls"))["calls"] == []
print("ready, pages served, store migrated")
PY
kill -TERM "$UP"
wait "$UP" && CODE=0 || CODE=$?
UP=
[ "$CODE" = 0 ] || { echo "expected exit code 0 on SIGTERM, got $CODE:" >&2; cat "$DIR/up.err" >&2; exit 1; }
LEFT=$(ps -eo pid=,args= | grep -F "$DIR/venv" | grep -vF grep || true)
[ -z "$LEFT" ] || { echo "expected nothing left running, got: $LEFT" >&2; exit 1; }
[ ! -e "$DIR/home/run.json" ] || { echo "expected run.json to be gone" >&2; exit 1; }
echo "stopped on SIGTERM, nothing left running"
echo "the wheel works"
