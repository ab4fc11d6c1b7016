#!/bin/sh
# core_symbols.sh LIBCORE - the core does no I/O, reads no clock and no environment: whatever it
# takes from outside is on this list (madvise asks for large pages). Of objects that are fat for link-time
# optimisation nm is to read the machine's code, hence no plug-in: the other half does not name what the
# compiler has built in.
set -eu
allowed=' aligned_alloc calloc free madvise malloc memcpy memset memcmp memmove __assert_fail __stack_chk_fail est_code_name event_type_name '
defined=$(nm --plugin=/dev/null -A --defined-only "$1" | awk '{print $NF}' | sort -u)
undefined=$(nm --plugin=/dev/null -A --undefined-only "$1" | awk '{print $NF}' | sort -u)
bad=''
for symbol in $undefined; do
    case $symbol in __asan_*|__ubsan_*|__start_*|__stop_*|_GLOBAL_OFFSET_TABLE_) continue ;; esac
    case "$allowed" in *" $symbol "*) continue ;; esac
    printf '%s\n' "$defined" | grep -qx "$symbol" && continue
    bad="$bad $symbol"
done
if [ -n "$bad" ]; then
    echo "the core reaches outside:$bad" >&2
    exit 1
fi
echo "the core's undefined symbols are all on the list"
