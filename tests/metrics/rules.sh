#!/bin/bash
# rules.sh - the alerts by themselves: promtool takes them, each fires when it should, each has its runbook and
# each runbook its alert, people can read them in both languages, dashboards are whole.
#
#     rules.sh PROMTOOL DEPLOY        the program, and the folder deploy/
set -u
promtool=$1 deploy=$2 here=$(cd "$(dirname "$0")" && pwd) failed=0 passed=0

claim() { # words, then a command that says what is wrong, if anything, and nothing else
    local words=$1 said
    shift
    if said=$("$@" 2>&1) && [ -z "$said" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $words:"
        sed 's/^/    /' <<<"$said"
    fi
}
quiet() { local said; said=$("$@" 2>&1) || { echo "$said"; return 1; }; }

alerts=$(sed -n 's/^ *- alert: //p' "$deploy"/prometheus/*.rules.yaml)
alert_part() { # alert, key: its value in the rules, without quotes
    awk -v alert="$1" -v key="$2:" '
        $1 == "-" && $2 == "alert:" { mine = $3 == alert }
        mine && $1 == key { sub(/^[^:]*: */, ""); gsub(/^\x27|\x27$/, ""); print; exit }' \
        "$deploy"/prometheus/*.rules.yaml
}

each_fires_once() { sort <<<"$alerts" | uniq -d; }
each_has_a_case() {
    for alert in $alerts; do
        grep -q "name: $alert\$" "$here/alerts.test.yaml" || echo "$alert has no case"
    done
}
each_has_a_severity() {
    for alert in $alerts; do
        alert_part "$alert" labels | grep -qE '^\{severity: (critical|warning)\}$' || echo "$alert has no severity"
    done
}
each_can_be_read() {
    for alert in $alerts; do
        for key in summary description; do
            [ -n "$(alert_part "$alert" $key)" ] || echo "$alert has no $key"
            alert_part "$alert" ${key}_fa | LC_ALL=C.UTF-8 grep -qP '[\x{0621}-\x{06CC}]{3}' || echo "$alert has no ${key}_fa in Persian"
        done
    done
}
each_has_its_runbook() {
    for alert in $alerts; do
        [ "$(alert_part "$alert" runbook_url)" = "deploy/runbooks/$alert.md" ] || echo "$alert points elsewhere"
        [ -s "$deploy/runbooks/$alert.md" ] || echo "$alert has no runbook"
    done
}
each_runbook_has_its_alert() {
    for page in "$deploy"/runbooks/*.md; do
        grep -qx "$(basename "$page" .md)" <<<"$alerts" || echo "$page: no such alert"
    done
}
# The first line is a command, then come the title, what one sees, what to do, when to escalate.
each_runbook_begins_with_a_command() {
    for page in "$deploy"/runbooks/*.md; do
        head -n 1 "$page" | grep -qE '^    (estelam|journalctl|curl|df) ' || echo "$page: its first line is no command"
        grep -qx "# $(basename "$page" .md)" "$page" || echo "$page: no title"
        for part in '| you see | it means | do |' '## Then' '## Escalate when'; do
            grep -qxF "$part" "$page" || echo "$page: no \"$part\""
        done
    done
}
runbooks_refer_to_runbooks() {
    grep -ohE '\bEstelam[A-Z][A-Za-z]+' "$deploy"/runbooks/*.md "$deploy"/prometheus/*.rules.yaml | sort -u |
        grep -vxFf <(echo "$alerts")
    true
}
dashboards_are_whole() {
    for board in "$deploy"/grafana/*.json; do
        jq -e '(.uid | length > 0) and (.title | length > 0) and (.panels | length > 5)
            and ([.panels[].id] | length == (unique | length))
            and all(.panels[]; (.title | length > 0) and (.description | length > 0) and (.targets | length > 0)
                and .gridPos.x + .gridPos.w <= 24 and all(.targets[]; .expr | length > 0))' "$board" >/dev/null ||
            echo "$board is not whole"
    done
    [ "$(jq -r .uid "$deploy"/grafana/*.json | sort | uniq -d)" = '' ] || echo "two dashboards have one uid"
}

claim "the rules are rules" quiet "$promtool" check rules "$deploy"/prometheus/*.rules.yaml
claim "the example is a configuration" quiet "$promtool" check config "$deploy/prometheus/prometheus.yaml"
claim "each alert fires when it should, and not before" quiet "$promtool" test rules "$here/alerts.test.yaml"
claim "no alert is there twice" each_fires_once
claim "each alert has a case" each_has_a_case
claim "each alert has a severity" each_has_a_severity
claim "each alert can be read, in both languages" each_can_be_read
claim "each alert has its runbook" each_has_its_runbook
claim "each runbook has its alert" each_runbook_has_its_alert
claim "each runbook begins with a command" each_runbook_begins_with_a_command
claim "runbooks refer to what there is" runbooks_refer_to_runbooks
claim "dashboards are whole" dashboards_are_whole

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]
