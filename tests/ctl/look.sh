#!/bin/bash
# look.sh - `estelam stat` and `estelam top` against a real broker: top in a real terminal of 80 by 24,
# which tmux holds. Waits are for what the screen shows, with a deadline.
#
#     look.sh BIN SETUP        the folder of the programs, and deploy/demo/setup.sh
set -u
bin=$1 setup=$2
PATH=$bin:$PATH
dir=$(mktemp -d) broker='' agent='' failed=0 passed=0
. "$(dirname "$0")/../ports.sh"
unset ESTELAM_PROFILE ESTELAM_CATALOGUE TMUX
export TERM=xterm-256color LC_ALL=C.UTF-8

terminal() { tmux -S "$dir/tmux" -f /dev/null "$@"; }
finish() {
    terminal kill-server 2>/dev/null
    for pid in $agent $broker; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$dir"
}
trap finish EXIT

judge() { # words, whether it holds, what was seen
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1:"
        sed 's/^/    /' <<<"$3"
    fi
}

# shows "words" TEXT: the terminal shows TEXT (a pattern) within 20 seconds. hides: no longer.
screen_waits() { # words, pattern, status of grep
    local deadline=$((SECONDS + 20)) seen=''
    while ((SECONDS < deadline)); do
        seen=$(terminal capture-pane -p 2>&1)
        grep -qE -- "$2" <<<"$seen"
        [ $? -eq "$3" ] && { judge "$1" 0 ''; return; }
        [[ $seen != "no server running"* ]] || break # top has ended, and will not show it any more
        read -rt 0.05 <> <(:)
    done
    judge "$1: /$2/" 1 "$seen"
}
shows() { screen_waits "$1" "$2" 0; }
hides() { screen_waits "$1" "$2" 1; }
press() { terminal send-keys "$@"; }

# says "words" STATUS TEXT WORD...: `estelam WORD...` ends with STATUS and says TEXT.
says() {
    local words=$1 status=$2 text=$3 seen got
    shift 3
    seen=$(timeout 60 estelam "$@" 2>&1 </dev/null)
    got=$?
    [ $got -eq "$status" ] && grep -qE -- "$text" <<<"$seen"
    judge "$words: status $got, /$text/" $? "$seen"
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

ports_take
"$setup" "$dir/city" $base >/dev/null || exit 1
cd "$dir/city" || exit 1
broker_start
estelam-agent --config agents/nosazi.yaml >"$dir/agent.log" 2>&1 &
agent=$!

# --- stat ---
mkfifo "$dir/lines"
timeout 120 estelam stat 1 100 --json >"$dir/lines" &
stat=$!
exec 4<"$dir/lines"
read -r -t 20 seen <&4
for _ in 1 2 3 4 5; do estelam submit nosazi.bedehi nz=1-1-1-1-0-0-0 --wait=30 >/dev/null 2>&1; done
# Each rate times the time since the line before, so that a pause of more than its second makes no other sum.
happened() { # rate: how much, in all lines
    jq -rs --arg rate "$1" 'def s: (.at[:19] + "Z" | fromdate) + ("0" + .at[19:26] | tonumber);
        [range(1; length) as $i | .[$i][$rate] * ((.[$i] | s) - (.[$i - 1] | s))] | add // 0 | round' <<<"$seen"
}
for _ in {1..60}; do
    read -r -t 20 line <&4 || break
    seen+=$'\n'$line
    [ "$(happened answered_per_s)" -lt 5 ] || break
done
read -r -t 20 line <&4 && seen+=$'\n'$line # nothing more comes
kill $stat
[ "$(happened submitted_per_s)" -eq 5 ] && [ "$(happened answered_per_s)" -eq 5 ]
judge "rates add up to what happened" $? "$seen"
says "a header, then a line" 0 '^ +submit/s +answer/s' stat 1 1
says "with as many columns as the header" 0 '^( +[0-9.]+){12,}$' stat 1 1
full() { timeout 20 estelam "$@" >/dev/full; }
seen=$(full stat 1 2>&1 </dev/null)
[ $? -eq 7 ] && grep -q 'standard output cannot be written: No space left on device' <<<"$seen"
judge "what cannot be written ends it, and the reason is said" $? "$seen"
says "no number" 2 'is no number from 1 to' stat often
says "nor too often" 2 'is no number from 1 to' stat 0

# --- top ---
says "top is for a terminal" 2 'this is for a terminal; --once' top
says "or once" 0 'oldest- +agents  QUEUES [0-9]+$' top --once
says "with its agents" 0 '^nosazi-agent +nosazi ' top --once
seen=$(estelam top --once)
[ "$(awk 'length > 80' <<<"$seen" | wc -l)" -eq 0 ] && [ "$(wc -l <<<"$seen")" -le 23 ]
judge "a screen is 80 by 24" $? "$seen"

terminal new-session -d -x 80 -y 24 "estelam top --profile $dir/city/client.yaml" || exit 1
shows "queues, sorted by the oldest" '^department +waiting +delayed +leased +parked +oldest- +agents  QUEUES'
shows "agents below" '^nosazi-agent +nosazi '
shows "the keys in the last line" '^q quit  Tab pane  <> by oldest .* space hold$'
press Tab
shows "the other pane is the keys' own" '<> by account'
press '>'
shows "sorted by the next column" 'department\+ +leased'
press Tab '<'
shows "and back in the first" '<> by parked'
press r
shows "the other way round" 'parked\+'

kill "$agent"
wait "$agent"
estelam submit nosazi.bedehi nz=1-1-1-1-0-0-0 >/dev/null 2>&1
shows "work without an agent is cried out" '^WORK WAITS AND NOBODY SERVES IT: nosazi/1$'
press b
shows "only the queues that hold something" 'BUSY 1$'
press b
shows "or all" 'QUEUES [0-9]+$'
press Space
shows "frozen" 'FROZEN'
press Space -
hides "and going on" 'FROZEN'
shows "faster" 'every 1 s'

terminal resize-window -x 140 -y 40
shows "a wider terminal shows more" 'AGENTS 0'
terminal resize-window -x 60 -y 12
shows "a small one the top of it" '^estelam top'
terminal resize-window -x 20 -y 4
shows "the smallest still its first words" '^estelam top  '
terminal resize-window -x 80 -y 24
shows "and all again" 'AGENTS 0$'

kill "$broker"
wait "$broker" 2>/dev/null
shows "a broker that is away is told" 'UNREACHABLE'
broker_start
hides "and found again" 'UNREACHABLE'
shows "with its queues" 'WORK WAITS'
press q
deadline=$((SECONDS + 20))
while terminal list-sessions >/dev/null 2>&1 && ((SECONDS < deadline)); do read -rt 0.05 <> <(:); done
terminal list-sessions >/dev/null 2>&1
[ $? -ne 0 ]
judge "q ends it" $? "$(terminal capture-pane -p 2>&1)"

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]
