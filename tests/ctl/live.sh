#!/bin/bash
# live.sh - the command line against a real broker and one real agent, CURVE on: every door, every
# exit status. Waits are for events: a door that listens, an answer that comes.
#
#     live.sh BIN SETUP        the folder of the programs, and deploy/demo/setup.sh
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
    rm -rf "$dir"
}
trap finish EXIT

# claim "words" STATUS TEXT command...: the command ends with STATUS and says TEXT (a pattern).
claim() {
    local words=$1 status=$2 text=$3 got
    shift 3
    "$@" >"$dir/out" 2>"$dir/err" </dev/null
    got=$?
    cat "$dir/out" "$dir/err" >"$dir/said"
    if [ $got -eq "$status" ] && { [ -z "$text" ] || grep -qE -- "$text" "$dir/said"; }; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $words: status $got, not $status, or nothing like /$text/ in:"
    sed 's/^/    /' "$dir/said"
}

# The broker is up when each of its three doors has said so.
broker_start() {
    rm -f "$dir/doors"
    mkfifo "$dir/doors"
    estelam-broker --config broker.yaml >"$dir/doors" 2>>"$dir/broker.log" &
    broker=$!
    exec 3<"$dir/doors"
    for _ in 1 2 3; do
        read -r -t 20 line <&3 || { cat "$dir/broker.log"; echo "FAILED: the broker does not start"; exit 1; }
    done
}

agent_start() {
    estelam-agent --config "agents/$1.yaml" >"$dir/agent.log" 2>&1 &
    agent=$!
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
agent_start nosazi
nz=nz=1-1-1-1-0-0-0
ask() { estelam submit nosazi.bedehi "$@"; }

id=$(estelam id new)
claim "an answer comes" 0 '"state": "answered"' ask $nz --id "$id" --wait=30 --json
number=$(sed -n 's/.*"number": \([0-9]*\).*/\1/p' "$dir/out")
claim "the same id gives the same inquiry" 0 "\"number\": $number,\$" ask $nz --id "$id" --json
claim "and says that it is not new" 0 '"again": true' ask $nz --id "$id" --json
claim "another body under it is a conflict" 3 'estelam: CONFLICT: ' ask nz=2-1-1-1-0-0-0 --id "$id"
claim "Persian digits are the same parcel" 0 'state +answered' ask nz=۱-۱-۱-۱-۰-۰-۰ --wait=30
claim "a receipt without waiting" 0 'tracking code' ask $nz
claim "all defects are listed" 3 '^  frob: ' ask nz=23-1-1-1-0-0-0 frob=1
claim "the bad parcel among them" 3 '^  nz: ' ask nz=23-1-1-1-0-0-0 frob=1
claim "an unknown type is refused" 3 'UNKNOWN_TYPE' estelam submit nosazi.frob $nz
claim "a purpose that nobody has is refused" 3 '(NOT_ALLOWED|INVALID_FIELD)' ask $nz --purpose frob
claim "a deadline that is over is refused" 3 'DEADLINE_PASSED' ask $nz --deadline 2001-01-01T00:00:00Z

claim "status by id, with bodies" 0 'answer +debt=' estelam status "$id" --bodies
claim "status by number at the operator's door" 0 'state +answered' estelam status "$number" --operator
persian=$(printf %s "$number" | sed 's/0/۰/g; s/1/۱/g; s/2/۲/g; s/3/۳/g; s/4/۴/g; s/5/۵/g; s/6/۶/g; s/7/۷/g; s/8/۸/g; s/9/۹/g')
claim "or by that number from a Persian keyboard" 0 'state +answered' estelam status "$persian" --operator
code=$(estelam status "$id" --json | sed -n 's/.*"tracking": *"\([^"]*\)".*/\1/p')
claim "or by its tracking code, in small letters too" 0 "$id" estelam status "$(echo "$code" | tr A-Z a-z)"
claim "a code that is a slip of the pen is nobody's" 3 'NOT_FOUND' estelam status "${code%?????}ZZZZZ"
claim "the operator's timeline takes it" 0 'answered +nosazi-agent' estelam timeline "$code" --operator
claim "timeline ends with the answer" 0 'answered +nosazi-agent' estelam timeline "$number" --operator
claim "nobody's inquiry" 3 'NOT_FOUND' estelam status "$(estelam id new)"
claim "agents are shown" 0 'nosazi-agent' estelam agents
claim "of one department" 0 'no agent is connected' estelam agents --department bargh
claim "counters are shown" 0 '^[a-z_-]+ +[0-9]+$' estelam stats
claim "nothing is parked" 0 'nothing is parked' estelam parked list

for i in $(seq 500); do
    echo '{"type":"nosazi.bedehi","body":{"nz":"1-1-1-1-0-0-0"}}'
done >many.jsonl
claim "many at once are all answered" 0 '500 of 500 answered' estelam submit --batch many.jsonl --wait=60
echo '{"type":"nosazi.bedehi","body":{"nz":"x"}}' >>many.jsonl
claim "one bad among many" 3 '500 of 501 answered' estelam submit --batch many.jsonl --wait=60

claim "an inquiry is found by its number" 0 "^ *$number  .*answered" estelam inquiry list -q "$number"
claim "by its parcel from any keyboard, for programs" 0 "\"number\":$number,.*\"parcel\":\"1-1-1-1-0-0-0\"" \
    estelam inquiry list -q "parcel:۱-۱-۱-۱-۰-۰-۰ requester:portal" --limit 0 --json
all_pages='test "$(estelam inquiry list -q "type:nosazi.*" --limit 0 --json | wc -l)" -ge 1000'
claim "all pages of it, once search has caught up" 0 '' timeout 30 sh -c "until $all_pages; do :; done"
claim "they are counted" 0 '^0$' estelam inquiry list -q "state:parked" --count
claim "and come as a spreadsheet's lines" 0 '^number,id,tracking,type,' estelam inquiry list --limit 1 --csv
claim "a filter that is wrong is told where" 3 'INVALID_FIELD: .*character 7: .*did you mean .waiting.' \
    estelam inquiry list -q state:waitin
claim "a department that is not there, too" 3 'character 12: there is no department .nosazzi.; did you mean .nosazi' \
    estelam inquiry list -q department:nosazzi
claim "nothing is found quietly" 0 'no inquiry is like that' estelam inquiry list -q case:1404-99
claim "a limit is a number" 2 'limit' estelam inquiry list --limit many
claim "the index follows" 0 'state +following' estelam index status
claim "and is built again" 0 'events behind +0' estelam index rebuild --reason "a test"
claim "by an administrator" 3 'NOT_ALLOWED' estelam index rebuild --reason "a test" --profile duty.yaml
claim "with a reason" 2 'reason' estelam index rebuild
claim "it finds as before" 0 "^ *$number  .*answered" estelam inquiry list -q "$number"
claim "an observer does not search" 3 'NOT_ALLOWED' estelam inquiry list --profile watch.yaml
claim "every event is told from the first" 0 '"event":"submitted","number":[0-9]+,"type":"nosazi.bedehi"' \
    sh -c 'estelam watch --after 0 --json | head -n 3'
claim "a place that the log does not reach is said, and watching goes on from its end" 0 'the log ends at event [0-9]+, before event 900000' \
    sh -c '{ timeout 30 estelam watch --after 900000 --json & } 2>&1 >watched | { read -r line; echo "$line"
        estelam submit nosazi.bedehi nz=1-1-1-1-0-0-0 >submitted; until grep -q submitted watched; do :; done; }'
