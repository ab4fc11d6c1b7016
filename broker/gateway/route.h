/* route.h - the router: one table of every path of the API. See routes.c.
 *
 * A new endpoint is a row of ROUTES and a handler; rights, method, body type, query names and sizes
 * are checked by what the row says before the handler runs.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "request.h"

enum { ANYONE = 1u << 31 }; /* among scopes: no token is needed */

struct route {
    const char *method; /* GET serves HEAD too */
    const char *path;   /* "/v1/inquiries/{id}" */
    unsigned scopes;    /* any of these; 0: any token at all; ANYONE: none */
    unsigned roles;     /* accounts of these roles; 0: any */
    unsigned level;     /* of an operator's account, at least; 0: any */
    bool body;          /* takes a JSON object */
    const char *query;  /* names of its query parameters, blanks between; NULL: none */
    void (*handle)(struct request *);
};

extern const struct route ROUTES[];
extern const size_t ROUTES_COUNT;

enum route_found { ROUTE_FOUND, ROUTE_OTHER_METHOD, ROUTE_NONE };
/* Fills the request's route and arguments. `ret_allow`: the methods of the path, for Allow. */
enum route_found route_find(struct request *, const char *method, char ret_allow[64]);

/* --- Handlers, by the file they are in. ---------------------------------------------------------- */

/* inquiries.c */
void handle_submit(struct request *);
void handle_inquiry(struct request *);
void handle_timeline(struct request *);
void handle_cancel(struct request *);
void handle_requeue(struct request *);
void handle_redirect(struct request *);
/* search.c */
void handle_search(struct request *);
void handle_csv(struct request *);
void handle_parked_requeue(struct request *);
/* operators.c */
void handle_queues(struct request *);
void handle_agents(struct request *);
void handle_parked(struct request *);
void handle_stats(struct request *);
void handle_keys(struct request *);
void handle_config(struct request *);
void handle_counters(struct request *);
void handle_index(struct request *);
void handle_pause(struct request *);
void handle_resume(struct request *);
void handle_drain(struct request *);
void handle_reindex(struct request *);
/* samples.c */
void handle_samples(struct request *);
void handle_test(struct request *);
/* feed.c */
void handle_events(struct request *);
/* hooks.c */
void handle_webhooks(struct request *);
void handle_webhook_retry(struct request *);
/* shelf.c */
void handle_types(struct request *);
void handle_type(struct request *);
void handle_departments(struct request *);
void handle_purposes(struct request *);
/* about.c */
void handle_whoami(struct request *);
void handle_problems(struct request *);
void handle_problem(struct request *);
/* metrics.c, health.c */
void handle_metrics(struct request *);
void handle_livez(struct request *);
void handle_readyz(struct request *);
/* openapi.c */
void handle_openapi(struct request *);
/* static.c: whatever the table does not hold */
void handle_static(struct request *);

#endif
