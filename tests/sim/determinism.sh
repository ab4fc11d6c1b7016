#!/bin/sh
# determinism.sh SIM - the same seed tells the same story, byte for byte, also in another process.
set -eu
one=$(mktemp) two=$(mktemp)
trap 'rm -f "$one" "$two"' EXIT
for seed in 1 7 42 1729 9001; do
    "$1" --seed "$seed" --story >"$one"
    "$1" --seed "$seed" --story >"$two"
    cmp "$one" "$two"
    [ "$(wc -l <"$one")" -gt 200 ]
done
