/* cmd_search.c - inquiries by a filter, and the index that finds them. */
#include "number.h"
#include "pages.h"
#include "run.h"
#include "say.h"
#include "table.h"
#include "moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_DEFAULT = 50, FIND_PAGE_ROWS = 500, REBUILD_LOOK_MS = 250 };

/* --- inquiry list -------------------------------------------------------------------------------- */

static const struct column columns[] = {
    {"number", "number", true, 0},      {"id", NULL, false, 0},
    {"tracking", "tracking", false, 0}, {"type", "type", false, 0},
    {"version", NULL, true, 0},         {"department", "department", false, 0},
    {"district", "district", true, 0},  {"requester", "requester", false, 0},
    {"purpose", NULL, false, 0},        {"case_id", "case", false, 0},
    {"parcel", "parcel", false, 0},     {"state", "state", false, 0},
    {"outcome", "outcome", false, 0},   {"code", "code", false, 0},
    {"attempts", "attempts", true, 0},  {"received_at", "received", false, 0},
    {"due_at", NULL, false, 0},         {"ended_at", "ended", false, 0},
};

static void row_add(struct table *table, const est_find_row *row) {
    cell_uint(table, row->number);
    cell_text(table, row->id);
    cell_text(table, row->tracking);
    cell_text(table, row->type);
    cell_uint(table, row->version);
    cell_text(table, row->department);
    cell_number(table, row->district);
    cell_text(table, row->requester);
    cell_text(table, row->purpose);
    cell_text(table, row->case_id);
    cell_text(table, row->parcel);
    cell_cstr(table, est_state_name(row->state));
    cell_cstr(table, row->outcome != EST_OUTCOME_NONE ? est_outcome_name(row->outcome) : "");
    cell_cstr(table, row->code != EST_OK ? est_code_name(row->code) : "");
    cell_uint(table, row->attempts);
    cell_time(table, row->received);
    cell_time(table, row->due);
    cell_time(table, row->ended);
}

static int limit_read(const struct call *call, uint64_t *ret) {
    const char *text = call_value(call, "limit");
    *ret = LIMIT_DEFAULT;
    if (!text)
        return 0;
    if (!number_parse(text, UINT64_MAX, ret))
        return call_usage(call, "--limit takes a number of rows, not `%s`", text);
    if (*ret == 0)
        *ret = UINT64_MAX;
    return 0;
}

static int find_ask(const struct call *call, struct peer *peer, uint64_t after, uint64_t limit, bool count,
                    est_event *ret) {
    uint64_t ref = peer_ref(peer);
    unsigned rows = limit < FIND_PAGE_ROWS ? (unsigned)limit : FIND_PAGE_ROWS;
    int sent = est_client_find(peer->client, ref, call_value(call, "query"), after, rows, count);
    return peer_answer(peer, sent, ref, EST_EVENT_FIND, ret);
}

static void behind_say(const est_event *event) {
    if (event->behind > 0)
        say_remark("%" PRIu64 " events are on disk and not in the index yet", event->behind);
}

/* What goes to a program goes page by page; a table for people is aligned as a whole. */
static void page_show(const struct call *call, struct table *table, bool first) {
    if (call_has(call, "csv"))
        table_print_csv(table, first, stdout);
    else if (call_json(call))
        table_print_json(table, stdout);
    else
        return;
    table_clear(table);
}

static int list_show(const struct call *call, struct peer *peer, uint64_t limit) {
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    est_event event = {.next = 0};
    uint64_t shown = 0;
    bool first = true;
    int status;
    do {
        est_find_row row;
        status = find_ask(call, peer, event.next, limit - shown, false, &event);
        if (status)
            break;
        for (size_t i = 0; shown < limit && est_row_find(&event, i, &row); i++, shown++)
            row_add(table, &row);
        page_show(call, table, first);
        first = false;
    } while (event.next != 0 && shown < limit);
    if (!status && !call_json(call) && !call_has(call, "csv"))
        table_show(table, call);
    if (!status && shown == 0)
        say_remark("no inquiry is like that");
    if (!status && event.next != 0)
        say_remark("there may be more; see --limit and --count");
    if (!status)
        behind_say(&event);
    table_free(&table);
    return status;
}

static int count_show(const struct call *call, struct peer *peer) {
    est_event event;
    int status = find_ask(call, peer, 0, 1, true, &event);
    if (status)
        return status;
    printf(call_json(call) ? "{\"count\":%" PRIu64 ",\"counted_all\":%s}\n" : "%" PRIu64 "\n", event.count,
           event.counted_all ? "true" : "false");
    if (!event.counted_all)
        say_remark("there are more: after so many the broker stops counting");
    behind_say(&event);
    return 0;
}

int run_inquiry_list(const struct call *call) {
    struct desk desk;
    uint64_t limit;
    if (call_has(call, "csv") && call_json(call))
        return call_usage(call, "either --csv or --json");
    int status = limit_read(call, &limit);
    if (status)
        return status;
    status = desk_open(call, &desk);
    if (!status)
        status = call_has(call, "count") ? count_show(call, &desk.peer) : list_show(call, &desk.peer, limit);
    desk_close(&desk);
    return status;
}

