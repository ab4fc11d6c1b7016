/* health.c - GET /livez and /readyz: may a load balancer send requests here?
 *
 * Alive is a gateway that answers. Ready is one that is not stopping, can read its tokens, without which
 * nobody passes, and reaches the broker for each of the roles that its configuration has. One account whose
 * key was revoked is that account's trouble and no reason to take the door from all the others: `?verbose`
 * tells of it, and an alert.
 */
#include "guard.h"
#include "question.h"
#include "route.h"

#include <stdio.h>
#include <string.h>

/* `?verbose`, with or without a value. */
static bool is_verbose(const struct request *r) {
    const char *value;
    size_t size;
    return MHD_lookup_connection_value_n(r->connection, MHD_GET_ARGUMENT_KIND, "verbose", strlen("verbose"),
                                         &value, &size) == MHD_YES;
}

struct report {
    char text[16384];
    size_t used;
    bool good;
};

static void report_line(struct report *report, char mark, const char *what, const char *name,
                        const char *why) {
    size_t left = sizeof report->text - report->used;
    int size = snprintf(report->text + report->used, left, "[%c]%s%s%s %s%s%s\n", mark, what,
                        *name ? " " : "", name, mark == '+' ? "ok" : "failed", *why ? ": " : "", why);
    report->used += (size_t)size < left ? (size_t)size : 0;
}

static void report_add(struct report *report, bool good, const char *what, const char *why) {
    report_line(report, good ? '+' : '-', what, "", why);
    report->good = report->good && good;
}

/* The accounts of a role, and whether any of them has a session; nothing where there is no such account. */
static void role_report(struct report *report, const struct gateway *g, unsigned role, const char *name,
                        const char *door) {
    size_t accounts = 0, up = 0;
    const char *why = "";
    for (size_t i = 0; i < g->config.accounts_count; i++) {
        const struct line *line = g->lines[i];
        if (line_role(line) != role)
            continue;
        accounts++;
        up += line_is_up(line);
        if (!line_is_up(line))
            why = est_code_name(line_down_code(line));
        report_line(report, line_is_up(line) ? '+' : '!', name, line_account(line),
                    line_is_up(line) ? "" : why);
    }
    if (accounts)
        report_add(report, up > 0, door, up > 0 ? "" : why);
}

/* Good and not asked for more: "ok". Else each line, and the sum of them. */
static void report_reply(struct request *r, struct report *report, const char *name) {
    char text[sizeof report->text + 64];
    int size = snprintf(text, sizeof text, "ok\n");
    if (!report->good || is_verbose(r))
        size = snprintf(text, sizeof text, "%s%s check %s\n", report->text, name,
                        report->good ? "passed" : "failed");
    request_text(r, report->good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8",
                 text, (size_t)size);
    if (!report->good)
        request_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
}

void handle_livez(struct request *r) {
    struct report report = {.good = true};
    report_add(&report, true, "http", "");
    report_reply(r, &report, "livez");
}

void handle_readyz(struct request *r) {
    struct report report = {.good = true};
    report_add(&report, true, "http", "");
    report_add(&report, !r->gateway->stopping, "not-stopping", "");
    bool tokens = guard_reads(r->gateway->guard);
    report_add(&report, tokens, "tokens", tokens ? "" : "the file cannot be read; see the gateway's log");
    role_report(&report, r->gateway, ROLE_REQUESTER_BIT, "requester", "broker-requesters");
    role_report(&report, r->gateway, ROLE_OPERATOR_BIT, "operator", "broker-operators");
    report_reply(r, &report, "readyz");
}
