/* queries.c - questions about what is: they change nothing and are answered from the record and the
 * core's view of the moment. */
#include "queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 200 };

static void reply(struct broker *b, uint32_t peer, const struct message *m) {
    message_pack(net_out(b->net, peer), m);
    net_sent(b->net, peer);
}

static est_slice account_name(struct broker *b, uint32_t account) {
    return account == 0 ? (est_slice){"", 0} : registry_name(b->registry, THING_ACCOUNT, account);
}

static bool id_is_given(const est_id *id) {
    static const est_id none;
    return memcmp(id, &none, sizeof none) != 0;
}

static bool is_administrator(const struct broker *b, uint32_t peer) {
    struct account_view account;
    core_account(b->core, b->keyring.keys[net_peer(b->net, peer)->key].account, &account);
    return account.level >= EST_LEVEL_ADMINISTRATOR;
}

const bool *types_hidden(struct broker *b, uint32_t peer) {
    bool sees_all = net_peer(b->net, peer)->door != DOOR_OPERATOR || is_administrator(b, peer);
    return sees_all ? NULL : registry_confidential(b->registry, b->store);
}

void refuse_confidential(struct broker *b, uint32_t peer, uint64_t ref) {
    send_error(b, peer, (struct error_is){.ref = ref, .code = EST_NOT_ALLOWED},
               "inquiries of a confidential type need the level administrator");
}

/* A requester names its own, by id or number; an operator any, by number, but for what is confidential: that is
 * refused in so many words, as bodies are, for an operator has to know whom to call. What is foreign is as
 * unknown as what never was; what is damaged is neither, and the broker goes no further. */
int inquiry_of(struct broker *b, uint32_t peer, const est_id *id, uint64_t number, struct inquiry_row *ret) {
    const struct ring_key *key = &b->keyring.keys[net_peer(b->net, peer)->key];
    int found = id != NULL && id_is_given(id) ? store_find(b->store, key->account, id, &number) : 0;
    if (found == 0)
        found = store_row(b->store, number, ret);
    if (found < 0 && found != -EST_NOT_FOUND)
        broker_fail(b, "reading an inquiry");
    if (found < 0)
        return -EST_NOT_FOUND;
    if (key->role != ROLE_OPERATOR)
        return ret->account == key->account ? 0 : -EST_NOT_FOUND;
    const bool *hidden = types_hidden(b, peer);
    return hidden != NULL && hidden[ret->type] ? -EST_NOT_ALLOWED : 0;
}

/* --- Status ---------------------------------------------------------------------------------------- */

/* What its newest event adds: why it is parked or delayed, or what was answered. */
static void status_event(const struct event *e, struct status_is *s, bool bodies) {
    switch (e->type) {
    case EVENT_ANSWERED:
        s->reason = e->answered.reason;
        s->legal_ref = e->answered.legal_ref;
        s->valid_until = e->answered.valid_until;
        s->signer = e->answered.signer;
        s->reply = bodies ? e->answered.body : (est_slice){0};
        break;
    case EVENT_ATTEMPT_FAILED:
        s->reason = e->attempt_failed.reason;
        break;
    case EVENT_PARKED:
        s->reason = e->parked.reason;
        break;
    case EVENT_CANCELLED:
        s->reason = e->cancelled.reason;
        break;
    case EVENT_REDIRECTED:
        s->reason = e->redirected.reason;
        break;
    default:
        break;
    }
}

/* State, lease and delay as they are this moment; the row knows no lease and no delay's end. */
static void status_now(struct broker *b, const struct inquiry_row *row, struct status_is *s) {
    struct inquiry_view view;
    s->state = row->state;
    if (!core_inquiry(b->core, row->number, &view))
        return;
    s->state = view.row.state;
    s->until_us = (uint64_t)view.until.us;
    if (view.row.state == EST_STATE_LEASED) {
        struct session_view holder;
        core_session(b->core, view.holder, &holder);
        s->holder = account_name(b, holder.account);
    }
}

