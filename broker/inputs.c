/* inputs.c - a peer's commands become inputs of the core.
 *
 * What needs the catalogue or the store is done here, before the core decides: names become
 * numbers, a body is checked and made canonical, an id is looked up. Every command that asks gets
 * exactly one answer, here or from the core.
 */
#include "broker.h"

#include <stdio.h>
#include <string.h>

/* --- Ends ------------------------------------------------------------------------------------------ */

static void session_down(struct broker *b, uint32_t peer, bool in_order) {
    struct input in = {.kind = INPUT_SESSION_DOWN, .session = peer, .down = {in_order}};
    broker_step(b, &in);
}

void peer_end(struct broker *b, uint32_t peer, int code, const char *text) {
    if (net_peer(b->net, peer)->session)
        session_down(b, peer, false); /* that of one that said BYE is down already */
    recorded_flush(b);
    struct message m;
    m.verb = VERB_BYE;
    m.bye = (struct bye){.code = (uint64_t)code, .text = slice_of(text != NULL ? text : est_code_text(code))};
    message_pack(net_out(b->net, peer), &m);
    net_sent(b->net, peer);
    if (code != EST_OK)
        log_line(5, "%s from %s: session ended: %s: %s", b->keyring.keys[net_peer(b->net, peer)->key].name,
                 net_peer(b->net, peer)->address, est_code_name(code), text != NULL ? text : est_code_text(code));
    net_release(b->net, peer, b->now);
}

void peer_malformed(struct broker *b, uint32_t peer, const char *why) {
    b->refused[EST_MALFORMED]++;
    peer_end(b, peer, EST_MALFORMED, why);
}

/* --- Any door -------------------------------------------------------------------------------------- */

static enum est_level level_of(const struct broker *b, uint32_t peer) {
    struct account_view account;
    core_account(b->core, b->keyring.keys[net_peer(b->net, peer)->key].account, &account);
    return account.level;
}

static void welcome(struct broker *b, uint32_t peer, uint64_t window) {
    net_peer(b->net, peer)->level = level_of(b, peer);
    const struct ring_key *key = &b->keyring.keys[net_peer(b->net, peer)->key];
    struct message m;
    m.verb = VERB_WELCOME;
    m.welcome = (struct welcome){.version = PROTOCOL_VERSION,
                                 .session = peer,
                                 .account = slice_of(key->name),
                                 .city = slice_of(b->catalogue->city.name),
                                 .heartbeat_ms = (uint64_t)(b->limits.heartbeat.us / EST_US_PER_MS),
                                 .window = window,
                                 .asks_max = ASKS_MAX,
                                 .frame_max = EST_FRAME_MAX,
                                 .body_max = EST_BODY_MAX,
                                 .lease_ms = (uint64_t)(b->limits.lease.us / EST_US_PER_MS),
                                 .time_us = (uint64_t)b->now.us,
                                 .revision = PROTOCOL_REVISION,
                                 .level = net_peer(b->net, peer)->level};
    message_pack(net_out(b->net, peer), &m);
    net_sent(b->net, peer);
}

static enum door door_of(enum role role) {
    return role == ROLE_REQUESTER ? DOOR_REQUESTER : role == ROLE_DEPARTMENT ? DOOR_DEPARTMENT : DOOR_OPERATOR;
}

enum { PEER_FRAME_MIN = EST_BODY_MAX * 2 + 16 * 1024 };

static void on_hello(struct broker *b, uint32_t peer, const struct message *m) {
    struct peer *p = net_peer(b->net, peer);
    const struct hello *hello = &m->hello;
    uint32_t account = b->keyring.keys[p->key].account;
    if (p->session) {
        peer_malformed(b, peer, "a second HELLO");
        return;
    }
    if (door_of(b->keyring.keys[p->key].role) != p->door) { /* the key was given to another since the handshake */
        b->refused[EST_KEY_REVOKED]++;
        peer_end(b, peer, EST_KEY_REVOKED, NULL);
        return;
    }
    if (hello->version_min > PROTOCOL_VERSION || hello->version_max < PROTOCOL_VERSION) {
        peer_end(b, peer, EST_VERSION_UNSUPPORTED, "this broker speaks protocol version 1 alone");
        return;
    }
    if (hello->frame_max != 0 && hello->frame_max < EST_FRAME_MAX)
        p->frame_max = hello->frame_max < PEER_FRAME_MIN ? PEER_FRAME_MIN : (uint32_t)hello->frame_max;
    memcpy(p->software, hello->software.data, hello->software.size); /* at most SOFTWARE_MAX, or it were malformed */
    p->software[hello->software.size] = '\0';
    uint64_t window = hello->window == 0 || hello->window > b->limits.window_max ? b->limits.window_max : hello->window;
    p->session = true;
    welcome(b, peer, window);
    struct input in = {.kind = INPUT_SESSION_UP, .session = peer};
    in.up = (struct input_session_up){.account = account,
                                      .window = (uint32_t)window,
                                      .results = hello->results > RESULTS_ALL ? RESULTS_ALL : (uint32_t)hello->results};
    broker_step(b, &in);
}

