#!/bin/sh
# The metro's answer to metro.harim, as a long-lived program: each line that comes in is one inquiry,
# each line that goes out is its answer. jq itself is that program; it reads the corridors once.
here=$(dirname "$0")
exec jq --unbuffered --raw-input --compact-output \
    --slurpfile corridors "$here/metro-corridors.json" --from-file "$here/metro.jq"
