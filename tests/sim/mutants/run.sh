#!/bin/sh
# run.sh MUTANT ... - every deliberately broken build must be caught by some invariant. A mutant that
# survives is a hole in the simulator. Says which invariant caught each, and how soon.
set -u
# A violation leaves the broker where it stands, with what it holds: that is no leak to be told of, and telling
# it would swallow the line that says who caught the mutant.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
seeds=${SIM_MUTANT_SEEDS:-2000}
survivors=0
for mutant; do
    name=$(basename "$mutant")
    line=$("$mutant" --mutant --seeds "$seeds" 2>&1 | grep '^caught by') || line=
    if [ -n "$line" ]; then
        printf '%-28s %s\n' "${name#sim-mutant-}" "$line"
    else
        printf '%-28s SURVIVES %s seeds\n' "${name#sim-mutant-}" "$seeds"
        survivors=$((survivors + 1))
    fi
done
echo "$# mutants, $survivors survived"
[ "$survivors" -eq 0 ] && [ "$#" -gt 0 ]