static void on_ping(struct broker *b, uint32_t peer, const struct message *m) {
    struct message pong;
    pong.verb = VERB_PONG;
    pong.ping.token = m->ping.token;
    message_pack(net_out(b->net, peer), &pong);
    net_sent(b->net, peer);
}

static void on_pong(struct broker *b, uint32_t peer, const struct message *m) {
    (void)b, (void)peer, (void)m; /* that it came is all it says; the frame was heard */
}

static void on_bye(struct broker *b, uint32_t peer, const struct message *m) {
    session_down(b, peer, m->bye.code == EST_OK || m->bye.code == EST_STOPPING);
    peer_end(b, peer, EST_OK, "goodbye");
}

/* --- Requesters ------------------------------------------------------------------------------------ */

static void submit_refuse(struct broker *b, uint32_t peer, const est_id *id, int code, const char *detail) {
    send_error(b, peer, (struct error_is){.id = *id, .code = (uint64_t)code}, detail);
}

static est_slice defects_rows(struct broker *b) {
    buffer_clear(&b->rows);
    pack_array(&b->rows, b->defects.kept);
    for (size_t i = 0; i < b->defects.kept; i++)
        defect_pack(&b->rows, &b->defects.at[i]);
    return buffer_slice(&b->rows);
}

/* The id is known: is it the same question? The body is made canonical by the version that the
 * inquiry began with and by no city's rule of parcels, so a catalogue that changed since does not turn a resend into
 * a conflict. */
static void submit_known(struct broker *b, const struct submit *s, uint64_t number, struct input *in) {
    struct inquiry_row row;
    struct event e;
    if (store_row(b->store, number, &row) < 0 || store_event(b->store, number, &e) < 0) {
        broker_fail(b, "reading an inquiry");
        return;
    }
    const struct ctype *type = registry_version(b->registry, b->store, row.type, row.version);
    in->submit.known = number;
    in->submit.it.id = s->id;
    in->submit.same = type != NULL && slice_equal(registry_name(b->registry, THING_TYPE, row.type), s->type) &&
                      slice_equal(registry_name(b->registry, THING_PURPOSE, row.purpose), s->purpose) &&
                      ctype_same_request(type, NULL, s->body, e.submitted.body, &b->defects);
    broker_step(b, in);
}

/* The type's own end of waiting, or the requester's when that is sooner. */
static est_time due_of(const struct broker *b, const struct ctype *type, uint64_t deadline_us) {
    int64_t due = b->now.us + type->expires.us;
    if (deadline_us != 0 && deadline_us < (uint64_t)due)
        due = (int64_t)deadline_us;
    return (est_time){due};
}

/* What people type is shown to people, in terminals and tables: one line, and no control characters. */
static bool line_is_clean(est_slice text) {
    return !utf8_scan(text).has_control;
}

