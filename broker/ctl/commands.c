/* commands.c - every command, option and word of help, once. See command.h. */
#include "command.h"
#include "run.h"

const struct exit_row EXIT_ROWS[] = {
#define EXIT_ROW(name, number, says) {number, says},
    EXITS(EXIT_ROW)
#undef EXIT_ROW
};
const size_t EXIT_ROWS_COUNT = sizeof EXIT_ROWS / sizeof EXIT_ROWS[0];

/* A table is read by its rows. */
/* clang-format off */
const struct option GLOBALS[] = {
    {.name = "profile", .value = "FILE", .words = "@file",
     .summary = "which broker and as whom (else $ESTELAM_PROFILE, ./client.yaml, /etc/estelam/client.yaml)"},
    {.name = "catalogue", .value = "FOLDER", .words = "@folder",
     .summary = "the city's catalogue (else the profile's, $ESTELAM_CATALOGUE)"},
    {.name = "timeout", .value = "SECONDS", .summary = "for reaching the broker and for its word (10)"},
    {.name = "json", .summary = "JSON for programs: one document, or one line per row"},
    {.name = NULL},
};

#define BY_OPERATOR \
    {.name = "operator", .summary = "by the operator's door, where a number names any inquiry"}
#define TOKENS_FILE \
    {.name = "file", .value = "FILE", .words = "@file", .needed = true, .summary = "the gateway's tokens file"}
#define OF_DEPARTMENT {.name = "department", .value = "NAME", .summary = "only this department's"}

