/* harness.h - real processes for the system tests: a town in a private folder, its broker, agents
 * that can be killed, clients on the public API, and raw peers that say what no client would.
 *
 *   town.c    the folder, its keys and files; the broker started, killed, stopped, reloaded
 *   ports.c   ports that no other test takes
 *   child.c   any child process: its output line by line, its end
 *   far.c     a client whose events are kept until a test asks for them
 *   raw.c     a bare DEALER socket that speaks the protocol, or breaks it
 *   stub.c    a bare ROUTER socket in a broker's place
 *   agent.c   a program: an agent of the public API that obeys the test
 *
 * Nothing sleeps. Every wait is for an event, ends at WAIT_MS, and fails the test there. What a
 * test opened is registered and goes away at its end, also when it failed: processes by their pid,
 * and with the test program itself if that is killed.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <estelam/agent.h>
#include <estelam/client.h>
#include <message.h>
#include <sys/types.h>

enum { WAIT_MS = 30000, KEY_TEXT = 41, TOWN_ACCOUNTS_MAX = 16, ENDPOINT_MAX = 64, FOLDER_MAX = 64 };
enum { REQUESTERS, DEPARTMENTS, OPERATORS, DOOR_COUNT };

/* A test of this name; what it leaves open is closed after it. */
#define CLAIM(name) cmocka_unit_test_teardown(name, harness_teardown)
int harness_teardown(void **state);
int64_t now_ms(void);

/* --- Children ------------------------------------------------------------------------------------- */

struct child;
/* Starts argv[0] with pipes on its three streams. */
struct child *child_start(const char *const *argv);
/* The next line of its standard output that begins with `start` (lines before it are passed
 * over); the text after `start`. NULL when the output ended first. */
const char *child_line(struct child *, const char *start);
/* Did such a line come already? It stays to be read. */
bool child_has_line(struct child *, const char *start);
/* Waits until its standard error holds `part`, after what earlier waits have found. */
void child_error_wait(struct child *, const char *part);
/* All of its standard error so far. */
bool child_error_has(struct child *, const char *part);
unsigned child_error_count(struct child *, const char *part);
/* To its standard input; one that has ended hears nothing. */
void child_say(struct child *, const char *text);
void child_signal(struct child *, int signal);
pid_t child_pid(const struct child *);
/* Are both of its outputs at their end? Then so is the process, or nearly. */
bool child_has_ended(struct child *);
/* Waits for its end: the exit status, or minus the signal's number. */
int child_wait(struct child *);
/* Ends it if it lives, and forgets it. True: there was nothing wrong in what it said. */
bool child_free(struct child **);
void child_print(struct child *); /* its standard error, for a person */

/* --- Ports ----------------------------------------------------------------------------------------- */

/* The first of so many ports, one after the other, that nobody listens at. No other test takes them as long as this
 * process lives. */
int ports_take(int count);

/* --- A town ---------------------------------------------------------------------------------------- */

struct key_pair {
    char public_key[KEY_TEXT], secret_key[KEY_TEXT];
};
void key_make(struct key_pair *ret);

struct town_account {
    const char *name;
    unsigned door;
    const char *fields; /* YAML: what stands in the account's map beside its keys */
    const char *dates;  /* YAML: what stands in its key's map beside `public`; NULL: nothing */
    bool revoked;       /* the account stays, the key is gone */
    struct key_pair key;
};

struct town_options {
    const char *catalogue;               /* a catalogue's folder; NULL: the harness's own */
    const struct town_account *accounts; /* ends with a NULL name; NULL: the harness's own */
    const char *limits;                  /* YAML, such as "lease: 300 ms" */
    bool plain;
    bool any_port; /* port 0: the system chooses */
};

/* The harness's own: types plot.debt of department `treasury` and plot.use of `works`, both with a
 * request {nz, note (optional)}; replies {debt} and {use}. Accounts: portal, notary (plot.use
 * only), treasury-a, treasury-b, works-a; watch, duty and chief, operators of each level. Purpose: permit. A parcel is district-n-n, nine
 * districts. */
struct town {
    char folder[FOLDER_MAX];
    struct town_options options;
    struct key_pair server;
    struct town_account accounts[TOWN_ACCOUNTS_MAX];
    size_t accounts_count;
    char endpoints[DOOR_COUNT][ENDPOINT_MAX];
    struct child *broker;
    bool started;
};

struct town *town_new(const struct town_options *); /* options may be NULL */
struct town_account *town_account(struct town *, const char *name);
/* Writes a file below the town's folder; its folder is there. */
void town_file(struct town *, const char *name, const char *text);
void town_accounts_write(struct town *);
void town_broker_write(struct town *);
void town_limits_write(struct town *, const char *limits); /* broker.yaml with these alone, such as "sessions_max: 3" */
/* The text of the harness's own types, where plot.debt's reply has these fields more (YAML, each
 * with four blanks before it); for town_file(…, TOWN_TYPES, …). */