claim "a number of an event is a number" 2 'after' estelam watch --after soon

claim "a department is paused" 0 'nosazi is paused' estelam pause nosazi --reason "a test"
id=$(estelam id new)
claim "and takes inquiries" 0 'tracking code' ask $nz --id "$id"
claim "and gets nothing" 5 'state +waiting' ask $nz --id "$id" --wait=1
claim "which its queue shows" 0 '^nosazi +1 +1 .* yes *$' estelam queues --department nosazi
claim "a pause needs its reason" 2 'reason' estelam pause nosazi
claim "and a department that there is" 3 'INVALID_FIELD.*frob' estelam pause frob --reason "a test"
claim "it goes on" 0 '"paused":false' estelam resume nosazi --reason "a test" --json
claim "and answers what waited" 0 'state +answered' ask $nz --id "$id" --wait=30
number=$(estelam status "$id" --json | sed -n 's/.*"number": *\([0-9]*\).*/\1/p')
claim "what has ended stays where it is" 3 'ALREADY_FINAL' estelam redirect "$number" --district 2 --reason "a test"
claim "keys are shown" 0 '^duty +operator +operator ' estelam keys
claim "in a form for programs" 0 '"level": *"observer"' estelam keys --json
claim "the configuration is shown" 0 '^city +tehran' estelam config broker
claim "without a secret" 1 '' grep -qF -e "$(sed -n 's/^secret: *"\(.*\)"/\1/p' broker.key)" "$dir/out"
claim "an observer sees queues" 0 '' estelam queues --profile watch.yaml
claim "and no inquiry" 3 'NOT_ALLOWED.*STATUS needs the level operator' \
    estelam status "$number" --operator --profile watch.yaml