/* The inquiry that STATUS or TIMELINE is about. False: there is none for this peer, and it was said. */
static bool asked_of(struct broker *b, uint32_t peer, uint64_t ref, const est_id *id, uint64_t number,
                     struct inquiry_row *ret) {
    int found = inquiry_of(b, peer, id, number, ret);
    if (found == -EST_NOT_ALLOWED)
        refuse_confidential(b, peer, ref);
    else if (found < 0)
        send_error(b, peer, (struct error_is){.ref = ref, .code = EST_NOT_FOUND}, NULL);
    return found == 0;
}

void query_status(struct broker *b, uint32_t peer, const struct status *ask) {
    struct inquiry_row row;
    struct event submitted, last;
    if (!asked_of(b, peer, ask->ref, &ask->id, ask->number, &row))
        return;
    bool operator_ = net_peer(b->net, peer)->door == DOOR_OPERATOR;
    if (operator_ && ask->bodies && !is_administrator(b, peer)) {
        send_error(b, peer, (struct error_is){.ref = ask->ref, .code = EST_NOT_ALLOWED}, "bodies need the level administrator");
        return;
    }
    if (store_event(b->store, row.number, &submitted) < 0 || store_event(b->store, row.last_seq, &last) < 0) {
        broker_fail(b, "reading an inquiry");
        return;
    }
    char tracking[EST_TRACKING_MAX + 1];
    tracking_code(b, row.number, tracking);
    struct message m;
    m.verb = VERB_STATUS_IS;
    m.status_is = (struct status_is){.ref = ask->ref,
                                     .id = row.id,
                                     .number = row.number,
                                     .tracking = slice_of(tracking),
                                     .account = account_name(b, row.account),
                                     .type = registry_name(b->registry, THING_TYPE, row.type),
                                     .version = row.version,
                                     .department = registry_answerer(b->registry, &row),
                                     .district = row.district,
                                     .received_us = (uint64_t)row.received.us,
                                     .due_us = (uint64_t)row.due.us,
                                     .attempts = row.attempts,
                                     .ended_us = (uint64_t)row.ended.us,
                                     .acked_us = (uint64_t)row.acked.us,
                                     .outcome = row.outcome,
                                     .code = row.code,
                                     .purpose = registry_name(b->registry, THING_PURPOSE, row.purpose),
                                     .case_id = submitted.submitted.case_id,
                                     .request = ask->bodies ? submitted.submitted.body : (est_slice){0}};
    status_now(b, &row, &m.status_is);
    status_event(&last, &m.status_is, ask->bodies != 0);
    reply(b, peer, &m);
}

/* --- Timeline -------------------------------------------------------------------------------------- */

static void row_add(struct broker *b, uint64_t seq, est_time at, const char *event, uint32_t account, uint32_t code,
                    est_slice text) {
    struct timeline_row row = {.seq = seq,
                               .at_us = (uint64_t)at.us,
                               .event = slice_of(event),
                               .actor = account_name(b, account),
                               .code = code,
                               .text = text};
    timeline_row_pack(&b->rows, &row);
}

/* Who did it, with what code and words; since when it was leased (0: it was not) and by whom, where that
 * is another. */
struct told { uint32_t account, code; est_slice text; est_time leased_at; uint32_t holder; };

/* Where from, where to, and why: `1 → 6: reason`. A reason too long for both is cut between characters. */
static est_slice redirect_text(struct broker *b, const struct event_redirected *r) {
    char districts[48];
    size_t room = EST_TEXT_MAX - (size_t)snprintf(districts, sizeof districts, "%u \u2192 %u: ", r->from, r->district);
    size_t size = r->reason.size;
    const uint8_t *text = r->reason.data;
    if (size > room)
        for (size = room; size > 0 && (text[size] & 0xc0) == 0x80;)
            size--;
    buffer_clear(&b->body);
    buffer_put(&b->body, districts, strlen(districts));
    buffer_put(&b->body, text, size);
    return buffer_slice(&b->body);
}

