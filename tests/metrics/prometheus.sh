#!/bin/bash
# prometheus.sh - a real Prometheus scrapes a real gateway of a real city, with our rules: what it then knows
# is what happened. And every metric that rules and dashboards name is one that this gateway tells.
#
#     prometheus.sh BIN SETUP TOOLS DEPLOY      programs, setup.sh, prometheus and promtool, the folder deploy/
set -u
bin=$1 setup=$2 tools=$3 deploy=$4
PATH=$bin:$tools:$PATH
dir=$(mktemp -d) pids=() failed=0 passed=0
. "$(dirname "$0")/../ports.sh"
unset ESTELAM_PROFILE ESTELAM_CATALOGUE

finish() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    [ $failed -eq 0 ] || tail -n 5 "$dir"/*.log
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
# becomes "words" WANTED command…: the command says WANTED within 30 seconds.
becomes() {
    local words=$1 wanted=$2 deadline=$((SECONDS + 30)) seen=''
    shift 2
    while ((SECONDS < deadline)); do
        seen=$("$@" 2>&1)
        [ "$seen" = "$wanted" ] && { judge "$words" 0 ''; return; }
        read -rt 0.1 <> <(:)
    done
    judge "$words: $wanted" 1 "$seen"
}
listens() { # file, pattern: waits until a program's output says so
    local deadline=$((SECONDS + 30))
    until grep -q "$2" "$1" 2>/dev/null; do
        ((SECONDS < deadline)) || { failed=1; echo "FAILED: nothing like $2 in $1"; exit 1; }
        read -rt 0.05 <> <(:)
    done
}
get() { curl -s --max-time 10 "$@"; }

# --- A city: nosazi answers, bargh has no agent ---------------------------------------------------------

ports_take
"$setup" "$dir/city" $base >/dev/null 2>&1 || { echo "FAILED: no city"; exit 1; }
cd "$dir/city" || exit 1
estelam-broker --config broker.yaml >"$dir/broker.out" 2>"$dir/broker.log" &
pids+=($!)
listens "$dir/broker.out" '^listening operators'
estelam-agent --config agents/nosazi.yaml 2>"$dir/agent.log" &
pids+=($!)
estelam-gateway --config gateway.yaml >"$dir/gateway.out" 2>"$dir/gateway.log" &
pids+=($!)
listens "$dir/gateway.out" '^listening '
url=$(sed -n 's/^listening //p' "$dir/gateway.out")
becomes "the gateway is ready" ok get "$url/readyz"

# --- What the gateway tells -------------------------------------------------------------------------------

get "$url/metrics" >"$dir/metrics"
said=$(promtool check metrics <"$dir/metrics" 2>&1)
[ -z "$said" ]
judge "promtool has nothing to say about /metrics" $? "$said"

exported=$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$dir/metrics")
recorded=$(sed -n 's/^ *- record: //p' "$deploy"/prometheus/*.rules.yaml)
expressions() {
    sed -n 's/^ *\(expr:\)\{0,1\}\( .*\)/\2/p' "$deploy"/prometheus/*.rules.yaml | grep -v 'runbook_url\|summary\|description'
    jq -r '.panels[].targets[].expr, .templating.list[].definition // empty' "$deploy"/grafana/*.json
}
words=$(expressions | grep -oE '[a-z_:0-9]+' | grep -E '^(estelam|process)_|.:.' | sort -u)
unknown=''
for word in $words; do
    case $word in
    *:*) grep -qxF "$word" <<<"$recorded" || unknown+="$word is not recorded"$'\n' ;;
    *) grep -qxF "$(sed -E 's/_(bucket|sum|count)$//' <<<"$word")" <<<"$exported" || grep -qxF "$word" <<<"$exported" ||
        unknown+="$word is not exported"$'\n' ;;
    esac
done
[ -z "$unknown" ] && [ "$(wc -l <<<"$words")" -gt 40 ]
judge "rules and dashboards name what there is" $? "$unknown$(wc -l <<<"$words") names"

# --- Prometheus -------------------------------------------------------------------------------------------

port=$((base + 5))
sed -e "s|\"127.0.0.1:7580\"|\"${url#http://}\"|; s|_interval: 15s|_interval: 1s|" \
    -e "s|- \(estelam-.*\.rules\.yaml\)|- $deploy/prometheus/\1|" "$deploy/prometheus/prometheus.yaml" >"$dir/prometheus.yaml"
prometheus --config.file="$dir/prometheus.yaml" --storage.tsdb.path="$dir/data" --web.listen-address=127.0.0.1:$port \
    2>"$dir/prometheus.log" &
pids+=($!)
api=http://127.0.0.1:$port
status_of() { get -o /dev/null -w '%{http_code}' "$api/-/ready"; }
becomes "Prometheus is up" 200 status_of
value() { get -G "$api/api/v1/query" --data-urlencode "query=$1" | jq -r '.data.result[].value[1]'; }
becomes "the gateway is scraped" 1 value 'up{job="estelam"}'
becomes "with its broker" 1 value 'estelam_broker_up'

for _ in 1 2 3 4 5 6 7; do
    echo '{"type":"nosazi.bedehi","body":{"nz":"1-1-1-1-0-0-0"}}'
done >many.jsonl
estelam submit --batch many.jsonl --wait=30 --profile client.yaml >/dev/null 2>&1
for _ in 1 2 3; do sed -n '/"bargh.harim"/p' "$(dirname "$setup")/permit.jsonl"; done >three.jsonl
estelam submit --batch three.jsonl --wait=2 --profile client.yaml >/dev/null 2>&1
becomes "seven were leased" 7 value 'estelam_leases_total'
becomes "three wait" 3 value 'sum(estelam_inquiries{department="bargh",state="waiting"})'
becomes "for nobody" 3 value 'estelam_inquiries_unserved{department="bargh"}'
becomes "seven were answered, by the log" 7 value 'sum(estelam_inquiries_finished_total{department="nosazi"})'
becomes "ten were accepted, by the log" 10 value 'sum(estelam_inquiries_accepted_total)'
becomes "and timed" 7 value 'estelam_answer_seconds_count'
becomes "the oldest has an age" 1 value 'count(department:estelam_oldest_waiting:age_seconds{department="bargh"} > 0)'
becomes "the alert waits for its time" 1 value 'count(ALERTS{alertname="EstelamNobodyServes",department="bargh",alertstate="pending"})'
# What each panel asks is a query, and most have something to show for bargh or the city.
asked=0 empty=0 wrong=''
while IFS= read -r expr; do
    answer=$(get -G "$api/api/v1/query" --data-urlencode "query=$(sed "s/\$instance/${url#http:\/\/}/; s/\$department/bargh/" <<<"$expr")")
    asked=$((asked + 1))
    [ "$(jq -r .status <<<"$answer")" = success ] || wrong+="$expr: $answer"$'\n'
    [ "$(jq '.data.result | length' <<<"$answer")" != 0 ] || empty=$((empty + 1))
done < <(jq -r '.panels[].targets[].expr' "$deploy"/grafana/*.json)
[ -z "$wrong" ] && [ $asked -gt 50 ] && [ $((empty * 4)) -lt $asked ]
echo "dashboards: $asked asked, $empty without an answer"
judge "dashboards ask what can be answered" $? "$wrong$asked asked, $empty without an answer"

alerts=$(grep -c -- '- alert:' "$deploy"/prometheus/estelam-alerts.rules.yaml)
loaded() { get "$api/api/v1/rules?type=alert" | jq '[.data.groups[].rules[] | select(.health == "ok")] | length'; }
becomes "all alerts are loaded and well" "$alerts" loaded

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]
