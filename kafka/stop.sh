#!/usr/bin/env bash
# Stop what kafka/start.sh started: `kafka/stop.sh [1|3]`; without a number, both.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
for nodes in ${1:-1 3}; do
    pids=()
    for file in "$root/.kafka/nodes/$nodes"/*/pid; do
        [[ -e $file ]] || continue
        pid=$(cat "$file")
        # The number may belong to another process by now.
        if [[ $(ps -o args= -p "$pid" 2>/dev/null) == *"$(dirname "$file")/server.properties"* ]]; then
            kill "$pid" && pids+=("$pid")
        fi
        rm "$file"
    done
    # A controller without its quorum does not end by itself.
    for ((tries = 0; tries < 75 && ${#pids[@]} > 0; tries++)); do
        kill -0 "${pids[@]}" 2>/dev/null || break
        sleep 0.2
    done
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
done
