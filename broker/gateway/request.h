/* request.h - one HTTP request, from its headers to its answer.
 *
 *   request line, headers -> checks (http.c) -> body -> route's handler
 *                                                        |         \
 *                                               request_reply    request_park … a line's `done` …
 *                                               request_problem          -> request_reply, request_resume
 *
 * What holds: a request is answered exactly once. A handler either answers before it returns or
 * parks the request first and sees to it that somebody answers and resumes it.
 */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include "gateway.h"
#include "problem.h"

#include <jansson.h>
#include <microhttpd.h>

enum { ARGUMENTS_MAX = 2, ARGUMENT_SIZE = 256 };

struct route;
struct connection;
struct request {
    struct gateway *gateway;
    struct MHD_Connection *connection;
    struct connection *peer;
    const struct route *route;
    const char *url;
    bool is_head;
    char arguments[ARGUMENTS_MAX][ARGUMENT_SIZE]; /* what stands for {…} in the route's path */
    struct line *line;                            /* of the token's account; NULL: no token was needed */
    unsigned scopes;
    char token_id[TOKEN_ID_SIZE];

    char *body;
    size_t body_size, body_room;
    bool body_too_large, begun, parked;

    struct MHD_Response *response;
    unsigned status;
    bool closing;   /* the connection ends with this answer */
    bool streaming; /* the answer goes on for as long as anybody reads it */
    json_t *json;   /* the body, once it was asked for */
    void *work;     /* the handler's own, freed with the request by `work_free` */
    void (*work_free)(void *);
};

/* --- Answers: each sets the answer; the first one stands. -------------------------------------- */

void request_reply(struct request *, unsigned status, json_t *take);
void request_text(struct request *, unsigned status, const char *type, const char *text, size_t size);
void request_empty(struct request *, unsigned status);
/* Any response of the library's; its reference is taken. NULL: no memory, told as such. */
void request_response(struct request *, unsigned status, struct MHD_Response *take);
/* After an answer was set. */
void request_header(struct request *, const char *name, const char *value);
void request_problem(struct request *, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With an array of {path, kind, text}, whose reference is taken. */
void request_defects(struct request *, int code, json_t *take_defects, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* 503 and 429 say when to try again. */
void request_problem_later(struct request *, int code, est_span retry, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What an EST_EVENT_REFUSED says, in the words of HTTP. */
void request_refused(struct request *, const est_event *);

/* --- Waiting ----------------------------------------------------------------------------------- */

void request_park(struct request *);
void request_resume(struct request *);

/* --- Reading ----------------------------------------------------------------------------------- */

const char *request_header_get(const struct request *, const char *name); /* NULL: absent */
const char *request_query(const struct request *, const char *name);      /* NULL: absent */
/* A whole number of the query; false and a problem where it is none. Absent: as it was. */
bool request_query_uint(struct request *, const char *name, uint64_t max, uint64_t *ret);
/* The body as one JSON object (a borrowed reference lives as long as the request), NULL and a problem
 * where it is none. Keys stand once, text is UTF-8. A whole number beyond 64 bits is JSON all the same: it
 * is a real one here, and number_is_beyond says of which it holds. */
json_t *request_json(struct request *);
bool number_is_beyond(const json_t *);

/* --- Bodies checked field by field: all defects at once. ------------------------------------------ */

struct form {
    struct request *request;
    json_t *object;   /* NULL: there was a problem already */
    json_t *defects;  /* array, NULL while there is none */
};
/* The names end with NULL. An unknown field is a defect. */
struct form form_open(struct request *, const char *const *names);
void form_defect(struct form *, const char *path, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const char *form_text(struct form *, const char *name, bool needed, size_t bytes_max);
bool form_bool(struct form *, const char *name, bool otherwise);
uint64_t form_uint(struct form *, const char *name, bool needed, uint64_t max);
json_t *form_object(struct form *, const char *name, bool needed); /* borrowed */
/* What lies before 1970 is the first instant after it: 0 is none. */
est_time form_time(struct form *, const char *name);
/* True when all was well; else the problem is set. */
bool form_close(struct form *);

#endif
