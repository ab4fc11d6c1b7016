/* gate.h - a real gateway before a town's real broker, and what an HTTP client says to it.
 *
 *     gate_new -> gate_token -> gate_start -> call … -> (registered: ends with the test)
 *
 * Nothing sleeps; every wait ends at WAIT_MS.
 */
#ifndef GATE_H
#define GATE_H

#include "harness.h"
#include "tokens.h"

#include <jansson.h>

enum { GATE_TOKENS_MAX = 16, CALL_HEADERS_MAX = 12 };

/* A test of this name; what it leaves open is closed after it. */
#define GATE_CLAIM(name) cmocka_unit_test_teardown(name, gate_teardown)
int gate_teardown(void **state);
void gate_register(void *thing, void (*end)(void *)); /* `end` is called by it */

struct gate {
    struct town *town;
    struct child *child;
    char url[ENDPOINT_MAX]; /* "http://127.0.0.1:41234" */
    unsigned port;   /* where it listens, or did last */
    unsigned listen; /* where it is to; 0: on any port that is free */
    char more[4096]; /* YAML: what stands in gateway.yaml beside broker, accounts, tokens */
    struct tokens tokens;
    char secrets[GATE_TOKENS_MAX][TOKEN_SECRET_SIZE];
    size_t secrets_count;
};

/* The harness's own town with operators of every level more: watch (observer), duty, chief. */
struct town *gate_town(void);
/* A gateway for all requesters and operators of the town. `more` may be NULL. */
struct gate *gate_new(struct town *, const char *more);
/* A fresh token; it holds at once. Lives as long as the gate. */
const char *gate_token(struct gate *, const char *account, unsigned scopes);
/* The id of a token of this gate, and its end: the file is written anew. */
void gate_revoke(struct gate *, const char *secret);
/* A token expires so long from now; the file has whole seconds, so it may be up to one earlier. */
void gate_expire(struct gate *, const char *secret, int64_t in_ms);
void gate_start(struct gate *);
int gate_start_fails(struct gate *); /* its exit status; the test fails when it does not end */
void gate_kill(struct gate *); /* -9 */
int gate_stop(struct gate *);  /* SIGTERM; its exit status */
/* Writes gateway.yaml and runs `--check`: the exit status. */
int gate_check(struct gate *, const char **ret_says);

/* --- One call ---------------------------------------------------------------------------------- */

struct call {
    const char *method; /* NULL: GET, or POST where there is a body */
    const char *token;  /* NULL: none */
    const char *headers[CALL_HEADERS_MAX];
    const char *body;
    bool plain_body; /* no Content-Type of ours */
    long timeout_ms; /* 0: WAIT_MS */
};
struct reply {
    long status; /* 0: no answer; then `error` */
    char *headers, *body;
    json_t *json; /* NULL: it is none */
    char error[256];
};
/* The reply goes away with the test. */
const struct reply *call_make(struct gate *, const char *path, const struct call *);
#define CALL(gate, path, ...) call_make(gate, path, &(const struct call){__VA_ARGS__})
/* The value of a header, without blanks around; NULL: absent. Lives until the next such call. */
const char *reply_header(const struct reply *, const char *name);
const char *reply_text(const struct reply *, const char *name); /* "" where absent */
int64_t reply_int(const struct reply *, const char *name);      /* -1 where absent */
/* A problem of this status and code, well formed. */
void assert_problem(const struct reply *, long status, const char *code);

/* A connection of its own; to be closed. */
int raw_connect(struct gate *);
/* Sends these bytes on a connection of its own and gives all that comes until the other side closes it,
 * or `ms` have passed. To be freed. */
char *raw_say(struct gate *, const char *bytes, size_t size, int ms, bool *ret_closed);

/* Submits plot.debt under this key and wants 202: the number. */
uint64_t gate_submit(struct gate *, const char *token, const char *key);

#endif
