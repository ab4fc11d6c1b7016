#!/bin/sh
# from_c.sh - the C program of the agent's README is built as its reader would build it, against an installed library.
#     from_c.sh BUILD README CMAKE CC FLAGS...
set -u
build=$1 readme=$2 cmake=$3 cc=$4
shift 4
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "FAILED: $1"
    cat "$folder/said"
    exit 1
}

"$cmake" --install "$build" --prefix "$folder/usr" --component library >"$folder/said" 2>&1 || fail "install"
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$readme" >"$folder/agent.c"
grep -q est_agent_run "$folder/agent.c" || fail "no program in $readme"

PKG_CONFIG_PATH=$(dirname "$(find "$folder/usr" -name estelam.pc)")
export PKG_CONFIG_PATH
"$cc" -Wall -Wextra -Werror "$@" -o "$folder/agent" "$folder/agent.c" $(pkg-config --cflags --libs estelam) \
    >"$folder/said" 2>&1 || fail "pkg-config"

# Without keys it is a program that PLAIN would let in on loopback alone: that it can be started is enough.
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export LD_LIBRARY_PATH
SERVER_KEY=short "$folder/agent" >"$folder/said" 2>&1 && fail "a key that is none was taken"
grep -q "INPUT: a file or argument is wrong" "$folder/said" || fail "what it says of a key that is none"

cat >"$folder/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.25)
project(department LANGUAGES C)
find_package(estelam REQUIRED)
add_executable(agent agent.c)
target_link_libraries(agent estelam::estelam)
EOF
"$cmake" -S "$folder" -B "$folder/b" -DCMAKE_PREFIX_PATH="$folder/usr" -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="$*" \
    >"$folder/said" 2>&1 && "$cmake" --build "$folder/b" >"$folder/said" 2>&1 || fail "find_package"
echo "ok: the README's program builds by pkg-config and by find_package"
