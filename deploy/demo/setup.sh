#!/bin/sh
# Makes a whole small city in one folder: keys, broker.yaml, accounts.yaml, client.yaml, one agent file
# and one database per department. Everything in the databases is made up.
#
#     deploy/demo/setup.sh DIR PORTBASE
#
# DIR is made if need be and should be private; requesters, departments and operators get the ports
# PORTBASE+1, +2 and +3 on the loopback interface, the HTTP door PORTBASE+4. Needs sh, sqlite3 and the
# `estelam` program on PATH.
# Keys are made here and nowhere else: none is kept in the repository.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 DIR PORTBASE" >&2
    exit 64
fi
umask 077
demo=$(cd "$(dirname "$0")" && pwd)
tehran=$(cd "$demo/../tehran" && pwd)
mkdir -p "$1/db" "$1/agents"
dir=$(cd "$1" && pwd)
host=tcp://127.0.0.1
requesters=$host:$(($2 + 1))
departments=$host:$(($2 + 2))
operators=$host:$(($2 + 3))

# The text of a key file's public half.
public_of() {
    sed -n 's/^public: *"\(.*\)" *$/\1/p' "$dir/$1.key"
}
# The text between the quotes of a sed replacement: what sed would read as its own is escaped.
escaped() {
    printf '%s' "$1" | sed 's/[\\&|]/\\&/g'
}

key_make() {
    [ -s "$dir/$1.key" ] || estelam key new --out "$dir/$1.key" >/dev/null
}

account_write() { # name, role, the rest of the map
    printf '  %s: {role: %s, %skeys: [{public: "%s"}]}\n' "$1" "$2" "$3" "$(public_of "$1")"
}

department_make() {
    name=$1
    key_make "$name-agent"
    sed -e "s|@SERVER_KEY@|$(escaped "$server")|" -e "s|@ENDPOINT@|$departments|" \
        -e "s|@DIR@|$(escaped "$dir")|" -e "s|@DEMO@|$(escaped "$demo")|" \
        "$demo/agents/$name.yaml" >"$dir/agents/$name.yaml"
    if [ -f "$demo/sql/$name.sql" ]; then
        rm -f "$dir/db/$name.db"
        sqlite3 -bail -cmd "PRAGMA synchronous = OFF" "$dir/db/$name.db" <"$demo/sql/$name.sql"
    fi
}

for key in broker portal web duty watch chief; do
    key_make "$key"
done
server=$(public_of broker)

{
    echo "# Written by setup.sh."
    echo "accounts:"
    account_write portal requester 'title: "Permits portal (demo)", asks: [{types: all, purposes: [permit]}], '
    account_write web requester 'title: "The HTTP door (demo)", asks: [{types: all, purposes: [permit]}], '
    account_write watch operator 'title: "Sees counts only (demo)", level: observer, '
    account_write duty operator 'title: "On duty (demo)", level: operator, '
    account_write chief operator 'title: "Administrator (demo)", level: administrator, '
    for file in "$demo"/agents/*.yaml; do
        name=$(basename "$file" .yaml)
        department_make "$name"
        account_write "$name-agent" department "department: $name, "
    done
} >"$dir/accounts.yaml"

cat >"$dir/broker.yaml" <<END
# Written by setup.sh.
catalogue: "$tehran"
accounts: accounts.yaml
store: {directory: store, size_max: 4 GiB}
security: curve
key: broker.key
listen: {requesters: "$requesters", departments: "$departments", operators: "$operators"}
END

cat >"$dir/client.yaml" <<END
# Written by setup.sh.
server_key: "$server"
catalogue: "$tehran"
requester:
  {account: portal, key: portal.key, endpoints: ["$requesters"], purpose: permit,
   test: [nosazi.bedehi, nz=1-1-1-1-0-0-0]}
operator: {account: chief, key: chief.key, endpoints: ["$operators"]}
END

# The other levels, each a profile of its own: estelam queues --profile watch.yaml
for level in watch duty; do
    cat >"$dir/$level.yaml" <<END
# Written by setup.sh.
server_key: "$server"
catalogue: "$tehran"
operator: {account: $level, key: $level.key, endpoints: ["$operators"]}
END
done

# --- The HTTP door ------------------------------------------------------------------------------------

# One token for each role; each is shown once, so it goes to a file of its own beside the hashes.
token_make() { # file, account, scopes, title
    [ -s "$dir/tokens/$1" ] || estelam token new --account "$2" --scopes "$3" --title "$4" \
        --file "$dir/tokens.yaml" >"$dir/tokens/$1" 2>/dev/null
}
mkdir -p "$dir/tokens"
token_make portal web submit,read,events,webhooks "the portal's back end (demo)"
token_make watch watch watch "an observer (demo)"
token_make duty duty watch,read,events,operate "an operator on duty (demo)"
token_make chief chief watch,read,events,operate,administer "the administrator (demo)"

# A sample for each inquiry of the permit, by which a department can be tried.
{
    echo "# Written by setup.sh."
    echo "samples:"
    while IFS= read -r line; do
        type=$(printf '%s' "$line" | sed 's/^{"type":"\([^"]*\)".*/\1/')
        printf '  %s: %s\n' "$type" "$line"
    done <"$demo/permit.jsonl"
} >"$dir/samples.yaml"

# The web console, where it was built: by `cmake --build build --target console` or by `npm run build`.
console=
for place in "${ESTELAM_CONSOLE:-}" "$demo/../../build/share/estelam/console" "$demo/../../broker/console/dist"; do
    if [ -z "$console" ] && [ -f "$place/index.html" ]; then
        console=$(cd "$place" && pwd)
    fi
done
{
    cat <<END
# Written by setup.sh.
listen: "127.0.0.1:$(($2 + 4))"
broker: {server_key: "$server", requesters: ["$requesters"], operators: ["$operators"]}
accounts:
  web: {role: requester, key: web.key}
  duty: {role: operator, key: duty.key}
  watch: {role: operator, key: watch.key}
  chief: {role: operator, key: chief.key}
feed: duty
tokens: tokens.yaml
state: gateway
catalogue: "$tehran"
tests: {account: web, samples: samples.yaml}
END
    if [ -n "$console" ]; then
        printf 'console: "%s"\n' "$console"
    fi
} >"$dir/gateway.yaml"