const struct command COMMANDS[] = {
    {.name = "submit", .arguments = "TYPE FIELD=VALUE... | --batch FILE",
     .summary = "submit an inquiry, or many, and take the answers",
     .help = "Submits one inquiry of TYPE. FIELD=TEXT is text and FIELD:=JSON any JSON value; dots make "
             "records, as in plq.main=12. Where the catalogue is known the field's own kind decides: a "
             "number becomes a number (in Latin, Persian or Arabic digits), yes and no a boolean, "
             "repeated fields a list.\n\n"
             "The receipt means that the inquiry is on the broker's disk. With --wait the answer is "
             "waited for and acknowledged. Submitting again under the same --id never asks twice: it "
             "gives the same receipt, and with --wait the answer. An answer of any outcome, also a "
             "negative one, is an answer: the exit status is 0.\n\n"
             "A --deadline beyond the type's term (`expires` of its catalogue) is cut to it; the receipt's `due` "
             "says which holds. Days are days in Tehran.\n\n"
             "--batch reads one JSON object per line with the keys type, body, and where needed "
             "purpose, case, id, trace, deadline. It sends them all at once, waits for all the answers "
             "and prints a table. It exits with 0 only when every answer came.",
     .min = 0, .max = ARGUMENTS_ANY, .run = run_submit,
     .options = {{.name = "wait", .value = "SECONDS", .value_optional = true,
                  .summary = "wait for the answer (60 seconds where none are given; at least 1)"},
                 {.name = "purpose", .value = "PURPOSE",
                  .summary = "what it is asked for (else the profile's)"},
                 {.name = "id", .value = "UUID", .summary = "the inquiry's id (else a fresh one)"},
                 {.name = "deadline", .value = "TIME",
                  .summary = "the end of a day (1405/12/01, 2027-02-20), RFC 3339, or +SPAN from now: \"+2 h\", \"+30 d\"; never later than the type's own term"},
                 {.name = "case", .value = "ID", .summary = "the case it belongs to"},
                 {.name = "trace", .value = "TRACE",
                  .summary = "a W3C traceparent, passed on to the agent"},
                 {.name = "body", .value = "JSON", .words = "@file",
                  .summary = "the whole body, or @FILE, or @- for standard input"},
                 {.name = "batch", .value = "FILE", .words = "@file",
                  .summary = "many, from a file of JSON lines; - for standard input"}},
     .examples = {{"estelam submit nosazi.bedehi nz=1-1-1-1-0-0-0 --wait",
                   "ask for a parcel's tax debt"},
                  {"estelam submit atash.tarh nz=1-1-1-1-0-0-0 floors:=7 --body @plan.json --case 1404-17",
                   "the larger part of the body from a file"},
                  {"estelam submit --batch permit.jsonl --purpose permit --wait=30",
                   "all that a permit needs"}}},
    {.name = "status", .arguments = "ID",
     .summary = "show where an inquiry is",
     .help = "ID is the inquiry's UUID, its number or its tracking code. An inquiry can be asked after at any time, also "
             "years later. By the operator's door --bodies needs the level administrator, and so does an "
             "inquiry of a confidential type.",
     .min = 1, .max = 1, .run = run_status,
     .options = {{.name = "bodies", .summary = "with what was asked and what was answered"},
                 BY_OPERATOR},
     .examples = {{"estelam status 0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11 --bodies",
                   "one's own, with the answer"},
                  {"estelam status 00004F-22BEQ", "by the code that people have in hand"},
                  {"estelam status 1204 --operator", "any, by its number"}}},
    {.name = "timeline", .arguments = "ID",
     .summary = "show everything that happened to an inquiry",
     .help = "Every fact of the log about one inquiry, oldest first: when, what, by whom. ID is what `estelam status` takes. "
             "By the operator's door an inquiry of a confidential type needs the level administrator.",
     .min = 1, .max = 1, .run = run_timeline,
     .options = {BY_OPERATOR},
     .examples = {{"estelam timeline 1204 --operator", "the life of inquiry 1204"}}},
    {.name = "cancel", .arguments = "ID",
     .summary = "end an inquiry that has no answer yet",
     .help = "The reason enters the log and is shown to both sides. What has ended stays as it is. ID is what "
             "`estelam status` takes.",
     .min = 1, .max = 1, .run = run_cancel,
     .options = {{.name = "reason", .value = "TEXT", .needed = true, .summary = "why; kept in the log"},
                 BY_OPERATOR},
     .examples = {{"estelam cancel 0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11 --reason \"the owner withdrew\"",
                   "an inquiry of one's own"}}},
    {.name = "inquiry list", .arguments = "",
     .summary = "find inquiries by parcel, national id, case, state or date",
     .help = "The newest first, as the filter says; without one, all. Terms stand between blanks and all "
             "must hold; of values between commas any may; - before a term turns it round:\n\n"
             "department:NAME type:NAME type:nosazi.* state:waiting,parked requester:NAME purpose:NAME "
             "district:1 parcel:1-12-345-6-7-0-0 nid:0499370899 case:1404-17 tracking:00010J-9QX2M "
             "number:1042 id:UUID outcome:negative code:LEASE_EXPIRED received:1404/07/01..1404/07/30 "
             "received:>=2026-01-05 due:<2026-01-05T10:00:00Z ended:1404/07/01\n\n"
             "Days are days in Tehran. A parcel code, national id, tracking code, UUID, number or case id "
             "needs no name before it. A value with blanks stands in quotes. Digits and letters may come "
             "from any keyboard. Inquiries of confidential types are found and counted for the level "
             "administrator alone.\n\n"
             "The index follows the log; what it has not seen yet is told. While it is being built the broker "
             "refuses with BUSY and says how far it is.",
     .min = 0, .max = 0, .run = run_inquiry_list,
     .options = {{.name = "query", .value = "FILTER", .letter = 'q', .summary = "which; without it all"},
                 {.name = "limit", .value = "ROWS", .summary = "at most so many rows (50); 0 for all"},
                 {.name = "count", .summary = "only how many there are"},
                 {.name = "csv", .summary = "comma-separated values with a line of names, for a spreadsheet"}},
     .examples = {{"estelam inquiry list -q \"department:nosazi state:parked\"", "what a person must look at there"},
                  {"estelam inquiry list -q 1-12-345-6-7-0-0", "everything that was asked about a parcel"},
                  {"estelam inquiry list -q \"received:1404/07/01..1404/07/30 -state:answered\" --count",
                   "how many of a month have no answer"},
                  {"estelam inquiry list -q \"requester:portal\" --limit 0 --csv", "all of a requester's"}}},
    {.name = "watch", .arguments = "",
     .summary = "follow everything that happens, event by event",
     .help = "A line for each event as it enters the log: receipts, failed attempts, answers, ends, and "
             "what operators do. It begins with the next event, or behind the one that --after names, and goes "
             "on until it is interrupted; a broker that comes back in time is followed further, and no "
             "event is left out, but those of confidential types below the level administrator. Where an older copy of the broker's store was put back, its log ends before the "
             "place that was reached: a line on standard error says so, and it goes on from the log's end.",
     .min = 0, .max = 0, .run = run_watch,
     .options = {OF_DEPARTMENT,
                 {.name = "after", .value = "SEQ", .summary = "from behind this event of the log; 0: from its beginning"}},
     .examples = {{"estelam watch --department nosazi", "one department's events"},
                  {"estelam watch --after 0 --json", "the whole log as JSON lines, and then what follows"}}},
    {.name = "index status", .arguments = "",
     .summary = "show how far the search index is behind the log",
     .help = "Search and counters come from an index that follows the log. It may be deleted at any time: the "
             "broker builds it again.",
     .min = 0, .max = 0, .run = run_index_status,
     .examples = {{"estelam index status", "is search up to date?"}}},
    {.name = "index rebuild", .arguments = "",
     .summary = "drop the search index and build it again from the log",
     .help = "Shows the progress and ends when the index is complete again. Until then searches are refused "
             "with BUSY; nothing else waits.",
     .min = 0, .max = 0, .run = run_index_rebuild,
     .options = {{.name = "reason", .value = "TEXT", .needed = true, .summary = "why; kept in the broker's journal"}},
     .examples = {{"estelam index rebuild --reason \"a disk was replaced\"", "after doubts about a disk"}}},
    {.name = "queues", .arguments = "",
     .summary = "show every queue: depth, leases, oldest, agents",
     .help = "One row per department and district. `waiting` can be taken at once, `delayed` after a "
             "failed attempt's pause, `leased` is with an agent, `parked` needs a person. A department that "
             "is paused says so in each of its rows.",
     .min = 0, .max = 0, .run = run_queues,
     .options = {OF_DEPARTMENT,
                 {.name = "watch", .value = "SECONDS", .value_optional = true,
                  .summary = "again and again, every 2 seconds or as given, until interrupted"}},
     .examples = {{"estelam queues --department bargh --watch", "keep an eye on one department"}}},
    {.name = "agents", .arguments = "",
     .summary = "show the agents that are connected",
     .help = "One row per connection of a department: its software, how many inquiries it takes at "
             "once, how many it holds, how many it has answered since it connected.",
     .min = 0, .max = 0, .run = run_agents,
     .options = {OF_DEPARTMENT},
     .examples = {{"estelam agents --json", "a JSON line per agent"}}},
    {.name = "parked list", .arguments = "",
     .summary = "show what was set aside, and why",
     .help = "Inquiries whose attempts all failed, or that an agent refused for good. They wait for a "
             "person: mend the cause, then requeue them. Those of confidential types are shown to the level "
             "administrator alone.",
     .min = 0, .max = 0, .run = run_parked_list,
     .options = {OF_DEPARTMENT},
     .examples = {{"estelam parked list --department nosazi", "what waits for a person there"}}},
    {.name = "parked requeue", .arguments = "NUMBER... | --all",
     .summary = "put parked inquiries back in their queues",
     .help = "Their attempts are counted from the beginning. Prints the number of each that went back.",
     .min = 0, .max = ARGUMENTS_ANY, .run = run_parked_requeue,
     .options = {{.name = "reason", .value = "TEXT", .needed = true, .summary = "why; kept in the log"},
                 {.name = "all", .summary = "all that are parked, or all of one department"},
                 OF_DEPARTMENT},
     .examples = {{"estelam parked requeue 1204 --reason \"the mapping was mended\"", "one of them"},
                  {"estelam parked requeue --all --department nosazi --reason \"database is back\"",
                   "all of a department"}}},
    {.name = "drain", .arguments = "",
     .summary = "stop taking new inquiries, or take them again",
     .help = "Needs the level administrator. A draining broker refuses new inquiries with DRAINING and hands out no work. Agents finish "
             "what they hold; what waits goes on waiting, on disk. Draining ends with --off or with a "
             "restart of the broker.",
     .min = 0, .max = 0, .run = run_drain,
     .options = {{.name = "reason", .value = "TEXT", .needed = true, .summary = "why; kept in the log"},
                 {.name = "off", .summary = "end draining"},
                 {.name = "wait", .value = "SECONDS", .value_optional = true,
                  .summary = "until no agent holds an inquiry"}},
     .examples = {{"estelam drain --reason \"new disk\" --wait=600", "before maintenance"},
                  {"estelam drain --off --reason \"disk is in\"", "after it"}}},
    {.name = "pause", .arguments = "DEPARTMENT",
     .summary = "give a department's agents no new inquiries",
     .help = "What the agents hold they finish, and what is asked waits, on disk. The pause survives a "
             "restart of the broker; `estelam resume` ends it. Terms go on running: what is due while "
             "the department is paused expires.",
     .min = 1, .max = 1, .run = run_pause,
     .options = {{.name = "reason", .value = "TEXT", .needed = true, .summary = "why; kept in the log"}},
     .examples = {{"estelam pause bargh --reason \"their database moves\"", "until it has moved"}}},
    {.name = "resume", .arguments = "DEPARTMENT",
     .summary = "let a paused department go on",
     .help = "Its agents are offered at once what waits, the oldest first.",
     .min = 1, .max = 1, .run = run_resume,
     .options = {{.name = "reason", .value = "TEXT", .needed = true, .summary = "why; kept in the log"}},
     .examples = {{"estelam resume bargh --reason \"the database has moved\"", "after the pause"}}},
    {.name = "redirect", .arguments = "NUMBER",
     .summary = "move an inquiry to another district's queue",
     .help = "For an inquiry that has not ended: it waits in its type's queue in that district from now "
             "on, at the place of its number and with all its attempts before it. An agent that held it "
             "is told to drop it. What the inquiry asks does not change.",
     .min = 1, .max = 1, .run = run_redirect,
     .options = {{.name = "district", .value = "NUMBER", .needed = true, .summary = "where to; 0 for none"},
                 {.name = "reason", .value = "TEXT", .needed = true, .summary = "why; kept in the log"}},
     .examples = {{"estelam redirect 1204 --district 6 --reason \"the parcel lies in 6\"",
                   "what was asked with a wrong parcel code"}}},
    {.name = "keys", .arguments = "",
     .summary = "show whose keys are in force, and until when",
     .help = "One row per key of the configuration in force: its account, role, level and department, its "
             "first characters, its dates, how many connections it has open.",
     .min = 0, .max = 0, .run = run_keys,
     .options = {OF_DEPARTMENT},
     .examples = {{"estelam keys --json", "a JSON line per key"}}},
    {.name = "stats", .arguments = "",
     .summary = "show the broker's counters",
     .help = "Every counter and gauge of the broker with its value now.",
     .min = 0, .max = 0, .run = run_stats,
     .examples = {{"estelam stats --json", "a JSON line per counter"}}},
    {.name = "check", .arguments = "WHAT [TYPE FIELD=VALUE...]",
     .words = "ready queue-age agents parked disk key-expiry roundtrip",
     .summary = "judge the broker for a monitoring system, in one line",
     .help = "WHAT is one of\n\n"
             "ready: the broker answers, is not draining and not full; thresholds on its answer's time (1 s, 5 s).\n\n"
             "queue-age: how long the oldest inquiry of any department has waited, also one that is delayed after "
             "a failed attempt (15 min, 1 h).\n\n"
             "agents: inquiries that wait where no agent serves them (0, 0: any one is critical; of a paused "
             "department a warning).\n\n"
             "parked: inquiries that are set aside for a person (0, 100).\n\n"
             "disk: how full the store is as the broker reckons it, of its own limit or of a disk with less than "
             "8 GiB free, whichever is more, in % (60 %, 75 %; at 80 % new inquiries are refused), or with a size "
             "the room that is left.\n\n"
             "key-expiry: how long the key lasts that ends first (30 d, 7 d; at least). One that has ended counts where "
             "its account has no good one. Needs the level operator.\n\n"
             "roundtrip: submits TYPE with these fields, or what requester.test of the profile says, and "
             "waits --timeout for the answer (5 s, 30 s). It is a real inquiry in the log: state one that is agreed "
             "with the department.\n\n"
             "Thresholds are monitoring plugins' ranges with units: 10 alerts outside 0 to 10, 10: below 10, "
             "~:10 above 10, 5:10 outside, @5:10 inside; 90 s, 15min, 2h, 30d; 20GiB; 75%. A lone size, "
             "or span of key-expiry, is the least.\n\n"
             "Standard output is one line with performance data (nagios), a document (json), metrics for "
             "node_exporter's textfile collector (prometheus), or lines for people (text). The exit "
             "status is a plugin's in every format: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. A broker out "
             "of reach or that refuses work is CRITICAL; a wrong command line, profile or right is UNKNOWN.",
     .min = 1, .max = ARGUMENTS_ANY, .run = run_check, .plugin = true,
     .options = {{.name = "format", .value = "FORMAT", .words = "nagios json prometheus text",
                  .summary = "nagios (the default), json, prometheus or text"},
                 {.name = "warning", .value = "RANGE", .letter = 'w', .summary = "WARNING from here on"},
                 {.name = "critical", .value = "RANGE", .letter = 'c', .summary = "CRITICAL from here on"},
                 OF_DEPARTMENT,
                 {.name = "purpose", .value = "PURPOSE",
                  .summary = "roundtrip: what it is asked for (else the profile's)"}},
     .examples = {{"estelam check ready", "is it up and taking inquiries"},
                  {"estelam check queue-age --department bargh --warning 10min --critical 1h",
                   "one department's backlog"},
                  {"estelam check disk --critical 20GiB", "critical when there is room for less"},
                  {"estelam check roundtrip nosazi.bedehi nz=1-1-1-1-0-0-0 --timeout 30",
                   "the whole way and back"}}},
    {.name = "stat", .arguments = "[SECONDS [COUNT]]",
     .summary = "a line a second: rates, depths, the oldest, the store",
     .help = "Rates are of the seconds between two lines; the other columns are as they are then. "
             "Submitted, answered, refused (any command, by whatever code) and failed attempts; what waits, "
             "is delayed after a failed attempt, leased, parked; how long the oldest has waited; agents "
             "connected; commits, how long one took and how many events it held; the store's size.\n\n"
             "A line every SECONDS (1), COUNT of them or until interrupted.",
     .min = 0, .max = 2, .run = run_stat,
     .options = {{.name = "department", .value = "NAME", .summary = "its oldest and its agents; the rest is of all"}},
     .examples = {{"estelam stat", "until Ctrl-C"},
                  {"estelam stat 10 6 --json", "one minute, for a program"}}},
    {.name = "top", .arguments = "",
     .summary = "queues and agents live, on a terminal",
     .help = "A screen that is looked up again every 2 seconds. Queues are sorted by the age of their oldest; "
             "red is work that waits and nobody serves, yellow a queue with parked work or of a paused department, or an "
             "agent that has been silent.\n\n"
             "Keys: q quit; Tab the other pane; < and > sort by another column, r the other way round; b only queues "
             "that hold something; arrows and page keys scroll; + and - the pace; space freezes. A broker that is away "
             "for a while is waited for.\n\n"
             "--once prints one screen as plain text, in the size of COLUMNS and LINES (80 by 24).",
     .min = 0, .max = 0, .run = run_top,
     .options = {OF_DEPARTMENT, {.name = "once", .summary = "one screen on standard output, then end"}},
     .examples = {{"estelam top", "until q"}, {"estelam top --once --department bargh", "for a report"}}},
    {.name = "config check", .arguments = "FILE|FOLDER", .words = "@file",
     .summary = "check a broker.yaml or a catalogue folder",
     .help = "Reads the configuration as the broker would and prints every complaint as "
             "file:line:column: what is wrong and what to do, also where keys that are good each break a rule "
             "together. A good one is summed up in one line.",
     .min = 1, .max = 1, .run = run_config_check,
     .examples = {{"estelam config check /etc/estelam/broker.yaml", "before a reload"},
                  {"estelam config check deploy/tehran", "a catalogue alone"}}},
    {.name = "config show", .arguments = "FOLDER [TYPE]", .words = "@folder",
     .summary = "show a catalogue's inquiry types, or the fields of one",
     .help = "Titles, who answers, how, the terms, and whether of operators only administrators see its inquiries. "
             "With TYPE the fields that are asked and answered, with their bounds, the titles of their choices, and the reasons of a refusal.",
     .min = 1, .max = 2, .run = run_config_show,
     .examples = {{"estelam config show deploy/tehran", "all types"},
                  {"estelam config show deploy/tehran nosazi.bedehi", "what to submit, what comes back"}}},
    {.name = "config broker", .arguments = "",
     .summary = "show how the running broker is configured",
     .help = "Every setting in force by its name, as the broker itself says: version, city, doors, store, "
             "limits. It may differ from what the files say by now. Never a secret.",
     .min = 0, .max = 0, .run = run_config_broker,
     .examples = {{"estelam config broker", "which version runs, and with which limits"}}},
    {.name = "store check", .arguments = "FOLDER", .words = "@folder",
     .summary = "check a broker's store from its first event to its last",
     .help = "Reads everything in the store's folder (store.directory of broker.yaml) and changes "
             "nothing; the broker may run or not. The log must be without a gap, each record as its "
             "checksum says, no time before the one before it, each event after the newest of its "
             "inquiry, and the digest the one that is stored. Every event is then counted into the "
             "tables, and they must be what is stored.\n\n"
             "Where no broker runs, the journal is read too: events in it that the log does not have yet "
             "are counted, and one that is missing before them is damage. Beside a running broker the log "
             "is what it was some milliseconds ago, and the journal is not looked at.\n\n"
             "Prints what the store holds. Exits with 1 where it is damaged, and names the first bad "
             "record: its table, its key and what is wrong with it. It needs about as much memory as "
             "the broker itself: 140 bytes for each inquiry that was open at one time.",
     .min = 1, .max = 1, .run = run_store_check,
     .examples = {{"estelam store check /var/lib/estelam/store", "beside the broker, or after a bad disk"},
                  {"estelam store check backup/store --json", "for a program that watches backups"}}},
    {.name = "store backup", .arguments = "FOLDER BACKUP", .words = "@folder",
     .summary = "copy a store, beside its running broker too, and check the copy",
     .help = "Copies the store's folder (store.directory of broker.yaml) to BACKUP, which is missing or "
             "empty; its parent is there. The copy is made in BACKUP.unfinished, synced and checked as "
             "`store check` does, and only then gets its name: a folder that is called BACKUP is a good one. "
             "Free pages are left out, so it may be smaller.\n\n"
             "Beside a running broker it is the log as it was some 40 ms before the copying began: what is newer is "
             "in the journal only. The broker goes on. It cannot use again what it frees for as long as the copying "
             "takes; its file may grow by that. Where no broker runs, the journal is copied too, and nothing "
             "that was ever accepted is missing.\n\n"
             "Run it as the user that the broker runs as. What root makes belongs to the owner of BACKUP's parent. "
             "A backup holds what people asked and were told: keep it as the store itself.\n\n"
             "Exits with 1 where the store is damaged, and makes nothing then.",
     .min = 2, .max = 2, .run = run_store_backup,
     .examples = {{"estelam store backup /var/lib/estelam/store /backup/estelam-$(date +%F)", "every night"}}},
    {.name = "store restore", .arguments = "BACKUP FOLDER", .words = "@folder",
     .summary = "put a backup where a broker's store was",
     .help = "Checks BACKUP and copies it to FOLDER (store.directory of broker.yaml), in the same way as "
             "`store backup`: FOLDER is there only once it is whole. Stop the broker first and move its "
             "store away, with all that is in it; nothing is written over, and what is damaged may still be of "
             "use.\n\n"
             "What was accepted after the backup was made is not in it, and its numbers are given out again. What root "
             "makes belongs to the owner of FOLDER's parent.\n\n"
             "Exits with 1 where the backup is damaged, and makes nothing then.",
     .min = 2, .max = 2, .run = run_store_restore,
     .examples = {{"mv /var/lib/estelam/store /var/lib/estelam/store.damaged", "with the broker stopped"},
                  {"estelam store restore /backup/estelam-2026-11-25 /var/lib/estelam/store", "then start the broker"}}},
    {.name = "key new", .arguments = "",
     .summary = "make a key pair",
     .help = "With --out the two keys go to FILE, readable by its owner only and never over a file that "
             "is there, and the public key goes to standard output: that is what accounts.yaml or a "
             "profile's server_key gets. Without --out the whole key file goes to standard output.",
     .min = 0, .max = 0, .run = run_key_new,
     .options = {{.name = "out", .value = "FILE", .words = "@file", .summary = "where the key file goes"}},
     .examples = {{"estelam key new --out portal.key", "a requester's key"}}},
    {.name = "token new", .arguments = "",
     .summary = "make a bearer token of the HTTP door",
     .help = "The token goes to standard output, once: the file keeps only its hash. It passes as "
             "ACCOUNT, which must be one of gateway.yaml's, for what SCOPES name: submit, read, events, "
             "webhooks for requesters; watch, read, events, operate, administer for operators. What the "
             "account itself may do is not widened by any of them.",
     .min = 0, .max = 0, .run = run_token_new,
     .options = {{.name = "account", .value = "NAME", .needed = true, .summary = "as whom it passes"},
                 {.name = "scopes", .value = "LIST", .needed = true,
                  .words = "submit read events webhooks watch operate administer",
                  .summary = "what it is good for, commas between"},
                 {.name = "expires", .value = "DATE",
                  .summary = "2026-12-31, 1405/10/10 (to the end of that day), RFC 3339 or \"+90 d\" (else never)"},
                 {.name = "title", .value = "TEXT", .summary = "what it is for; shown in the list"},
                 TOKENS_FILE},
     .examples = {{"estelam token new --account portal --scopes submit,read,events --file tokens.yaml",
                   "for the portal's back end"},
                  {"estelam token new --account duty --scopes watch,read,operate --expires \"+90 d\" "
                   "--title \"night shift\" --file tokens.yaml",
                   "for an operator, for a season"}}},
    {.name = "token list", .arguments = "",
     .summary = "show the tokens of a file",
     .help = "Their ids, accounts, scopes and dates. The tokens themselves are kept nowhere.",
     .min = 0, .max = 0, .run = run_token_list,
     .options = {TOKENS_FILE},
     .examples = {{"estelam token list --file /etc/estelam/tokens.yaml", "who can pass"}}},
    {.name = "token revoke", .arguments = "ID...",
     .summary = "shut tokens out at once",
     .help = "The gateway looks at the file on every request: the next one under this token is refused. "
             "Prints each id that was revoked.",
     .min = 1, .max = ARGUMENTS_ANY, .run = run_token_revoke,
     .options = {TOKENS_FILE},
     .examples = {{"estelam token revoke 3f9c1d20ab47 --file /etc/estelam/tokens.yaml", "one that leaked"}}},
    {.name = "id check", .arguments = "KIND VALUE", .words = "nid lid postal parcel file",
     .summary = "check an identifier",
     .help = "KIND is nid (national id), lid (legal-entity id), postal (postal code), parcel (parcel "
             "code) or file (planning file number). Digits may be Latin, Persian or Arabic. Prints the "
             "canonical value; exits with 1 and the reason where it is not valid. Parcel codes and file "
             "numbers are each city's own: their rule comes from the catalogue.",
     .min = 2, .max = 2, .run = run_id_check,
     .examples = {{"estelam id check nid 0499370899", "a national id"},
                  {"estelam id check parcel 22-3-15-40-1-12-0 --catalogue deploy/tehran",
                   "a parcel code of that city"}}},
    {.name = "id new", .arguments = "",
     .summary = "make a fresh inquiry id",
     .help = "A UUID of version 7: ids that are made later sort later.",
     .min = 0, .max = 0, .run = run_id_new,
     .examples = {{"estelam submit nosazi.bedehi nz=1-1-1-1-0-0-0 --id $(estelam id new)",
                   "an id known before the inquiry is sent"}}},
    {.name = "version", .arguments = "",
     .summary = "print the version",
     .help = "The program's and the protocol's.",
     .min = 0, .max = 0, .run = run_version,
     .examples = {{"estelam version --json", "for a program"}}},
    {.name = "help", .arguments = "[COMMAND]",
     .summary = "explain a command, or list them all",
     .help = "The same as --help after the command.",
     .min = 0, .max = 2, .run = run_help,
     .examples = {{"estelam help parked requeue", "one command in full"}}},
    {.name = "completion", .arguments = "bash", .words = "bash",
     .summary = "print the completion for a shell",
     .help = "To be sourced, or put into /usr/share/bash-completion/completions/estelam.",
     .min = 1, .max = 1, .run = run_completion,
     .examples = {{"source <(estelam completion bash)", "in this shell"}}},
    {.name = "man", .arguments = "",
     .summary = "print the man page",
     .help = "In roff, for `man -l` or a package.",
     .min = 0, .max = 0, .run = run_man,
     .examples = {{"estelam man | man -l -", "read it now"}}},
};
/* clang-format on */
const size_t COMMANDS_COUNT = sizeof COMMANDS / sizeof COMMANDS[0];