static void submit_new(struct broker *b, uint32_t peer, const struct submit *s, struct input *in) {
    const struct ctype *type;
    uint32_t number, version;
    char detail[200];
    if (!registry_type(b->registry, s->type, &type, &number, &version)) {
        snprintf(detail, sizeof detail, "`%.*s`", (int)s->type.size, (const char *)s->type.data);
        submit_refuse(b, peer, &s->id, EST_UNKNOWN_TYPE, detail);
        return;
    }
    int purpose = registry_purpose(b->registry, s->purpose);
    if (purpose < 0 || !registry_type_has_purpose(b->registry, type, (uint32_t)purpose)) {
        snprintf(detail, sizeof detail, "purpose: %s is not asked for `%.*s`", type->name, (int)s->purpose.size,
                 (const char *)s->purpose.data);
        submit_refuse(b, peer, &s->id, EST_INVALID_FIELD, detail);
        return;
    }
    if (!line_is_clean(s->case_id)) {
        submit_refuse(b, peer, &s->id, EST_INVALID_FIELD, "case_id: has a control character");
        return;
    }
    uint32_t account = b->keyring.keys[net_peer(b->net, peer)->key].account;
    unsigned district = 0;
    if (!core_may_ask(b->core, account, number, (uint32_t)purpose)) {
        snprintf(detail, sizeof detail, "%s for `%.*s`", type->name, (int)s->purpose.size, (const char *)s->purpose.data);
        submit_refuse(b, peer, &s->id, EST_NOT_ALLOWED, detail);
        return;
    }
    buffer_clear(&b->body);
    if (!ctype_check_request(type, registry_city(b->registry), b->now, s->body, &b->body, &district, &b->defects)) {
        struct error_is error = {.id = s->id, .code = EST_INVALID_BODY, .defects = defects_rows(b)};
        snprintf(detail, sizeof detail, "%s: %zu defect%s", type->name, b->defects.count, b->defects.count == 1 ? "" : "s");
        send_error(b, peer, error, detail);
        return;
    }
    in->submit.it = (struct event_submitted){.id = s->id,
                                             .type = number,
                                             .version = version,
                                             .district = district,
                                             .purpose = (uint32_t)purpose,
                                             .due = due_of(b, type, s->deadline_us),
                                             .case_id = s->case_id,
                                             .trace = s->trace,
                                             .body = buffer_slice(&b->body)};
    broker_step(b, in);
}

static void on_submit(struct broker *b, uint32_t peer, const struct message *m) {
    uint32_t account = b->keyring.keys[net_peer(b->net, peer)->key].account;
    struct input in = {.kind = INPUT_SUBMIT, .session = peer};
    uint64_t known;
    int found = store_find(b->store, account, &m->submit.id, &known);
    if (found == 0)
        submit_known(b, &m->submit, known, &in);
    else if (found == -EST_NOT_FOUND)
        submit_new(b, peer, &m->submit, &in);
    else
        broker_fail(b, "looking up an id");
}

static void on_cancel(struct broker *b, uint32_t peer, const struct message *m) {
    struct inquiry_row row;
    struct input in = {.kind = INPUT_CANCEL, .session = peer};
    in.cancel = (struct input_cancel){.ref = m->cancel.ref, .reason = m->cancel.reason};
    int found = inquiry_of(b, peer, &m->cancel.id, m->cancel.number, &row);
    if (found == -EST_NOT_ALLOWED) {
        refuse_confidential(b, peer, m->cancel.ref);
        return;
    }
    if (found == 0) {
        in.cancel.number = row.number;
        in.cancel.known_account = row.account;
        in.cancel.known_ended = est_state_is_final((enum est_state)row.state);
    }
    broker_step(b, &in);
}

static void on_result_ack(struct broker *b, uint32_t peer, const struct message *m) {
    struct input in = {.kind = INPUT_RESULT_ACK, .session = peer};
    in.ack = (struct input_result_ack){.numbers = m->result_ack.numbers.at, .count = m->result_ack.numbers.count};
    broker_step(b, &in);
}

/* --- Departments ----------------------------------------------------------------------------------- */

static void type_refuse(struct broker *b, est_slice name, bool known) {
    struct defects *defects = &b->defects;
    if (defects->kept < EST_DEFECTS_MAX) {
        est_defect *defect = &defects->at[defects->kept++];
        snprintf(defect->path, sizeof defect->path, "%.*s", (int)name.size, (const char *)name.data);
        snprintf(defect->kind, sizeof defect->kind, known ? "choice" : "unknown");
        snprintf(defect->text, sizeof defect->text, known ? "this type is not this account's" : "there is no such type");
    }
    defects->count++;
}

/* The type of this name, in force or, while something of it may be under way, retired. Not this account's to answer:
 * false, and a defect. */
static bool ready_type(struct broker *b, uint32_t account, est_slice name, uint32_t *ret) {
    const struct ctype *type;
    uint32_t version;
    bool known = registry_type(b->registry, name, &type, ret, &version);
    if (!known)
        *ret = registry_number(b->registry, THING_TYPE, name);
    if (*ret != UINT32_MAX && core_may_answer(b->core, account, *ret))
        return true;
    type_refuse(b, name, known);
    return false;
}

