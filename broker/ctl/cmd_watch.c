/* cmd_watch.c - the event tail: a line for each event, as it enters the log. */
#include "number.h"
#include "pages.h"
#include "run.h"
#include "say.h"
#include "table.h"
#include "text.h"
#include "moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WATCH_LOOK_MS = 200, WATCH_ROWS = 500 };

static const struct column columns[] = {
    {"seq", "seq", true, 0},           {"at", "at", false, 0},
    {"event", "event", false, 0},      {"number", "number", true, 0},
    {"type", "type", false, 0},        {"department", "department", false, 0},
    {"district", "district", true, 0}, {"requester", "requester", false, 0},
    {"actor", "actor", false, 0},      {"outcome", "outcome", false, 0},
    {"code", "code", false, 0},        {"text", "text", false, 0},
    {"case_id", "case", false, 0},     {"tracking", "tracking", false, 0},
    {"leased_at", NULL, false, 0},
};

static void row_add(struct table *table, const est_event_row *row) {
    cell_uint(table, row->seq);
    cell_time(table, row->at);
    cell_text(table, row->event);
    cell_number(table, row->number);
    cell_text(table, row->type);
    cell_text(table, row->department);
    cell_number(table, row->district);
    cell_text(table, row->requester);
    cell_text(table, row->actor);
    cell_cstr(table, row->outcome != EST_OUTCOME_NONE ? est_outcome_name(row->outcome) : "");
    cell_cstr(table, row->code != EST_OK ? est_code_name(row->code) : "");
    cell_text(table, row->text);
    cell_text(table, row->case_id);
    cell_text(table, row->tracking);
    cell_time(table, row->leased);
}

/* A text out of somebody else's system: controls become question marks, and it is behind its word. */
static void word_print(const char *word, est_slice text) {
    char *clean = text.size > 0 ? text_clean(text) : NULL;
    if (clean)
        printf("  %s%s%s", word, *word ? " " : "", clean);
    free(clean);
}

/* Lines come one by one, so that columns have fixed widths where that is possible. */
static void row_print(const est_event_row *row) {
    char at[MOMENT_SIZE];
    moment_local(row->at, at);
    printf("%s  %-14.*s", at, (int)row->event.size, (const char *)row->event.data);
    if (row->number != 0)
        printf("  %8" PRIu64, row->number);
    word_print("", row->type);
    word_print("", row->department);
    if (row->district != 0)
        printf("  district %u", row->district);
    word_print("by", row->actor);
    if (row->outcome != EST_OUTCOME_NONE)
        printf("  %s", est_outcome_name(row->outcome));
    if (row->code != EST_OK)
        printf("  %s", est_code_name(row->code));
    word_print("-", row->text);
    putchar('\n');
}

static void page_show(const struct call *call, const est_event *event) {
    est_event_row row;
    if (!call_json(call)) {
        for (size_t i = 0; est_row_event(event, i, &row); i++)
            row_print(&row);
        return;
    }
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; est_row_event(event, i, &row); i++)
        row_add(table, &row);
    table_print_json(table, stdout);
    table_free(&table);
}

static int events_ask(const struct call *call, struct peer *peer, uint64_t after, est_event *ret) {
    uint64_t ref = peer_ref(peer);
    int sent = est_client_events(peer->client, ref, call_value(call, "department"), after, WATCH_ROWS);
    return peer_answer(peer, sent, ref, EST_EVENT_EVENTS, ret);
}

/* Where to begin: behind --after, or behind the newest event there is. */
static int begin_find(const struct call *call, struct peer *peer, uint64_t *ret) {
    est_event event;
    if (call_has(call, "after"))
        return 0; /* it was read before anybody was asked */
    int status = events_ask(call, peer, INT64_MAX, &event);
    *ret = status ? 0 : event.head;
    return status;
}

static int pause_make(struct peer *peer) {
    int64_t until = moment_ticks() + WATCH_LOOK_MS;
    est_event event;
    int got;
    while ((got = peer_next(peer, until, &event)) > 0)
        continue;
    return got < 0 ? peer_say_lost(peer, got) : 0;
}

/* An older copy of the broker's store was put back: what was told above its head is in the log no more, and its
 * numbers are given again. Without a word the tail would be silent until the new log has passed its place. */
static uint64_t place_turn_back(uint64_t after, uint64_t head) {
    say_remark("the log ends at event %" PRIu64 ", before event %" PRIu64 ": an older copy of the broker's store was "
               "put back, or --after is too high; from %" PRIu64 " on it is followed further",
               head, after, head);
    return head;
}

static int events_follow(const struct call *call, struct peer *peer, uint64_t after) {
    for (;;) {
        est_event event;
        int status = events_ask(call, peer, after, &event);
        if (status)
            return status;
        page_show(call, &event);
        after = event.next <= event.head ? event.next : place_turn_back(after, event.head);
        bool at_end = after >= event.head;
        status = say_flush();
        if (!status && at_end)
            status = pause_make(peer);
        if (status)
            return status;
    }
}

int run_watch(const struct call *call) {
    const char *after_text = call_value(call, "after");
    uint64_t after = 0;
    struct desk desk;
    if (after_text && !number_parse(after_text, INT64_MAX, &after))
        return call_usage(call, "--after takes the number of an event, not `%s`", after_text);
    int status = desk_open(call, &desk);
    if (!status)
        status = begin_find(call, &desk.peer, &after);
    if (!status)
        status = events_follow(call, &desk.peer, after);
    desk_close(&desk);
    return status;
}
