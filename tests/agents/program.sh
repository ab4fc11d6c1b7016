#!/bin/sh
# program.sh - the agent as a program: its options, its complaints, its exit codes, its end by a signal.
#     program.sh PATH-OF-ESTELAM-AGENT
set -u
agent=$1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0

# expect NAME WANTED-EXIT-CODE PART-OF-THE-OUTPUT COMMAND...
expect() {
    name=$1 wanted=$2 part=$3
    shift 3
    "$@" >"$folder/output" 2>&1
    code=$?
    if [ "$code" -eq "$wanted" ] && grep -qF -- "$part" "$folder/output"; then
        echo "ok: $name"
    else
        echo "FAILED: $name: exit $code, not $wanted, or no \"$part\" in:"
        cat "$folder/output"
        failed=1
    fi
}

key='rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7'
umask 077
secret='JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6'
printf 'public: "%s"\nsecret: "%s"\n' "$key" "$secret" >"$folder/agent.key"
printf '#!/bin/sh\necho\n' >"$folder/program" && chmod 700 "$folder/program"
write() { # FILE BACK-END
    printf 'broker: {server_key: "%s", account: a, key: agent.key, endpoints: ["ipc://%s/nobody"]}\n%s\n' \
        "$key" "$folder" "$2" >"$folder/$1"
}
write good.yaml 'exec: {command: [./program]}'
write bad.yaml 'exec: {command: [./program], mode: never}'
write path.yaml 'exec: {command: [no-such-program-anywhere]}'
write sql.yaml "sql: {connection: \"Driver=SQLite3;Database=$folder/x.db\", types: {t: {select: SELECT 1 AS a, reply: {a: b}}}}"

expect help_explains_itself 0 'Exit codes' "$agent" --help
expect version_is_told 0 'estelam-agent 0' "$agent" --version
expect no_file_is_a_usage_error 2 '--config' "$agent"
expect an_unknown_option_is_a_usage_error 2 '--help' "$agent" --frobnicate
expect a_file_that_is_not_there_is_told 2 'nowhere.yaml' "$agent" --config "$folder/nowhere.yaml"
expect a_good_file_passes 0 'nothing to complain about' "$agent" --config "$folder/good.yaml" --check
expect the_word_config_may_be_left_out 0 'nothing to complain about' "$agent" "$folder/good.yaml" --check
expect two_files_are_a_usage_error 2 'one file' "$agent" "$folder/good.yaml" "$folder/good.yaml"
expect a_bad_file_is_told_with_its_place 2 'bad.yaml:2:' "$agent" --config "$folder/bad.yaml" --check
expect a_bad_file_is_not_run 2 'bad.yaml:2:' "$agent" --config "$folder/bad.yaml"
expect a_program_missing_from_path_is_told 2 'no-such-program-anywhere' "$agent" --config "$folder/path.yaml" --check
expect a_statement_is_tried_at_the_database 2 'no column "b"' "$agent" --config "$folder/sql.yaml" --check
expect lines_carry_their_level_for_the_journal 2 '<3>' env JOURNAL_STREAM=1:1 "$agent" --config "$folder/bad.yaml"

# Without a broker the agent waits for one; a signal ends it cleanly.
for signal in TERM INT; do
    : >"$folder/log"
    "$agent" --config "$folder/good.yaml" 2>"$folder/log" &
    pid=$!
    tries=0
    until grep -q 'at work' "$folder/log" || [ $tries -gt 400 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    kill -s "$signal" "$pid"
    if wait "$pid" && grep -q stopped "$folder/log"; then
        echo "ok: SIG$signal stops it with exit code 0"
    else
        echo "FAILED: SIG$signal:"
        cat "$folder/log"
        failed=1
    fi
done
exit $failed