/* Names of READY become numbers: here, since the core knows numbers alone. An unknown name, or that of a type that
 * others answer, is the agent's mistake, or the catalogue has changed since it was set up: each is named, so that it
 * can go on with the rest. */
static bool ready_types(struct broker *b, uint32_t peer, const struct ready *r, uint32_t *types, size_t *ret_count) {
    uint32_t account = b->keyring.keys[net_peer(b->net, peer)->key].account;
    struct cursor c;
    size_t count = 0;
    est_slice name;
    bool is_list = rows_open(&c, r->types, &count) && count <= b->limits.types_max;
    b->defects.count = b->defects.kept = 0;
    for (size_t i = 0; is_list && i < count; i++)
        if ((is_list = cursor_text(&c, EST_NAME_MAX, &name)))
            ready_type(b, account, name, &types[i]);
    if (!is_list) {
        send_error(b, peer, (struct error_is){.ref = r->ref, .code = EST_INVALID_FIELD}, "types: a list of names");
        return false;
    }
    *ret_count = count;
    if (b->defects.count == 0)
        return true;
    const est_defect *first = &b->defects.at[0];
    bool known = strcmp(first->kind, "unknown") != 0;
    struct error_is error = {
        .ref = r->ref, .code = known ? EST_NOT_ALLOWED : EST_UNKNOWN_TYPE, .defects = defects_rows(b)};
    char detail[200];
    snprintf(detail, sizeof detail, known ? "types: `%s` is not this account's" : "types: no type `%s`", first->path);
    send_error(b, peer, error, detail);
    return false;
}

/* 0 is for inquiries without a parcel. */
static bool district_is_citys(const struct city *city, uint64_t district) {
    return district == 0 || (district >= city->parcel.district_first && district <= city->districts_last);
}

/* A district that it would never be given work of is its mistake, as with types. */
static bool ready_districts(struct broker *b, uint32_t peer, const struct ready *r, uint64_t districts[16]) {
    const struct city *city = registry_city(b->registry);
    uint32_t account = b->keyring.keys[net_peer(b->net, peer)->key].account;
    struct cursor c;
    size_t count = 0;
    uint64_t district = 0;
    char detail[128] = "districts: a list of numbers";
    int code = rows_open(&c, r->districts, &count) ? 0 : EST_INVALID_FIELD;
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (!cursor_uint(&c, &district))
            code = EST_INVALID_FIELD;
        else if (!district_is_citys(city, district))
            code = EST_INVALID_FIELD, snprintf(detail, sizeof detail, "districts: %s has no district %llu", city->name, (unsigned long long)district);
        else if (!core_serves_district(b->core, account, (uint32_t)district))
            code = EST_NOT_ALLOWED, snprintf(detail, sizeof detail, "districts: %llu is not this account's", (unsigned long long)district);
        else
            districts[district / 64] |= 1ULL << (district % 64);
    }
    if (code != 0)
        send_error(b, peer, (struct error_is){.ref = r->ref, .code = (uint64_t)code}, detail);
    return code == 0;
}

static void on_ready(struct broker *b, uint32_t peer, const struct message *m) {
    static uint32_t types[1024];
    struct input in = {.kind = INPUT_READY, .session = peer};
    in.ready = (struct input_ready){.ref = m->ready.ref, .window = (uint32_t)m->ready.window, .types = types};
    if (m->ready.window == 0 || m->ready.window > EST_WINDOW_MAX) {
        send_error(b, peer, (struct error_is){.ref = m->ready.ref, .code = EST_INVALID_FIELD}, "window: 1 ... 4096");
        return;
    }
    if (ready_types(b, peer, &m->ready, types, &in.ready.types_count) &&
        ready_districts(b, peer, &m->ready, in.ready.districts))
        broker_step(b, &in);
}

static void on_leave(struct broker *b, uint32_t peer, const struct message *m) {
    struct input in = {.kind = INPUT_LEAVE, .session = peer};
    in.leave.ref = m->leave.ref;
    broker_step(b, &in);
}

/* An answer that does not fit the type's reply fields: the agent hears every defect, and the
 * attempt has failed. */