claim "an operator reads no bodies" 3 'NOT_ALLOWED' estelam status "$number" --operator --bodies --profile duty.yaml
claim "an administrator does" 0 'answer +debt=' estelam status "$number" --operator --bodies
claim "an operator does not drain" 3 'NOT_ALLOWED' estelam drain --reason test --profile duty.yaml

agent_stop
id=$(estelam id new)
claim "no agent, and a receipt" 0 'tracking code' ask $nz --id "$id"
claim "no agent, no answer in time" 5 'state +waiting' ask $nz --id "$id" --wait=1
claim "it waits in its queue" 0 '^nosazi +1 +1 ' estelam queues --department nosazi
number=$(estelam status "$id" --json | sed -n 's/.*"number": *\([0-9]*\).*/\1/p')
claim "it moves to another district" 0 "\"redirected\":$number,\"district\":6" \
    estelam redirect "$number" --district 6 --reason "a test" --json
claim "and waits there" 0 '^nosazi +6 +1 ' estelam queues --department nosazi
claim "as its timeline tells" 0 'redirected +chief .*a test' estelam timeline "$number" --operator
claim "the city has no such district" 3 'INVALID_FIELD.*district 99' estelam redirect "$number" --district 99 --reason t
claim "a district is a number" 2 'district' estelam redirect "$number" --district six --reason t
claim "back again" 0 '' estelam redirect "$number" --district 1 --reason "a test"
claim "draining waits for agents, not for what waits" 0 'draining' estelam drain --reason test --wait=5
claim "and ends" 0 'again' estelam drain --off --reason test
number=$(estelam status "$id" --json | sed -n 's/.*"number": \([0-9]*\).*/\1/p')
claim "only the parked are requeued" 3 'NOT_PARKED' estelam parked requeue "$number" --reason test
claim "it can be cancelled" 0 'cancelled' estelam cancel "$id" --reason "not needed"
claim "once" 3 'ALREADY_FINAL' estelam cancel "$id" --reason "not needed"
claim "and then it ends without an answer" 6 'state +cancelled' ask $nz --id "$id" --wait=20

claim "drain" 0 'draining' estelam drain --reason test --wait=20
claim "refuses" 3 'DRAINING' ask $nz
claim "until it is off" 0 'again' estelam drain --off --reason test
claim "then takes" 0 'tracking code' ask $nz

# An agent that refuses for good: what it refuses is parked, until an operator puts it back.
sed '/^sql:/,$d' agents/nosazi.yaml >agents/refuses.yaml
printf 'exec:\n  command: ["./refuse.sh"]\n  types: [nosazi.bedehi]\n' >>agents/refuses.yaml
printf '#!/bin/sh\ncat >/dev/null\nexit 65\n' >agents/refuse.sh
chmod 700 agents/refuse.sh
agent_start refuses
claim "nobody waits for a parked inquiry" 6 'state +parked' \
    timeout 20 estelam submit nosazi.bedehi $nz --wait=60
claim "it is listed with its reason" 0 'nosazi\.bedehi .*AGENT_REFUSED' estelam parked list
claim "a department's parked ones go back" 0 '^[0-9]+$' \
    estelam parked requeue --all --department nosazi --reason "mended"
agent_stop

# The broker dies while somebody waits: the command finds it again and has its answer.
id=$(estelam id new)
mkfifo "$dir/said-fifo"
ask $nz --id "$id" --wait=60 >"$dir/waited" 2>"$dir/said-fifo" &
waiting=$!
exec 4<"$dir/said-fifo"
read -r -t 20 line <&4
kill -9 "$broker"
wait "$broker" 2>/dev/null
broker_start
agent_start nosazi
claim "a broker that was killed loses nobody who waits" 0 '' wait "$waiting"
claim "and the answer is there" 0 'state +answered' cat "$dir/waited"

sed 's/portal\.key/duty.key/' client.yaml >other.yaml
claim "an operator's key does not open the requesters' door" 3 'NOT_ALLOWED' \
    estelam status "$id" --profile other.yaml --timeout 20
sed 's/chief\.key/duty.key/' client.yaml >other.yaml
claim "another account's key is not this account" 2 'INPUT: .*knows this key as the account duty, not as chief' \
    estelam queues --profile other.yaml --timeout 20
estelam key new --out stranger.key >stranger.public
sed 's/portal\.key/stranger.key/' client.yaml >other.yaml
claim "an unknown key is refused" 3 'NOT_ALLOWED' estelam status "$id" --profile other.yaml --timeout 20
wrong=$(sed 's/[&|\\]/\\&/g' stranger.public)
sed "s|^server_key:.*|server_key: \"$wrong\"|" client.yaml >other.yaml
claim "a wrong server key reaches nobody" 4 'UNREACHABLE' \
    estelam status "$id" --profile other.yaml --timeout 2

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]
