/* cmd_inquiry.c - one inquiry that is under way or long over: status, timeline, cancel. */
#include "catalogue.h"
#include "ident.h"
#include "number.h"
#include "peer.h"
#include "run.h"
#include "say.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Which inquiry, and the conversation about it. */
struct about {
    struct profile profile;
    struct catalogue *catalogue;
    struct peer peer;
    est_id id;
    const est_id *by_id; /* NULL: by number */
    uint64_t number;
    char tracking[EST_TRACKING_MAX + 1]; /* empty: it was not named so */
};

static int about_parse(const struct call *call, struct about *ret) {
    const char *text = call->arguments[0];
    if (number_parse(text, UINT64_MAX, &ret->number) && ret->number)
        return 0;
    if (ident_tracking(slice_of(text), ret->tracking, &ret->number))
        return 0;
    if (est_id_parse(text, &ret->id))
        return call_usage(call, "`%s` is no UUID, number or tracking code", text);
    if (call_has(call, "operator"))
        return call_usage(
            call, "an operator names an inquiry by its number: ids belong to the account that made them");
    ret->by_id = &ret->id;
    return 0;
}

/* The first half of a tracking code is the number; the second only the broker can make, and its status has it. Nothing
 * is said or done about another inquiry because of a slip of the pen. */
static int tracking_check(struct about *about) {
    est_event event;
    if (!about->tracking[0])
        return 0;
    uint64_t ref = peer_ref(&about->peer);
    int sent = est_client_status(about->peer.client, ref, NULL, about->number, false);
    int status = peer_answer(&about->peer, sent, ref, EST_EVENT_STATUS, &event);
    if (status || slice_equal(event.tracking, slice_of(about->tracking)))
        return status;
    say_error(EST_NOT_FOUND, "read the code once more", "no inquiry has the tracking code %s", about->tracking);
    return EXIT_REFUSED;
}

static int about_open(const struct call *call, struct about *ret) {
    memset(ret, 0, sizeof *ret);
    int status = about_parse(call, ret);
    if (!status)
        status = profile_load(call, &ret->profile);
    if (!status)
        status = profile_catalogue(call, &ret->profile, &ret->catalogue);
    if (!status)
        status = peer_open(call, &ret->profile, call_has(call, "operator") ? SIDE_OPERATOR : SIDE_REQUESTER,
                           0, &ret->peer);
    if (!status)
        status = tracking_check(ret);
    return status;
}

static void about_close(struct about *about) {
    peer_close(&about->peer);
    catalogue_free(&about->catalogue);
    profile_done(&about->profile);
}

/* --- Status ----------------------------------------------------------------------------------- */

static const struct column STATUS_COLUMNS[] = {
    {"id", "id", false, 0},
    {"number", "number", false, 0},
    {"tracking", "tracking code", false, 0},
    {"account", "asked by", false, 0},
    {"type", "type", false, 0},
    {"version", "version", false, 0},
    {"title_en", "title", false, 0},
    {"title_fa", "عنوان", false, 0},
    {"department", "department", false, 0},
    {"district", "district", false, 0},
    {"purpose", "purpose", false, 0},
    {"case", "case", false, 0},
    {"received", "received", false, 0},
    {"due", "due", false, 0},
    {"state", "state", false, 0},
    {"attempts", "failed attempts", false, 0},
    {"holder", "held by", false, 0},
    {"until", "until", false, 0},
    {"ended", "ended", false, 0},
    {"outcome", "outcome", false, 0},
    {"code", "code", false, 0},
    {"reason", "reason", false, 0},
    {"legal_ref", "legal reference", false, 0},
    {"valid_until", "valid until", false, 0},
    {"signer", "signer", false, 0},
    {"acked", "taken", false, 0},
    {"request", "request", false, 0},
    {"reply", "answer", false, 0},
};