static void answer_invalid(struct broker *b, uint32_t peer, const struct answer *a, const char *type) {
    char reason[EST_TEXT_MAX];
    struct error_is error = {
        .number = a->number, .epoch = a->epoch, .code = EST_INVALID_ANSWER, .defects = defects_rows(b)};
    send_error(b, peer, error, type);
    snprintf(reason, sizeof reason, "%s: %s", b->defects.at[0].path, b->defects.at[0].text);
    struct input in = {.kind = INPUT_ATTEMPT_FAIL, .session = peer};
    in.fail = (struct input_fail){
        .number = a->number, .epoch = a->epoch, .code = EST_INVALID_ANSWER, .reason = slice_of(reason)};
    broker_step(b, &in);
}

/* Is this the answer that is in the record? Whoever meant another one must not hear that it was recorded. As with a
 * resend of a question, the city's rule of today does not matter. */
static bool answer_is_recorded(struct broker *b, uint32_t account, const struct inquiry_row *row, const struct answer *a) {
    struct event e;
    if (row->state != EST_STATE_ANSWERED || row->epoch != a->epoch || row->actor != account)
        return false;
    if (store_event(b->store, row->last_seq, &e) < 0) {
        broker_fail(b, "reading an answer");
        return false;
    }
    const struct ctype *type = registry_version(b->registry, b->store, row->type, row->version);
    return type != NULL && e.answered.outcome == a->outcome && slice_equal(e.answered.reason, a->reason) &&
           slice_equal(e.answered.legal_ref, a->legal_ref) && slice_equal(e.answered.signer, a->signer) &&
           ctype_same_reply(type, NULL, a->valid_until, a->body, e.answered.valid_until,
                            e.answered.body, &b->defects);
}

static void on_answer(struct broker *b, uint32_t peer, const struct message *m) {
    const struct answer *a = &m->answer;
    struct inquiry_row row;
    struct inquiry_view view;
    struct input in = {.kind = INPUT_ANSWER, .session = peer};
    in.answer = (struct input_answer){.number = a->number, .epoch = a->epoch};
    char valid_until[11] = "";
    bool held = core_inquiry(b->core, a->number, &view) && view.holder == peer && view.epoch == a->epoch;
    int found = store_row(b->store, a->number, &row);
    if (found < 0 && (held || found != -EST_NOT_FOUND)) {
        broker_fail(b, "reading an inquiry");
        return;
    }
    if (!held) { /* the core will say stale, or that it is in the record already */
        uint32_t account = b->keyring.keys[net_peer(b->net, peer)->key].account;
        in.answer.recorded = found == 0 && answer_is_recorded(b, account, &row, a);
        if (!b->failed)
            broker_step(b, &in);
        return;
    }
    const struct ctype *type = registry_version(b->registry, b->store, row.type, row.version);
    buffer_clear(&b->body);
    if (type == NULL) {
        send_error(b, peer, (struct error_is){.number = a->number, .epoch = a->epoch, .code = EST_INTERNAL},
                   "the type's definition cannot be read");
        return;
    }
    if (!ctype_check_reply(type, registry_city(b->registry), b->now, a->outcome, a->reason, a->valid_until, a->body,
                           &b->body, valid_until, &b->defects)) {
        answer_invalid(b, peer, a, type->name);
        return;
    }
    in.answer.it = (struct event_answered){.outcome = (uint32_t)a->outcome,
                                           .reason = a->reason,
                                           .legal_ref = a->legal_ref,
                                           .valid_until = slice_of(valid_until),
                                           .signer = a->signer,
                                           .body = buffer_slice(&b->body)};
    broker_step(b, &in);
}

static void on_retry(struct broker *b, uint32_t peer, const struct message *m) {
    struct input in = {.kind = INPUT_ATTEMPT_FAIL, .session = peer};
    uint64_t after_max = (uint64_t)(b->limits.retry_max.us / EST_US_PER_MS);
    uint64_t after = m->retry.after_ms < after_max ? m->retry.after_ms : after_max;
    in.fail = (struct input_fail){.number = m->retry.number,
                                  .epoch = m->retry.epoch,
                                  .code = EST_AGENT_RETRY,
                                  .after = {(int64_t)after * EST_US_PER_MS},
                                  .reason = m->retry.reason};
    broker_step(b, &in);
}

static void on_refuse(struct broker *b, uint32_t peer, const struct message *m) {
    struct input in = {.kind = INPUT_REFUSE, .session = peer};
    in.refuse =
        (struct input_refuse){.number = m->refuse.number, .epoch = m->refuse.epoch, .reason = m->refuse.reason};
    broker_step(b, &in);
}