static struct told event_told(struct broker *b, const struct event *e) {
    switch (e->type) {
    case EVENT_SUBMITTED:
        return (struct told){.account = e->submitted.account,
                             .text = registry_name(b->registry, THING_PURPOSE, e->submitted.purpose)};
    case EVENT_ATTEMPT_FAILED:
        return (struct told){e->attempt_failed.account, e->attempt_failed.code, e->attempt_failed.reason,
                             e->attempt_failed.leased_at, 0};
    case EVENT_PARKED:
        return (struct told){e->parked.account, e->parked.code, e->parked.reason, e->parked.leased_at, 0};
    case EVENT_REQUEUED:
        return (struct told){.account = e->requeued.account, .text = e->requeued.reason};
    case EVENT_ANSWERED:
        return (struct told){.account = e->answered.account,
                             .text = slice_of(est_outcome_name((enum est_outcome)e->answered.outcome)),
                             .leased_at = e->answered.leased_at};
    case EVENT_EXPIRED:
        return (struct told){.code = EST_EXPIRED};
    case EVENT_CANCELLED:
        return (struct told){e->cancelled.account, EST_CANCELLED, e->cancelled.reason, {0}, 0};
    case EVENT_REDIRECTED:
        return (struct told){e->redirected.account, 0, redirect_text(b, &e->redirected), e->redirected.leased_at,
                             e->redirected.holder};
    default:
        return (struct told){0};
    }
}

/* The events of an inquiry form a chain back through the log; the oldest comes first here. */
static size_t chain_read(struct broker *b, const struct inquiry_row *row, uint64_t seqs[EVENTS_MAX]) {
    size_t count = 0;
    struct event e;
    for (uint64_t seq = row->last_seq; seq != 0 && count < EVENTS_MAX; seq = e.previous) {
        if (store_event(b->store, seq, &e) < 0) {
            broker_fail(b, "reading a timeline");
            return 0;
        }
        seqs[count++] = seq;
    }
    return count;
}

/* An attempt is told twice: when the lease began, which only its end has recorded, and how it ended. */
static size_t chain_rows(struct broker *b, const uint64_t *seqs, size_t count) {
    size_t rows = 0;
    for (size_t i = count; i-- > 0;) {
        struct event e;
        if (store_event(b->store, seqs[i], &e) < 0)
            return rows;
        struct told told = event_told(b, &e);
        if (told.leased_at.us != 0) {
            row_add(b, 0, told.leased_at, "leased", told.holder != 0 ? told.holder : told.account, 0, (est_slice){0});
            rows++;
        }
        row_add(b, e.seq, e.at, event_name(&e), told.account, told.code, told.text);
        rows++;
    }
    return rows;
}

void query_timeline(struct broker *b, uint32_t peer, const struct timeline *ask) {
    struct inquiry_row row;
    struct inquiry_view view;
    uint64_t seqs[EVENTS_MAX];
    if (!asked_of(b, peer, ask->ref, &ask->id, ask->number, &row))
        return;
    buffer_clear(&b->rows);
    size_t rows = chain_rows(b, seqs, chain_read(b, &row, seqs));
    if (core_inquiry(b->core, row.number, &view) && view.row.state == EST_STATE_LEASED) {
        struct session_view holder;
        core_session(b->core, view.holder, &holder);
        row_add(b, 0, (est_time){view.until.us - b->limits.lease.us}, "leased", holder.account, 0, (est_slice){0});
        rows++;
    }
    if (row.acked.us != 0) {
        row_add(b, 0, row.acked, "acknowledged", row.account, 0, (est_slice){0});
        rows++;
    }
    struct buffer whole;
    buffer_init(&whole);
    pack_array(&whole, rows);
    buffer_put(&whole, b->rows.data, b->rows.size);
    struct message m;
    m.verb = VERB_TIMELINE_IS;
    m.timeline_is = (struct timeline_is){.ref = ask->ref, .id = row.id, .number = row.number, .rows = buffer_slice(&whole)};
    reply(b, peer, &m);
    buffer_done(&whole);
}