#define TOWN_TYPES "catalogue/types/plots.yaml"
char *town_types(const char *debt_reply_more, const char *types_more);

void town_start(struct town *);      /* until all doors listen */
int town_start_fails(struct town *); /* its exit status; the test fails when it does not end */
void town_kill(struct town *);       /* -9 */
int town_stop(struct town *);        /* SIGTERM; its exit status */
/* For town_types: one type more, plot.survey, that this department answers. Lives until the next call. */
const char *town_survey(const char *answerer);
/* SIGHUP, until the broker's log says this. */
void town_reload(struct town *, const char *says);
/* Stops the broker and asserts that it ended well; removes everything. */
void town_end(struct town *);

/* Starts the agent program for this account; see agent.c for the modes. */
struct child *agent_start(struct town *, const char *account, const char *mode, unsigned workers);

/* --- Clients --------------------------------------------------------------------------------------- */

struct far {
    est_client *client;
    struct note **notes;
    size_t count, capacity;
    uint64_t ref;
};

/* Its door is its account's. `results` as in est_options. Waits for the session. */
struct far *far_open(struct town *, const char *account, unsigned results);
/* The same with other options, and without waiting. */
struct far *far_open_with(const est_options *);
est_options far_options(struct town *, const char *account, unsigned results);
void far_close(struct far **);

/* Which event a test waits for. Zero or NULL: any. */
struct want {
    enum est_event_kind kind;
    const est_id *id;
    uint64_t ref, number;
};
/* The first such event that was not taken yet; lives until far_forget, or the client's end. */
const est_event *far_take(struct far *, struct want);
#define far_wait(far, ...) far_take((far), (struct want){.kind = __VA_ARGS__})
/* Is there such an event already? Takes it. NULL: no. */
const est_event *far_peek(struct far *, struct want);
/* Lets go of all events that were taken; those that were not stay. */
void far_forget(struct far *);
/* Does what is due and takes in what came, for at most this long. True when something came. */
bool far_poll(struct far *, int timeout_ms);

/* Submits and waits for the receipt. `ret_id` may be NULL. The number. */
uint64_t far_submit(struct far *, const char *type, const char *parcel, est_id *ret_id);
/* Submits under this id, without waiting. `note` may be NULL. */
void far_ask(struct far *, const char *type, const char *parcel, const char *note, const est_id *,
             est_time deadline);
const est_event *far_status(struct far *, const est_id *, uint64_t number);
/* Acknowledges a result, until the record says so. */
void far_ack(struct far *, uint64_t number);
/* Operators: one counter of the broker; 0 where it has no such counter. */
uint64_t far_stat(struct far *, const char *name);
/* Asks for stats until the counter is at least this. */
void far_stat_wait(struct far *, const char *name, uint64_t least);

bool text_is(est_slice, const char *);
bool text_has(est_slice, const char *part);

/* --- Raw peers ------------------------------------------------------------------------------------- */

enum raw_security { RAW_CURVE, RAW_PLAIN, RAW_NULL };
struct raw_options {
    enum raw_security security;
    const char *server_key, *routing_id, *user; /* user: PLAIN's */
    struct key_pair key;
    bool deaf; /* takes one message at a time: what it does not ask raw_next for stays with the broker */
};

struct raw;
struct raw *raw_open(const char *endpoint, const struct raw_options *);
/* With the account's key at its own door, HELLO said and WELCOME heard. */
struct raw *raw_session(struct town *, const char *account);
struct raw *raw_deaf_session(struct town *, const char *account);
struct raw *raw_agent(struct town *, const char *account, unsigned window); /* READY too */
void raw_ready(struct raw *, unsigned window);
void raw_close(struct raw **);
void raw_send(struct raw *, const struct message *);
void raw_send_bytes(struct raw *, const void *, size_t, bool more);
const struct message *raw_next(struct raw *); /* lives until the next call */
/* The next command of this verb; what comes before it is passed over. Lives until the next call. */
const struct message *raw_receive(struct raw *, enum verb);
/* Did a command of this verb come among those passed over? */
bool raw_heard(const struct raw *, enum verb);
/* Waits until the broker ended the connection or refused the handshake. */
void raw_ended(struct raw *);
/* Waits until the broker took the handshake. */
void raw_welcomed(struct raw *);
bool raw_was_welcome(const struct raw *); /* did a handshake ever succeed? */
/* ANSWER, positive, {debt: value}. */
void raw_answer(struct raw *, uint64_t number, uint64_t epoch, int64_t debt);

/* --- A broker that says what no broker would --------------------------------------------------------- */

struct stub;
struct stub *stub_open(const struct key_pair *server); /* CURVE, any client, any port */
const char *stub_endpoint(const struct stub *);
void stub_close(struct stub **);
/* Until the client says this; what it says before is passed over. The client is kept going. */
void stub_await(struct stub *, struct far *, enum verb);
void stub_send(struct stub *, const struct message *); /* to whoever spoke last */
void stub_send_bytes(struct stub *, const void *, size_t);

#endif