static void on_renew(struct broker *b, uint32_t peer, const struct message *m) {
    struct input in = {.kind = INPUT_RENEW, .session = peer};
    in.renew = (struct input_renew){.pairs = m->renew.pairs.at, .count = m->renew.pairs.count / 2};
    broker_step(b, &in);
}

/* --- Operators ------------------------------------------------------------------------------------- */

static void on_requeue(struct broker *b, uint32_t peer, const struct message *m) {
    struct inquiry_row row;
    struct input in = {.kind = INPUT_REQUEUE, .session = peer};
    in.requeue =
        (struct input_requeue){.ref = m->requeue.ref, .number = m->requeue.number, .reason = m->requeue.reason};
    int found = inquiry_of(b, peer, NULL, m->requeue.number, &row);
    if (found == -EST_NOT_ALLOWED) {
        refuse_confidential(b, peer, m->requeue.ref);
        return;
    }
    if (found == 0)
        in.requeue.known_ended = est_state_is_final((enum est_state)row.state);
    broker_step(b, &in);
}

static void step_refuse(struct broker *b, uint32_t peer, uint64_t ref, const char *detail) {
    send_error(b, peer, (struct error_is){.ref = ref, .code = EST_INVALID_FIELD}, detail);
}

/* What else it might mean one day is not done now and called DONE. */
static bool switch_is_good(struct broker *b, uint32_t peer, uint64_t ref, uint64_t on) {
    if (on > 1)
        step_refuse(b, peer, ref, "on: 0 or 1");
    return on <= 1;
}

static void on_drain(struct broker *b, uint32_t peer, const struct message *m) {
    struct input in = {.kind = INPUT_DRAIN, .session = peer};
    if (!switch_is_good(b, peer, m->drain.ref, m->drain.on))
        return;
    in.drain = (struct input_drain){.ref = m->drain.ref, .on = m->drain.on != 0, .reason = m->drain.reason};
    broker_step(b, &in);
    act_note(b, peer, in.drain.on ? "draining began" : "draining ended", m->drain.reason);
}

static void on_status(struct broker *b, uint32_t peer, const struct message *m) { query_status(b, peer, &m->status); }
static void on_timeline(struct broker *b, uint32_t peer, const struct message *m) { query_timeline(b, peer, &m->timeline); }
static void on_queues(struct broker *b, uint32_t peer, const struct message *m) { query_queues(b, peer, &m->page); }
static void on_agents(struct broker *b, uint32_t peer, const struct message *m) { query_agents(b, peer, &m->page); }
static void on_parked(struct broker *b, uint32_t peer, const struct message *m) { query_parked(b, peer, &m->page); }
static void on_stats(struct broker *b, uint32_t peer, const struct message *m) { query_stats(b, peer, &m->stats); }
static void on_keys(struct broker *b, uint32_t peer, const struct message *m) { query_keys(b, peer, &m->page); }
static void on_config(struct broker *b, uint32_t peer, const struct message *m) { query_config(b, peer, m->config.ref); }

static void on_pause(struct broker *b, uint32_t peer, const struct message *m) {
    const struct pause *pause = &m->pause;
    struct input in = {.kind = INPUT_PAUSE, .session = peer};
    uint32_t department = registry_number(b->registry, THING_DEPARTMENT, pause->department);
    char detail[128];
    if (!switch_is_good(b, peer, pause->ref, pause->on))
        return;
    if (department == UINT32_MAX || pause->reason.size == 0) {
        snprintf(detail, sizeof detail, department == UINT32_MAX ? "department: no `%.*s`" : "reason: `%.*s` is paused or let go on for a reason",
                 (int)pause->department.size, (const char *)pause->department.data);
        step_refuse(b, peer, pause->ref, detail);
        return;
    }
    in.pause = (struct input_pause){
        .ref = pause->ref, .department = department, .on = pause->on != 0, .reason = pause->reason};
    broker_step(b, &in);
    snprintf(detail, sizeof detail, "%.*s %s", (int)pause->department.size, (const char *)pause->department.data,
             in.pause.on ? "paused" : "let go on");
    act_note(b, peer, detail, pause->reason);
}

