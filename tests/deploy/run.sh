#!/bin/bash
# run.sh - `./run`: whoever asks a command for help is told, and nothing is installed, built or started.
#
#     run.sh ROOT            the folder of `run`
set -u
failed=0 passed=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A copy beside which there is nothing to build, and no program to begin anything with.
cp "$1/run" "$dir/run"
mkdir "$dir/bin"
for program in bash dirname cat; do ln -s "$(command -v $program)" "$dir/bin/$program"; done
timeout=$(command -v timeout)
run() { PATH=$dir/bin "$timeout" 20 "$dir/run" "$@" 2>&1 </dev/null; }

claim() { # words, wanted status, wanted text, what to say to `run` …
    local words=$1 status=$2 text=$3 said rc
    shift 3
    said=$(run "$@")
    rc=$?
    if [ $rc -eq "$status" ] && [ "$said" = "$text" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: status %d, and it says:\n' "$words" $rc
        sed 's/^/    /' <<<"$said" | head -n 5
    fi
}

usage=$(run help)
grep -q '^  demo ' <<<"$usage" || { echo "FAILED: no usage"; exit 1; }
for command in demo up build test guard fuzz; do
    for word in --help -h; do claim "./run $command $word" 0 "$usage" $command $word; done
done
for command in demo up build; do claim "./run $command --hlep" 2 "$usage" $command --hlep; done
claim "./run test --quick --help" 0 "$usage" test --quick --help

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]