/* --- index status -------------------------------------------------------------------------------- */

struct index_now {
    bool there;
    uint64_t seq, behind, entries, bytes, rebuilding, failed;
};

static const struct {
    const char *name;
    size_t offset;
} figures[] = {
    {"index_seq", offsetof(struct index_now, seq)},
    {"index_behind", offsetof(struct index_now, behind)},
    {"index_entries", offsetof(struct index_now, entries)},
    {"index_bytes", offsetof(struct index_now, bytes)},
    {"index_rebuilding", offsetof(struct index_now, rebuilding)},
    {"index_failed", offsetof(struct index_now, failed)},
};

static void figure_take(struct index_now *now, const est_stat_row *row) {
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        if (row->name.size != strlen(figures[i].name) ||
            memcmp(row->name.data, figures[i].name, row->name.size) != 0)
            continue;
        memcpy((char *)now + figures[i].offset, &row->value, sizeof row->value);
        now->there = true;
    }
}

static int index_look(struct peer *peer, struct index_now *ret) {
    est_event event;
    est_stat_row row;
    uint64_t ref = peer_ref(peer);
    int status = peer_answer(peer, est_client_stats(peer->client, ref), ref, EST_EVENT_STATS, &event);
    *ret = (struct index_now){.there = false};
    for (size_t i = 0; !status && est_row_stat(&event, i, &row); i++)
        figure_take(ret, &row);
    if (!status && !ret->there) {
        say_error(EST_BUSY, "see index: in its broker.yaml", "this broker runs without an index");
        status = EXIT_REFUSED;
    }
    return status;
}

static const char *index_state(const struct index_now *now) {
    return now->failed ? "off" : now->rebuilding ? "building" : "following";
}

static void index_show(const struct call *call, const struct index_now *now) {
    static const struct column sheet[] = {{"state", "state", false, 0},
                                          {"seq", "events in it", false, 0},
                                          {"behind", "events behind", false, 0},
                                          {"entries", "inquiries", false, 0},
                                          {"bytes", "bytes on disk", false, 0}};
    struct table *table = table_new(sheet, sizeof sheet / sizeof sheet[0]);
    cell_cstr(table, index_state(now));
    cell_uint(table, now->seq);
    cell_uint(table, now->behind);
    cell_uint(table, now->entries);
    cell_uint(table, now->bytes);
    table_show_sheet(table, call);
    table_free(&table);
    if (now->failed)
        say_remark("search is off; the broker's journal says why, and it tries again by itself");
}

int run_index_status(const struct call *call) {
    struct index_now now;
    struct desk desk;
    int status = desk_open(call, &desk);
    if (!status)
        status = index_look(&desk.peer, &now);
    if (!status)
        index_show(call, &now);
    desk_close(&desk);
    return status;
}

/* --- index rebuild ------------------------------------------------------------------------------- */

/* On a terminal one line that changes; elsewhere a line for each tenth. */
static void progress_show(const struct index_now *now, unsigned *tenth) {
    uint64_t all = now->seq + now->behind;
    unsigned percent = all > 0 ? (unsigned)(now->seq * 100 / all) : 100;
    bool terminal = isatty(STDERR_FILENO);
    if (!terminal && percent / 10 == *tenth)
        return;
    *tenth = percent / 10;
    fprintf(stderr, "%s%3u %%  %" PRIu64 " of %" PRIu64 " events%s", terminal ? "\r" : "", percent, now->seq,
            all, terminal ? "" : "\n");
}

static int look_pause(struct peer *peer) {
    int64_t until = moment_ticks() + REBUILD_LOOK_MS;
    est_event event;
    int got;
    while ((got = peer_next(peer, until, &event)) > 0)
        continue;
    return got < 0 ? peer_say_lost(peer, got) : 0;
}

static int rebuild_follow(struct peer *peer, struct index_now *ret) {
    unsigned tenth = UINT_MAX;
    int status;
    do {
        status = index_look(peer, ret);
        if (!status)
            progress_show(ret, &tenth);
        if (!status && ret->rebuilding)
            status = look_pause(peer);
    } while (!status && ret->rebuilding && !ret->failed);
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    return status;
}

int run_index_rebuild(const struct call *call) {
    struct index_now now;
    struct desk desk;
    est_event event;
    int status = desk_open(call, &desk);
    if (!status) {
        uint64_t ref = peer_ref(&desk.peer);
        int sent = est_client_reindex(desk.peer.client, ref, call_value(call, "reason"));
        status = peer_answer(&desk.peer, sent, ref, EST_EVENT_DONE, &event);
    }
    if (!status)
        status = rebuild_follow(&desk.peer, &now);
    if (!status)
        index_show(call, &now);
    if (!status && now.failed)
        status = EXIT_REFUSED;
    desk_close(&desk);
    return status;
}