/* Is it one of the city's districts, another one than the inquiry's, and is there a reason? */
static bool redirect_is_good(struct broker *b, uint32_t peer, const struct redirect *to) {
    const struct city *city = registry_city(b->registry);
    struct inquiry_view view;
    char detail[128] = "";
    if (to->reason.size == 0)
        snprintf(detail, sizeof detail, "reason: an inquiry is redirected for a reason");
    else if (!district_is_citys(city, to->district))
        snprintf(detail, sizeof detail, "district: %s has no district %llu; 0 is for none", city->name,
                 (unsigned long long)to->district);
    else if (core_inquiry(b->core, to->number, &view) && view.row.district == to->district &&
             !est_state_is_final((enum est_state)view.row.state))
        snprintf(detail, sizeof detail, "district: the inquiry is in district %u already", view.row.district);
    if (detail[0] != '\0')
        step_refuse(b, peer, to->ref, detail);
    return detail[0] == '\0';
}

static void on_redirect(struct broker *b, uint32_t peer, const struct message *m) {
    struct inquiry_row row;
    struct input in = {.kind = INPUT_REDIRECT, .session = peer};
    int found = inquiry_of(b, peer, NULL, m->redirect.number, &row);
    if (found == -EST_NOT_ALLOWED) { /* before what is wrong with it tells where it is */
        refuse_confidential(b, peer, m->redirect.ref);
        return;
    }
    if (!redirect_is_good(b, peer, &m->redirect))
        return;
    in.redirect = (struct input_redirect){.ref = m->redirect.ref,
                                          .number = m->redirect.number,
                                          .district = (uint32_t)m->redirect.district,
                                          .reason = m->redirect.reason};
    if (found == 0)
        in.redirect.known_ended = est_state_is_final((enum est_state)row.state);
    broker_step(b, &in);
}

/* --- The frame ------------------------------------------------------------------------------------- */

static const struct {
    void (*handle)(struct broker *, uint32_t peer, const struct message *);
    bool asks;              /* has exactly one answer */
    enum est_level level;   /* at the operators' door: needed for it */
    bool reads;             /* its answer may be large: rows, a record, every defect of a body */
} verbs[VERB_MAX + 1] = {
    [VERB_HELLO] = {on_hello, false, 0},
    [VERB_PING] = {on_ping, false, 0},
    [VERB_PONG] = {on_pong, false, 0},
    [VERB_BYE] = {on_bye, false, 0},
    [VERB_SUBMIT] = {on_submit, true, 0, true},
    [VERB_CANCEL] = {on_cancel, true, EST_LEVEL_OPERATOR},
    [VERB_STATUS] = {on_status, true, EST_LEVEL_OPERATOR, true},
    [VERB_TIMELINE] = {on_timeline, true, EST_LEVEL_OPERATOR, true},
    [VERB_RESULT_ACK] = {on_result_ack, false, 0},
    [VERB_READY] = {on_ready, true, 0},
    [VERB_ANSWER] = {on_answer, true, 0},
    [VERB_RETRY] = {on_retry, true, 0},
    [VERB_REFUSE] = {on_refuse, true, 0},
    [VERB_RENEW] = {on_renew, true, 0},
    [VERB_LEAVE] = {on_leave, true, 0},
    [VERB_QUEUES] = {on_queues, true, EST_LEVEL_OBSERVER, true},
    [VERB_AGENTS] = {on_agents, true, EST_LEVEL_OBSERVER, true},
    [VERB_PARKED] = {on_parked, true, EST_LEVEL_OPERATOR, true},
    [VERB_REQUEUE] = {on_requeue, true, EST_LEVEL_OPERATOR},
    [VERB_DRAIN] = {on_drain, true, EST_LEVEL_ADMINISTRATOR},
    [VERB_STATS] = {on_stats, true, EST_LEVEL_OBSERVER, true},
    [VERB_PAUSE] = {on_pause, true, EST_LEVEL_OPERATOR},
    [VERB_REDIRECT] = {on_redirect, true, EST_LEVEL_OPERATOR},
    [VERB_KEYS] = {on_keys, true, EST_LEVEL_OPERATOR, true},
    [VERB_CONFIG] = {on_config, true, EST_LEVEL_OPERATOR, true},
    [VERB_EVENTS] = {index_ask, true, EST_LEVEL_OPERATOR, true},
    [VERB_FIND] = {index_ask, true, EST_LEVEL_OPERATOR, true},
    [VERB_REINDEX] = {index_ask, true, EST_LEVEL_ADMINISTRATOR},
    [VERB_COUNTERS] = {index_ask, true, EST_LEVEL_OBSERVER, true},
};

