#!/bin/sh
# Crisis management's answer to bohran.pahne, as a program started for each inquiry: the inquiry on
# standard input, the answer on standard output, and what went wrong in the exit status.
here=$(dirname "$0")
inquiry=$(cat)

if ! printf '%s' "$inquiry" | jq --exit-status '.body.geo.coordinates | length > 0' >/dev/null 2>&1; then
    echo "geo has no coordinates" >&2
    exit 65 # EX_DATAERR: nobody's second attempt will mend this
fi
if [ ! -r "$here/hazard-zones.json" ]; then
    echo "the map of hazard zones cannot be read" >&2
    exit 75 # EX_TEMPFAIL: ask again later
fi
printf '%s' "$inquiry" |
    jq --compact-output --slurpfile zones "$here/hazard-zones.json" --from-file "$here/bohran.jq" || exit 75
