#!/bin/sh
# mutate.sh SCRIPT SOURCE COPY - breaks a copy of one source. A script that changes nothing fails:
# the source has moved on, and the mutant would be no mutant.
set -eu
sed -f "$1" "$2" >"$3"
if cmp -s "$2" "$3"; then
    echo "$1 changes nothing in $2: mend the script" >&2
    rm -f "$3"
    exit 1
fi