/* What identifies a command in its refusal, whatever it is. */
static struct error_is error_for(const struct message *m, int code) {
    struct error_is error = {.code = (uint64_t)code};
    switch (m->verb) {
    case VERB_SUBMIT:
        error.id = m->submit.id;
        break;
    case VERB_ANSWER:
    case VERB_RETRY:
    case VERB_REFUSE: /* number and epoch are the first two fields of each */
        error.number = m->answer.number;
        error.epoch = m->answer.epoch;
        break;
    case VERB_RENEW:
        break;
    default: /* every other command that asks begins with its ref */
        error.ref = m->cancel.ref;
    }
    return error;
}

static void busy(struct broker *b, uint32_t peer, const struct message *m, const char *detail) {
    struct error_is error = error_for(m, EST_BUSY);
    error.retry_ms = (uint64_t)(b->limits.busy_retry.us / EST_US_PER_MS);
    send_error(b, peer, error, detail);
}

/* Why a person wants it so; empty where the command has no such text. What an agent says of its own attempt is no
 * step of a person's, and to refuse it would leave the lease to run out. */
static est_slice reason_of(const struct message *m) {
    switch (m->verb) {
    case VERB_CANCEL:
        return m->cancel.reason;
    case VERB_REQUEUE:
        return m->requeue.reason;
    case VERB_DRAIN:
        return m->drain.reason;
    case VERB_PAUSE:
        return m->pause.reason;
    case VERB_REDIRECT:
        return m->redirect.reason;
    case VERB_REINDEX:
        return m->reindex.reason;
    default:
        return (est_slice){0};
    }
}

static void command_handle(struct broker *b, uint32_t peer, const struct message *m) {
    struct peer *p = net_peer(b->net, peer);
    if (verbs[m->verb].handle == NULL) {
        peer_malformed(b, peer, "a command that only a broker sends");
        return;
    }
    if (!p->session && m->verb != VERB_HELLO) {
        b->refused[EST_HELLO_FIRST]++;
        peer_end(b, peer, EST_HELLO_FIRST, NULL);
        return;
    }
    if (!(verb_doors(m->verb) & p->door)) {
        if (verbs[m->verb].asks)
            send_error(b, peer, error_for(m, EST_WRONG_DOOR), verb_name(m->verb));
        return;
    }
    if (p->door == DOOR_OPERATOR && verbs[m->verb].level > level_of(b, peer)) {
        char detail[64];
        snprintf(detail, sizeof detail, "%s needs the level %s", verb_name(m->verb), est_level_name(verbs[m->verb].level));
        send_error(b, peer, error_for(m, EST_NOT_ALLOWED), detail);
        return;
    }
    if (verbs[m->verb].asks && ++p->asks > ASKS_MAX) {
        busy(b, peer, m, "too many commands at once");
        return;
    }
    if (verbs[m->verb].reads && net_owed(b->net, peer) > NET_OWED_MAX) {
        busy(b, peer, m, "what was sent before has not been read yet");
        return;
    }
    if (!line_is_clean(reason_of(m))) {
        send_error(b, peer, error_for(m, EST_INVALID_FIELD), "reason: has a control character");
        return;
    }
    verbs[m->verb].handle(b, peer, m);
}

void frame_handle(struct broker *b, uint32_t peer, est_slice frame) {
    static struct message m; /* large, and only as much of it is written as a command needs */
    struct peer *p = net_peer(b->net, peer);
    if (!keyring_is_good(&b->keyring, p->key, b->now)) {
        b->refused[EST_KEY_REVOKED]++;
        peer_end(b, peer, EST_KEY_REVOKED, NULL);
        return;
    }
    struct cursor c;
    if (frame.size == 0) {
        peer_malformed(b, peer, "an empty frame");
        return;
    }
    if (!frame_open(&c, frame)) {
        peer_end(b, peer, EST_VERSION_UNSUPPORTED, "the frame's first byte is not protocol version 1");
        return;
    }
    if (p->session) {
        struct input heard = {.kind = INPUT_HEARD, .session = peer};
        broker_step(b, &heard);
    }
    while (!p->leaving && !b->failed) {
        int got = message_next(&c, &m);
        if (got == 0)
            return;
        if (got < 0) {
            char why[EST_TEXT_MAX];
            message_fault(&c, &m, why, sizeof why);
            peer_malformed(b, peer, why);
            return;
        }
        b->batch_commands++;
        command_handle(b, peer, &m);
    }
}
