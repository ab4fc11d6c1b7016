/* metrics.c - GET /metrics: asks the broker a few questions one after another, then writes it all down.
 *
 * It goes over the operator account that also feeds streams; one of level observer is enough for all
 * but keys and versions. A question that is refused leaves its metrics out; a broker that does not
 * answer leaves the gateway's own, and estelam_broker_up 0. Without such an account there are the gateway's own alone.
 */
#include "guard.h"
#include "exposition.h"
#include "figures.h"
#include "http.h"
#include "metrics_text.h"
#include "process.h"
#include "question.h"
#include "route.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { PAGE = 1000, PATIENCE_MS = 3000 }; /* a scrape is over after 10 seconds by Prometheus's default */

struct scrape {
    struct figures *figures;
    size_t step;
    bool up;
};

/* --- What is asked --------------------------------------------------------------------------------- */

static int ask_stats(struct question *q, est_client *client, uint64_t ref) {
    (void)q;
    return est_client_stats(client, ref);
}
static int ask_queues(struct question *q, est_client *client, uint64_t ref) {
    return est_client_queues(client, ref, NULL, q->after, PAGE);
}
static int ask_agents(struct question *q, est_client *client, uint64_t ref) {
    return est_client_agents(client, ref, NULL, q->after, PAGE);
}
static int ask_counters(struct question *q, est_client *client, uint64_t ref) {
    (void)q;
    return est_client_counters(client, ref);
}
static int ask_keys(struct question *q, est_client *client, uint64_t ref) {
    return est_client_keys(client, ref, NULL, q->after, PAGE);
}
static int ask_config(struct question *q, est_client *client, uint64_t ref) {
    (void)q;
    return est_client_config(client, ref);
}

static const struct step {
    question_call ask;
    void (*take)(struct figures *, const est_event *);
    bool paged;
    unsigned level;
} STEPS[] = {
    {ask_stats, figures_stats, false, EST_LEVEL_OBSERVER},
    {ask_queues, figures_queues, true, EST_LEVEL_OBSERVER},
    {ask_agents, figures_agents, true, EST_LEVEL_OBSERVER},
    {ask_counters, figures_counters, false, EST_LEVEL_OBSERVER},
    {ask_keys, figures_keys, true, EST_LEVEL_OPERATOR},
    {ask_config, figures_config, false, EST_LEVEL_OPERATOR},
};
enum { STEPS_COUNT = sizeof STEPS / sizeof STEPS[0] };

/* --- What is written -------------------------------------------------------------------------------- */

static void lines_write(struct exposition *x, const struct gateway *g) {
    metric(x, "gateway_account_connected", METRIC_GAUGE,
           "1 while this account of the gateway has a session with the broker.");
    for (size_t i = 0; i < g->config.accounts_count; i++)
        sample_uint(x, line_is_up(g->lines[i]), LABELS("account", line_account(g->lines[i])));
    metric(x, "gateway_requests_waiting", METRIC_GAUGE, "Requests that wait for the broker's word.");
    for (size_t i = 0; i < g->config.accounts_count; i++)
        sample_uint(x, line_waiting(g->lines[i]), LABELS("account", line_account(g->lines[i])));
}

static void gateway_write(struct exposition *x, const struct gateway *g) {
    static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct http_figures http;
    http_figures(g, &http);
    metric(x, "gateway_build_info", METRIC_GAUGE, "The gateway's version; always 1.");
    sample_uint(x, 1, LABELS("version", ESTELAM_VERSION));
    metric(x, "gateway_http_responses_total", METRIC_COUNTER,
           "Answers of the gateway by the class of their status.");
    for (size_t i = 1; i < sizeof classes / sizeof classes[0]; i++)
        sample_uint(x, http.answers[i], LABELS("class", classes[i]));
    metric(x, "gateway_http_connections", METRIC_GAUGE, "HTTP connections now.");
    sample_uint(x, http.connections, NO_LABELS);
    lines_write(x, g);
    process_write(x, (est_time){g->started_us});
}

