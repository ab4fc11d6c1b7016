#!/bin/bash
# units.sh - the systemd units by their text: what must not give up does not, each user they name is made.
#
#     units.sh DEPLOY        the folder deploy/
set -u
units=$1/systemd failed=0 passed=0

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
value_of() { # unit, section, key: its values, a line each
    awk -v section="[$2]" -v key="$3=" '/^\[/ { mine = $0 == section } mine && index($0, key) == 1 {
        print substr($0, length(key) + 1) }' "$units/$1.service"
}

never_gives_up() { # unit, Restart=
    [ "$(value_of "$1" Unit StartLimitIntervalSec)" = 0 ] || echo "$1 gives up"
    [ "$(value_of "$1" Service Restart)" = "$2" ] || echo "$1 does not come back"
}
waits_for_a_person() { # unit, exit statuses of a wrong configuration, of which only the program itself can tell systemd
    [ "$(value_of "$1" Service RestartPreventExitStatus)" = "$2" ] || echo "$1 starts again with a wrong configuration"
    [ -z "$(value_of "$1" Service ExecStartPre)" ] || echo "$1 has an ExecStartPre, whose exit status is not heeded"
}
each_user_is_made() {
    for unit in "$units"/*.service; do
        user=$(value_of "$(basename "$unit" .service)" Service User)
        [ -z "$user" ] || grep -q "^u $user " "$units/estelam.sysusers" || echo "$unit: nobody makes $user"
    done
}
clock_is_right() {
    for key in After Wants; do
        value_of estelam-broker Unit $key | grep -qw time-sync.target || echo "no time-sync.target in $key"
    done
}

claim "a broker whose disk is full comes back with the room" never_gives_up estelam-broker on-failure
claim "a gateway comes back, also when somebody's kill ended it well" never_gives_up estelam-gateway always
claim "an agent comes back, also when somebody's kill ended it well" never_gives_up estelam-agent@ always
claim "a broker's wrong configuration waits for a person" waits_for_a_person estelam-broker "2 3"
claim "a gateway's wrong configuration waits for a person" waits_for_a_person estelam-gateway "2 3"
claim "an agent's wrong configuration waits for a person, and a broker that refuses it does not" waits_for_a_person estelam-agent@ 2
claim "each unit's user is made" each_user_is_made
claim "the clock is right before the broker starts" clock_is_right

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]
