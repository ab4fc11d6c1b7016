#!/bin/bash
# check.sh - `estelam check` against a real broker, CURVE on: each check in each state that it can be
# brought into. Waits are for events.
#
#     check.sh BIN SETUP        the folder of the programs, and deploy/demo/setup.sh
set -u
bin=$1 setup=$2
PATH=$bin:$PATH
dir=$(mktemp -d) broker='' agent='' failed=0 passed=0
. "$(dirname "$0")/../ports.sh"
unset ESTELAM_PROFILE ESTELAM_CATALOGUE

finish() {
    for pid in $agent $broker; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    [ $failed -eq 0 ] || cat "$dir/agent.log"
    rm -rf "$dir"
}
trap finish EXIT

# claim "words" STATUS TEXT WORD...: ends with STATUS, says TEXT (a pattern) on standard output,
# and nothing on standard error.
claim() {
    local words=$1 status=$2 text=$3 got
    shift 3
    timeout 60 estelam "$@" >"$dir/out" 2>"$dir/err" </dev/null
    got=$?
    if [ $got -eq "$status" ] && grep -qE -- "$text" "$dir/out" && [ ! -s "$dir/err" ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $words: status $got, not $status, or nothing like /$text/ in:"
    sed 's/^/    /' "$dir/out" "$dir/err"
}

broker_start() {
    mkfifo "$dir/doors"
    estelam-broker --config broker.yaml >"$dir/doors" 2>>"$dir/broker.log" &
    broker=$!
    exec 3<"$dir/doors"
    for _ in 1 2 3; do
        read -r -t 20 line <&3 || { cat "$dir/broker.log"; echo "FAILED: the broker does not start"; exit 1; }
    done
    rm "$dir/doors"
}
agent_start() {
    estelam-agent --config "agents/$1.yaml" >"$dir/agent.log" 2>&1 &
    agent=$!
    local deadline=$((SECONDS + 20)) # how long its start takes is no part of a round trip
    until grep -q connected "$dir/agent.log" || ((SECONDS > deadline)); do read -rt 0.05 <> <(:); done
}
agent_stop() {
    kill "$agent"
    wait "$agent"
    agent=''
}

ports_take
"$setup" "$dir/city" $base >/dev/null || exit 1
cd "$dir/city" || exit 1
broker_start

claim "ready" 0 '^READY OK - the broker takes inquiries.* \| .answer.=[0-9.]+s;20;40;0; ' check ready --critical 40 --warning 20
claim "too slow an answer" 2 '^READY CRITICAL' check ready --critical 0
claim "nothing waits" 0 '^QUEUE-AGE OK - nothing waits' check queue-age
claim "all served" 0 '^AGENTS OK' check agents
claim "nothing parked" 0 '^PARKED OK' check parked
claim "room in the store" 0 "^DISK OK - .*'full'=[0-9.]+%;60;75;0;100" check disk
claim "less room than wished" 2 '^DISK CRITICAL' check disk --critical 100TiB
claim "in percent" 1 '^DISK WARNING' check disk --warning 0%
claim "no key has an end" 0 '^KEY-EXPIRY OK - none of [0-9]+ keys has an end' check key-expiry
sed -i "/^  nosazi-agent:/s|\"}\]}|\", until: $(date -u -d '+20 days' +%F)}]}|" accounts.yaml
kill -HUP "$broker"
deadline=$((SECONDS + 20))
until estelam check key-expiry | grep -q '^KEY-EXPIRY WARNING' || ((SECONDS > deadline)); do read -rt 0.05 <> <(:); done
claim "one has, before long" 1 "^KEY-EXPIRY WARNING - the first key to end is that of nosazi-agent .{8}, in (19|20) d; .*'nosazi-agent .{8}'=[0-9.]+s;2592000:;604800:;0;" check key-expiry
public=$(estelam key new --out old.key | sed 's/&/\\&/g')
sed -i "/^  nosazi-agent:/s|keys: \[|keys: [{public: \"$public\", until: 2020-01-01}, |" accounts.yaml
kill -HUP "$broker"
deadline=$((SECONDS + 20))
until estelam keys | grep -q "nosazi-agent.*2020" || ((SECONDS > deadline)); do read -rt 0.05 <> <(:); done
claim "one that was changed in time says nothing" 1 "^KEY-EXPIRY WARNING - the first key to end is that of nosazi-agent .{8}, in (19|20) d; " check key-expiry
claim "too soon" 2 '^KEY-EXPIRY CRITICAL' check key-expiry --critical '25 d'
claim "soon enough" 0 '^KEY-EXPIRY OK' check key-expiry --warning '2 d' --critical '1 d'
claim "json" 0 '^\{"check":"disk","state":"OK","status":0,' check disk --json
claim "the same by --format" 0 '^\{"check":"disk",' check disk --format json
claim "text" 0 '^DISK OK: ' check disk --format text
claim "prometheus" 0 '^estelam_check_state\{check="disk"\} 0$' check disk --format prometheus

claim "nobody answers the test inquiry" 2 '^ROUNDTRIP CRITICAL - nosazi.bedehi has no answer: inquiry [0-9]+ is waiting' \
    check roundtrip --timeout 4
claim "work waits for nobody" 2 '^AGENTS CRITICAL - work waits and no agent serves it: nosazi 1 ' check agents
claim "as many as are allowed" 0 '^AGENTS OK' check agents --warning 1 --critical 5
claim "elsewhere all is well" 0 '^AGENTS OK' check agents --department bargh
claim "it grows old" 1 '^QUEUE-AGE WARNING - the oldest waits for .* \(nosazi, district 1\), 1 wait' check queue-age -w 0
claim "too old" 2 "'oldest_nosazi'=[0-9.]+s;900;0.001;0;" check queue-age --critical 1ms

estelam pause nosazi --reason test >/dev/null 2>&1
claim "a deliberate pause wakes nobody" 1 '^AGENTS WARNING - work waits and no agent serves it: nosazi [0-9]+ \(paused\) ' check agents
claim "of a paused department it is said" 1 'nosazi, district 1, paused' check queue-age -w 0
estelam resume nosazi --reason test >/dev/null 2>&1
agent_start nosazi
claim "the profile's test inquiry comes back" 0 "^ROUNDTRIP OK - nosazi answered negative in .* \| 'time'=[0-9.]+s;5;30;0;" \
    check roundtrip --timeout 30
claim "and one that is stated" 0 '^ROUNDTRIP OK - nosazi answered' check roundtrip nosazi.bedehi nz=2-1-1-1-0-0-0 --timeout 30
claim "too slow" 1 '^ROUNDTRIP WARNING' check roundtrip --warning 0 --timeout 30
claim "an ill-formed one says nothing of the service" 3 '^ROUNDTRIP UNKNOWN - .*INVALID_BODY' check roundtrip nosazi.bedehi nz=x
claim "nor an unknown type" 3 'UNKNOWN_TYPE' check roundtrip nosazi.frob nz=1-1-1-1-0-0-0
claim "nor what is no type at all" 3 'UNKNOWN - INVALID_FIELD|UNKNOWN - NOT_ALLOWED' check queue-age --department frob
agent_stop

agent_start fazasabz
timeout 20 estelam submit fazasabz.bagh nz=1-1-1-1-0-0-0 --wait=20 >"$dir/out" 2>&1
timeout 20 estelam submit fazasabz.ghat nz=1-1-1-1-0-0-0 'trees:=[{"species":"chenar","cm":90}]' reason=test >"$dir/out" 2>&1
claim "an agent for another type of the department serves it not" 2 \
    '^AGENTS CRITICAL - work waits and no agent serves it: fazasabz 1 ' check agents
agent_stop

sed '/^sql:/,$d' agents/nosazi.yaml >agents/refuses.yaml
printf 'exec:\n  command: ["./refuse.sh"]\n  types: [nosazi.bedehi]\n' >>agents/refuses.yaml
printf '#!/bin/sh\ncat >/dev/null\nexit 65\n' >agents/refuse.sh
chmod 700 agents/refuse.sh
agent_start refuses
claim "what is parked has no answer" 2 '^ROUNDTRIP CRITICAL - .* is parked' check roundtrip --timeout 30
claim "a parked one is a warning" 1 "^PARKED WARNING - 1 parked, most of them at nosazi.* \| 'parked'=1;0;100;0;" check parked
claim "or worse" 2 '^PARKED CRITICAL' check parked --critical 0
agent_stop

estelam drain --reason test >/dev/null
claim "draining" 1 '^READY WARNING - the broker is draining' check ready --critical 40 --warning 20
claim "is no service" 2 '^ROUNDTRIP CRITICAL - .* was refused: DRAINING' check roundtrip --timeout 30
estelam drain --off --reason test >/dev/null

sed '/^ *test:/d; s/purpose: permit,/purpose: permit}/' "$dir/city/client.yaml" | sed 's/^   test.*//' >other.yaml
claim "no test inquiry is stated" 3 '^ROUNDTRIP UNKNOWN - .*requester\.test' check roundtrip --profile other.yaml
estelam key new --out stranger.key >/dev/null
sed 's/chief\.key/stranger.key/' client.yaml >other.yaml
claim "a stranger's key judges nothing" 3 '^READY UNKNOWN - NOT_ALLOWED' check ready --profile other.yaml --timeout 30
kill "$broker"
wait "$broker" 2>/dev/null
broker=''
claim "a broker that is gone" 2 '^READY CRITICAL - UNREACHABLE' check ready --timeout 1
claim "is critical to every check" 2 '^DISK CRITICAL - UNREACHABLE' check disk --timeout 1

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]
