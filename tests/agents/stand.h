/* stand.h - a back end on a test stand: no broker, no agent, just inquiries put to it. */
#ifndef STAND_H
#define STAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "backend.h"
#include "codec.h"
#include <stdatomic.h>

struct stand {
    struct complaints complaints;
    struct yaml *yaml;
    struct backend *backend;
    est_answer out; /* of the last ask */
    est_body *request;
};

extern atomic_bool stand_lease_ended; /* what the back ends are told by is_over */
extern atomic_int stand_told;         /* sentences a back end had for the log */
extern struct backend_room stand_room;

/* Opens the back end of a YAML text as if it were `folder`/agent.yaml. False: see `complaints`. */
bool stand_try(struct stand *, const char *folder, const char *yaml);
void stand_open(struct stand *, const char *folder, const char *yaml); /* fails the test instead */
void stand_close(struct stand *);

/* Puts an inquiry of this type with `request` as its body, which is cleared after. */
est_verdict stand_ask(struct stand *, const char *type);

/* Each fails the test unless the answer's field is there and as said. */
void expect_text(const struct stand *, const char *name, const char *value);
void expect_int(const struct stand *, const char *name, int64_t value);
void expect_bool(const struct stand *, const char *name, bool value);
void expect_absent(const struct stand *, const char *name);
/* The field as JSON. */
void expect_json(const struct stand *, const char *name, const char *json);
/* The sentence of a retry or refusal holds this. */
void expect_remark(const struct stand *, const char *part);
void expect_complaint(const struct stand *, const char *where, const char *part);

/* A private folder under TMPDIR or /tmp; removed with everything in it. */
char *folder_make(char *ret_path, size_t size);
void folder_remove(const char *path);
void file_write(const char *folder, const char *name, const char *text, unsigned mode);
/* Runs one statement over ODBC; fails the test when the database does not take it. */
void database_run(const char *connection, const char *statement);
int64_t stand_now_ms(void);

#endif
