#!/usr/bin/env bash
# guard.sh - instructions of broker, index and far ends for each inquiry, against the figures that are committed.
#
#     guard.sh PROGRAM            (./run guard) exit 0: each figure is within TOLERANCE per cent; 1: one is not
#     guard.sh PROGRAM --update   writes guard.txt anew
#     guard.sh PROGRAM --profile  the functions, the heaviest first
#
# callgrind counts what runs in the broker's two threads that have a part in each inquiry: `loop`, inside
# loop_run but without the far ends (guard.c), and `keeper`, which puts the journal into LMDB; and what
# the sessions of a requester and an agent do together, `ends`. `index` is what the search index's thread does,
# over the log of a rush and without a thread (guard_index.c). Seconds differ from one run to the next,
# these counts do not; libc is asked for the code that every x86-64 has, so that the processor makes no
# difference either, as long as it has AVX2 (utf8.c). Another compiler or another LMDB does: the figures
# are Debian 12's.
set -euo pipefail
TOLERANCE=3
program=$1 mode=${2:-check}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
figures=$here/guard.txt
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-ERMS,-FSRM

# thread, window, inquiries: enough of them for the figure to be that of the steady state
rows=("loop 1 2000" "loop 64 10000" "loop 1000 20000" "keeper 1000 20000" "ends 1000 20000" "index 1000 50000")

declare -A toggles=([loop]="--toggle-collect=loop_run --toggle-collect=far_ends_turn" [keeper]="--toggle-collect=keeper_run --toggle-collect=keeper_run.lto_priv*"
    [ends]="--toggle-collect=far_ends_turn" [index]="--toggle-collect=index_follow")
declare -A programs=([index]=${program}_index)

count() { # thread, window, inquiries: prints instructions per inquiry
    local collected
    # shellcheck disable=SC2086 # a thread's toggles are several words
    TMPDIR=$out valgrind --tool=callgrind --callgrind-out-file="$out/$1.$2" --collect-atstart=no ${toggles[$1]} \
        "${programs[$1]:-$program}" "$2" "$3" >"$out/said" 2>"$out/log" || {
        cat "$out/said" "$out/log" >&2
        echo "guard.sh: the broker did not do its work under valgrind; see above" >&2
        exit 1
    }
    collected=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$out/log")
    echo $((collected / $3))
}

case $mode in
--profile)
    for row in "${rows[@]:1}"; do
        read -r thread window inquiries <<<"$row"
        echo "$thread, W = $window: $(count "$thread" "$window" "$inquiries") instructions an inquiry"
        callgrind_annotate --auto=no --threshold=90 "$out/$thread.$window" | grep -E '^ *[0-9,]+ \(' | sed -n '1,40p'
    done
    exit
    ;;
--update)
    {
        echo "# Instructions of broker, index and far ends for each inquiry, by thread and window. Written by \`./run guard --update\`."
        for row in "${rows[@]}"; do
            read -r thread window inquiries <<<"$row"
            found=$(count "$thread" "$window" "$inquiries")
            echo "$thread $window $found"
        done
    } >"$out/figures"
    mv "$out/figures" "$figures"
    cat "$figures"
    exit
    ;;
check) ;;
*)
    echo "guard.sh: \`$mode\` is neither --update nor --profile" >&2
    exit 2
    ;;
esac

failed=0
for row in "${rows[@]}"; do
    read -r thread window inquiries <<<"$row"
    wanted=$(awk -v t="$thread" -v w="$window" '$1 == t && $2 == w { print $3 }' "$figures")
    [[ -n $wanted ]] || {
        echo "guard.txt has no line for $thread, W = $window; ./run guard --update writes it"
        exit 1
    }
    found=$(count "$thread" "$window" "$inquiries")
    tenths=$(((found - wanted) * 1000 / wanted)) # tenths of a per cent
    verdict=ok
    if ((tenths > TOLERANCE * 10)); then verdict=SLOWER failed=1; fi
    if ((tenths < -TOLERANCE * 10)); then verdict=FASTER failed=1; fi
    awk -v t="$thread" -v w="$window" -v f="$found" -v c="$wanted" -v v="$verdict" 'BEGIN {
        printf "%-6s W = %4d: %7d instructions an inquiry, committed are %7d: %+.1f %%  %s\n", t, w, f, c, (f - c) * 100 / c, v }'
done
((failed)) || exit 0
cat <<END
The main path is more than $TOLERANCE % away from tests/bench/guard.txt. SLOWER: was that
meant? \`./run guard --profile\` shows where they go. FASTER: well done, keep it.
Either way, when it is meant: ./run guard --update, and commit guard.txt with the change.
END
exit 1