static void status_identity_cells(struct table *table, const est_event *event, const struct ctype *type) {
    char id[EST_ID_TEXT_SIZE];
    est_id_format(&event->id, id);
    cell_cstr(table, id);
    cell_number(table, event->number);
    cell_text(table, event->tracking);
    cell_text(table, event->account);
    cell_text(table, event->type);
    cell_number(table, event->version);
    cell_cstr(table, type ? type->title_en : NULL);
    cell_cstr(table, type ? type->title_fa : NULL);
    cell_text(table, event->department);
    cell_number(table, event->district);
    cell_text(table, event->purpose);
    cell_text(table, event->case_id);
    cell_time(table, event->at);
    cell_time(table, event->due);
}

static void status_state_cells(struct table *table, const est_event *event) {
    cell_cstr(table, est_state_name(event->state));
    cell_uint(table, event->attempts);
    cell_text(table, event->holder);
    cell_time(table, event->until);
    cell_time(table, event->ended);
    cell_cstr(table, event->outcome ? est_outcome_name(event->outcome) : NULL);
    cell_cstr(table, event->code ? est_code_name(event->code) : NULL);
    cell_text(table, event->reason);
    cell_text(table, event->legal_ref);
    cell_text(table, event->valid_until);
    cell_text(table, event->signer);
    cell_time(table, event->acked);
    cell_body(table, event->request);
    cell_body(table, event->body);
}

int run_status(const struct call *call) {
    struct about about;
    est_event event;
    int status = about_open(call, &about);
    if (!status) {
        uint64_t ref = peer_ref(&about.peer);
        int sent =
            est_client_status(about.peer.client, ref, about.by_id, about.number, call_has(call, "bodies"));
        status = peer_answer(&about.peer, sent, ref, EST_EVENT_STATUS, &event);
    }
    if (!status) {
        struct table *table = table_new(STATUS_COLUMNS, sizeof STATUS_COLUMNS / sizeof STATUS_COLUMNS[0]);
        status_identity_cells(table, &event,
                              about.catalogue ? catalogue_type(about.catalogue, event.type) : NULL);
        status_state_cells(table, &event);
        table_show_sheet(table, call);
        table_free(&table);
    }
    about_close(&about);
    return status;
}

/* --- Timeline --------------------------------------------------------------------------------- */

static void timeline_show(const struct call *call, const est_event *event) {
    static const struct column columns[] = {
        {"at", "time", false, 0},  {"seq", "event no.", true, 0}, {"event", "event", false, 0},
        {"actor", "by", false, 0}, {"code", "code", false, 0},    {"text", "text", false, 0},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    est_timeline_row row;
    for (size_t i = 0; est_row_timeline(event, i, &row); i++) {
        cell_time(table, row.at);
        cell_number(table, row.seq); /* a lease is not in the log */
        cell_text(table, row.event);
        cell_text(table, row.actor.size ? row.actor : slice_of("broker"));
        cell_cstr(table, row.code ? est_code_name(row.code) : NULL);
        cell_text(table, row.text);
    }
    table_show(table, call);
    table_free(&table);
}

int run_timeline(const struct call *call) {
    struct about about;
    est_event event;
    int status = about_open(call, &about);
    if (!status) {
        uint64_t ref = peer_ref(&about.peer);
        int sent = est_client_timeline(about.peer.client, ref, about.by_id, about.number);
        status = peer_answer(&about.peer, sent, ref, EST_EVENT_TIMELINE, &event);
    }
    if (!status)
        timeline_show(call, &event);
    about_close(&about);
    return status;
}

/* --- Cancel ----------------------------------------------------------------------------------- */

int run_cancel(const struct call *call) {
    struct about about;
    est_event event;
    int status = about_open(call, &about);
    if (!status) {
        uint64_t ref = peer_ref(&about.peer);
        int sent =
            est_client_cancel(about.peer.client, ref, about.by_id, about.number, call_value(call, "reason"));
        status = peer_answer(&about.peer, sent, ref, EST_EVENT_DONE, &event);
    }
    if (!status && call_json(call))
        puts("{\"cancelled\":true}");
    else if (!status)
        say_remark("cancelled");
    about_close(&about);
    return status;
}