/* --- Pages ----------------------------------------------------------------------------------------- */

bool page_department(struct broker *b, uint32_t peer, const struct page *ask, uint32_t *ret) {
    *ret = 0;
    if (ask->department.size == 0)
        return true;
    *ret = registry_number(b->registry, THING_DEPARTMENT, ask->department);
    if (*ret != UINT32_MAX)
        return true;
    char detail[128];
    snprintf(detail, sizeof detail, "department: no `%.*s`", (int)ask->department.size, (const char *)ask->department.data);
    send_error(b, peer, (struct error_is){.ref = ask->ref, .code = EST_INVALID_FIELD}, detail);
    return false;
}

size_t page_limit(const struct page *ask) {
    return ask->limit == 0 || ask->limit > PAGE_MAX ? PAGE_MAX : (size_t)ask->limit;
}

void page_reply(struct broker *b, uint32_t peer, enum verb verb, uint64_t ref, size_t rows, uint64_t next) {
    struct buffer whole;
    buffer_init(&whole);
    pack_array(&whole, rows);
    buffer_put(&whole, b->rows.data, b->rows.size);
    struct message m;
    m.verb = verb;
    m.page_is = (struct page_is){.ref = ref, .rows = buffer_slice(&whole), .next = next};
    reply(b, peer, &m);
    buffer_done(&whole);
}

/* A queue is a department in a district: the lanes of its types there, added up. Lanes are sorted
 * by both, so that a queue is a run of them; `after` is the place where the next run begins. */
static int lane_order(const void *a, const void *b) {
    const struct lane_view *x = a, *y = b;
    if (x->department != y->department)
        return x->department < y->department ? -1 : 1;
    if (x->district != y->district)
        return x->district < y->district ? -1 : 1;
    return x->type < y->type ? -1 : 1;
}

static struct lane_view *lanes_sorted(struct broker *b, size_t count) {
    struct lane_view *lanes = calloc(count + 1, sizeof *lanes);
    for (size_t i = 0; lanes != NULL && i < count; i++)
        core_lane(b->core, i, &lanes[i]);
    if (lanes != NULL)
        qsort(lanes, count, sizeof *lanes, lane_order);
    return lanes;
}

/* The run that begins at *at, packed as one row; *at moves behind it. */
static void queue_add(struct broker *b, const struct lane_view *lanes, size_t count, size_t *at) {
    const struct lane_view *first = &lanes[*at];
    struct queue_row row = {.department = registry_name(b->registry, THING_DEPARTMENT, first->department),
                            .district = first->district};
    for (; *at < count && lanes[*at].department == first->department && lanes[*at].district == first->district; ++*at) {
        const struct lane_view *v = &lanes[*at];
        row.waiting += v->waiting;
        row.delayed += v->delayed;
        row.leased += v->leased;
        row.parked += v->parked;
        if (v->oldest.us != 0 && (row.oldest_us == 0 || (uint64_t)v->oldest.us < row.oldest_us))
            row.oldest_us = (uint64_t)v->oldest.us;
        row.agents = v->agents > row.agents ? v->agents : row.agents;
        row.paused = v->paused;
        row.unserved += v->agents > 0 ? 0 : v->waiting + v->delayed;
    }
    queue_row_pack(&b->rows, &row);
}

/* A paused department that nobody has asked yet has no lane to say so: it gets a row of its own. */
static bool paused_alone(struct broker *b, const struct lane_view *lanes, size_t count, uint32_t department) {
    for (size_t i = 0; i < count; i++)
        if (lanes[i].department == department)
            return false;
    return core_is_paused(b->core, department);
}