static void scrape_reply(struct request *r, const struct figures *figures, bool up) {
    static const struct figures nothing;
    struct exposition *x = exposition_open();
    size_t size = 0;
    char *text = NULL;
    if (x) {
        if (gateway_feed_line(r->gateway)) /* nobody asks: that is no broker that is down */
            metrics_broker(x, figures ? figures : &nothing, up);
        gateway_write(x, r->gateway);
        text = exposition_close(&x, &size);
    }
    if (text)
        request_text(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, size);
    else
        request_problem(r, EST_NO_MEMORY, "%s", "");
    free(text);
}

/* --- One step after another ------------------------------------------------------------------------- */

/* Codes that mean that no answer came, and not that the question was refused. */
static bool nobody_answered(const est_event *event) {
    return event->kind == EST_EVENT_REFUSED && est_code_layer(event->code) == EST_LAYER_LOCAL;
}

static bool scrape_step(struct question *q, const est_event *event);

/* True when there is no further step that the account may take. */
static bool scrape_next(struct question *q, struct scrape *s, struct line *line) {
    while (s->step < STEPS_COUNT && line_level(line) < STEPS[s->step].level)
        s->step++;
    if (s->step == STEPS_COUNT)
        return true;
    question_ask_again(q, line, STEPS[s->step].ask, scrape_step);
    return false;
}

static bool scrape_step(struct question *q, const est_event *event) {
    struct scrape *s = q->more;
    struct line *line = gateway_feed_line(q->request->gateway);
    if (nobody_answered(event)) {
        scrape_reply(q->request, s->figures, s->up = false);
        return true;
    }
    s->up = true;
    if (event->kind != EST_EVENT_REFUSED)
        STEPS[s->step].take(s->figures, event);
    q->after = event->kind != EST_EVENT_REFUSED && STEPS[s->step].paged ? event->next : 0;
    if (!q->after)
        s->step++;
    if (!scrape_next(q, s, line))
        return false;
    scrape_reply(q->request, s->figures, true);
    return true;
}

static void scrape_free(void *work) {
    struct question *q = work;
    struct scrape *s = q->more;
    if (s)
        figures_free(&s->figures);
    free(s);
    free(q);
}

/* --- Who may --------------------------------------------------------------------------------------- */

static bool address_is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24) == 127;
    if (address->sa_family != AF_INET6)
        return false;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
}

/* From this machine, and not through a proxy on it. */
static bool asker_is_local(const struct request *r) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && address_is_loopback(info->client_addr) && !request_header_get(r, "Forwarded") &&
           !request_header_get(r, "X-Forwarded-For") && !request_header_get(r, "X-Real-IP");
}

/* Everybody else brings a token with the scope `watch`. */
static bool asker_may(struct request *r) {
    const char *value = request_header_get(r, MHD_HTTP_HEADER_AUTHORIZATION);
    struct pass pass;
    if (asker_is_local(r))
        return true;
    if (!value || strncasecmp(value, "Bearer ", 7) != 0) {
        request_problem(r, GW_UNAUTHENTICATED,
                        "from another machine this path needs `Authorization: Bearer TOKEN`");
        return false;
    }
    int code = guard_pass(r->gateway->guard, value + 7 + strspn(value + 7, " "), &pass);
    if (code || !(pass.scopes & SCOPE_watch)) {
        request_problem(r, code ? -code : GW_SCOPE_MISSING, "the token needs the scope `watch`");
        return false;
    }
    return true;
}

void handle_metrics(struct request *r) {
    if (!asker_may(r))
        return;
    struct line *line = gateway_feed_line(r->gateway);
    if (!line || !line_is_up(line)) {
        scrape_reply(r, NULL, false);
        return;
    }
    struct question *q = question_new(r);
    if (!q)
        return;
    r->work_free = scrape_free;
    struct scrape *s = q->more = calloc(1, sizeof *s);
    if (!s || !(s->figures = figures_new())) {
        request_problem(r, EST_NO_MEMORY, "%s", "");
        return;
    }
    s->figures->at = gateway_now();
    q->takes_refusals = true;
    q->ask.patience = (est_span){PATIENCE_MS * EST_US_PER_MS};
    question_ask(q, line, STEPS[0].ask, scrape_step);
}
