#!/usr/bin/env bash
# Start Apache Kafka for the tests, on loopback: `kafka/start.sh [1|3]` nodes, data under .kafka/.
# Prints the bootstrap address on stdout; the pid files are .kafka/nodes/<nodes>/<id>/pid.
set -euo pipefail

nodes=${1:-1}
case $nodes in
    1) first_port=19092 replication=1 in_sync=1 ;;
    3) first_port=19392 replication=3 in_sync=2 ;;
    *) echo "usage: $0 [1|3]" >&2; exit 2 ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
libs=$root/.kafka/libs
home=$root/.kafka/nodes/$nodes

if ! compgen -G "$libs/kafka_2.13-*.jar" >/dev/null; then
    mvn -q -B -f "$root/kafka/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$libs" >&2
fi
"$root/kafka/stop.sh" "$nodes"
rm -rf "$home"

# Ports: broker of node i at first_port + i - 1, its controller 100 above.
voters=() bootstrap=()
for ((id = 1; id <= nodes; id++)); do
    voters+=("$id@127.0.0.1:$((first_port + 99 + id))")
    bootstrap+=("127.0.0.1:$((first_port - 1 + id))")
done
joined() { local IFS=,; echo "$*"; }
# An array and no function: of a function in the background, $! would be a shell and not the node.
java=(java -cp "$libs/*" "-Dlog4j2.configurationFile=$root/kafka/log4j2.properties")
cluster=$("${java[@]}" -Xmx64m kafka.tools.StorageTool random-uuid 2>/dev/null)

for ((id = 1; id <= nodes; id++)); do
    node=$home/$id
    mkdir -p "$node"
    cat >"$node/server.properties" <<EOF
process.roles=broker,controller
node.id=$id
controller.quorum.voters=$(joined "${voters[@]}")
listeners=PLAINTEXT://127.0.0.1:$((first_port - 1 + id)),CONTROLLER://127.0.0.1:$((first_port + 99 + id))
advertised.listeners=PLAINTEXT://127.0.0.1:$((first_port - 1 + id))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$node/data
num.partitions=4
default.replication.factor=$replication
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replication
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$replication
transaction.state.log.min.isr=$in_sync
share.coordinator.state.topic.replication.factor=$replication
share.coordinator.state.topic.min.isr=$in_sync
group.initial.rebalance.delay.ms=200
group.min.session.timeout.ms=1000
# The tests wait for retention and compaction: look often, and delete at once.
log.initial.task.delay.ms=1000
log.retention.check.interval.ms=1000
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=16777216
log.segment.delete.delay.ms=0
broker.session.timeout.ms=6000
EOF
    "${java[@]}" -Xmx128m kafka.tools.StorageTool format -t "$cluster" -c "$node/server.properties" >"$node/format.log" 2>&1 \
        || { cat "$node/format.log" >&2; exit 1; }
    "${java[@]}" -Xms128m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 kafka.Kafka "$node/server.properties" \
        >"$node/server.log" 2>&1 &
    echo $! >"$node/pid"
    disown
    echo "node $id: pid file $node/pid, log $node/server.log" >&2
done

for ((id = 1; id <= nodes; id++)); do
    for ((tries = 0; ; tries++)); do
        if grep -q "Kafka Server started" "$home/$id/server.log"; then break; fi
        if ((tries > 600)) || ! kill -0 "$(cat "$home/$id/pid")" 2>/dev/null; then
            echo "expected node $id to start, got:" >&2
            tail -20 "$home/$id/server.log" >&2
            "$root/kafka/stop.sh" "$nodes"
            exit 1
        fi
        sleep 0.2
    done
done
joined "${bootstrap[@]}"