void query_queues(struct broker *b, uint32_t peer, const struct page *ask) {
    uint32_t department;
    if (!page_department(b, peer, ask, &department))
        return;
    size_t rows = 0, at = ask->after, count = core_lane_count(b->core);
    struct lane_view *lanes = lanes_sorted(b, count);
    if (lanes == NULL) {
        send_error(b, peer, (struct error_is){.ref = ask->ref, .code = EST_BUSY}, "no memory for the list");
        return;
    }
    buffer_clear(&b->rows);
    while (at < count && rows < page_limit(ask)) {
        if (department != 0 && lanes[at].department != department) {
            at++;
            continue;
        }
        queue_add(b, lanes, count, &at);
        rows++;
    }
    const size_t end = count + b->limits.departments_max; /* behind the lanes come departments, by number */
    for (; at >= count && at < end && rows < page_limit(ask); at++) {
        uint32_t alone = (uint32_t)(at - count);
        if ((department != 0 && department != alone) || !paused_alone(b, lanes, count, alone))
            continue;
        struct queue_row row = {.department = registry_name(b->registry, THING_DEPARTMENT, alone), .paused = 1};
        queue_row_pack(&b->rows, &row);
        rows++;
    }
    page_reply(b, peer, VERB_QUEUES_IS, ask->ref, rows, at < end ? at : 0);
    free(lanes);
}

void query_agents(struct broker *b, uint32_t peer, const struct page *ask) {
    uint32_t department;
    if (!page_department(b, peer, ask, &department))
        return;
    size_t rows = 0;
    uint64_t at = ask->after;
    buffer_clear(&b->rows);
    for (; at < b->limits.sessions_max && rows < page_limit(ask); at++) {
        struct session_view s;
        struct account_view a;
        core_session(b->core, (uint32_t)at, &s);
        if (!s.live || s.role != ROLE_DEPARTMENT)
            continue;
        core_account(b->core, s.account, &a);
        if (department != 0 && a.department != department)
            continue;
        const struct peer *p = net_peer(b->net, (uint32_t)at);
        struct agent_row row = {.session = at,
                                .account = account_name(b, s.account),
                                .department = registry_name(b->registry, THING_DEPARTMENT, a.department),
                                .software = slice_of(p->software),
                                .address = slice_of(p->address),
                                .window = s.window,
                                .leased = s.inflight,
                                .since_us = (uint64_t)s.since.us,
                                .heard_us = (uint64_t)s.heard.us,
                                .answered = s.answered};
        agent_row_pack(&b->rows, &row);
        rows++;
    }
    page_reply(b, peer, VERB_AGENTS_IS, ask->ref, rows, at < b->limits.sessions_max ? at : 0);
}

static void parked_add(struct broker *b, const struct inquiry_row *row, const struct event *e) {
    struct parked_row out = {.number = row->number,
                             .type = registry_name(b->registry, THING_TYPE, row->type),
                             .department = registry_answerer(b->registry, row),
                             .district = row->district,
                             .at_us = (uint64_t)e->at.us,
                             .code = row->code,
                             .attempts = row->attempts,
                             .reason = e->type == EVENT_PARKED ? e->parked.reason : (est_slice){0}};
    parked_row_pack(&b->rows, &out);
}

void query_parked(struct broker *b, uint32_t peer, const struct page *ask) {
    uint64_t numbers[PAGE_MAX];
    uint32_t department;
    if (!page_department(b, peer, ask, &department))
        return;
    size_t limit = page_limit(ask);
    size_t count = core_parked(b->core, department, types_hidden(b, peer), ask->after, numbers, limit);
    buffer_clear(&b->rows);
    for (size_t i = 0; i < count; i++) {
        struct inquiry_row row;
        struct event e;
        if (store_row(b->store, numbers[i], &row) < 0 || store_event(b->store, row.last_seq, &e) < 0) {
            broker_fail(b, "reading a parked inquiry");
            return;
        }
        parked_add(b, &row, &e);
    }
    page_reply(b, peer, VERB_PARKED_IS, ask->ref, count, count == limit ? numbers[count - 1] : 0);
}
