# ports.sh - to be sourced by bash: ports that no other test takes.
#
# A port that is found free may be somebody else's before it is bound, and one whose broker is killed may be so before
# the next broker is there. So a test has a block of ports to itself as long as it lives: whoever holds the lock of
# the block's file. tests/system/ports.c does the same.

# Sets `base`: base … base+63 are this shell's, and nobody listens at base+1 … base+9 now.
ports_take() {
    local folder=${TMPDIR:-/tmp}/estelam-test-ports block port
    mkdir -p "$folder" && chmod 0777 "$folder" 2>/dev/null
    for block in $(shuf -i 0-264); do # below the ports that the system gives to whoever connects
        { exec 9>>"$folder/$block"; } 2>/dev/null || continue
        flock -n 9 || continue
        base=$((15000 + 64 * block))
        for port in {1..9}; do
            if (exec 8<>"/dev/tcp/127.0.0.1/$((base + port))") 2>/dev/null; then continue 2; fi
        done
        return 0
    done
    echo "FAILED: no free ports"
    exit 1
}
