/* oracle.c - keeps the account that the invariants are checked against. */
#include "oracle.h"

#include <string.h>

struct oracle oracle;
static struct ask asks[PEERS][ASKS];

/* --- Looking up ---------------------------------------------------------------------------------------- */

struct tale *tale_of(uint64_t number) {
    return number < NUMBERS && oracle.tale_of[number] != 0 ? &oracle.tales[oracle.tale_of[number] - 1] : NULL;
}

struct tale *tale_by_id(uint32_t account, const est_id *id) {
    for (unsigned i = 0; i < oracle.tales_count; i++)
        if (oracle.tales[i].account == account && memcmp(&oracle.tales[i].id, id, sizeof *id) == 0)
            return &oracle.tales[i];
    return NULL;
}

bool tale_is_final(const struct tale *t) {
    return est_state_is_final((enum est_state)t->state);
}

unsigned peer_holds(uint32_t peer) {
    unsigned count = 0;
    for (unsigned i = 0; i < oracle.tales_count; i++)
        count += oracle.tales[i].leased && oracle.tales[i].holder == peer;
    return count;
}

unsigned peer_takes(uint32_t peer) {
    unsigned count = 0;
    for (unsigned i = 0; i < oracle.tales_count; i++)
        count += oracle.tales[i].way == peer;
    return count;
}

bool account_may_answer(uint32_t account, uint32_t type, uint32_t district) {
    const struct right_tale *a = &oracle.accounts[account];
    return a->live && a->role == ROLE_DEPARTMENT && a->department == oracle.department_of[type] &&
           a->purposes[type] != 0 && (a->districts >> district & 1) != 0;
}

bool oracle_lease_spy(struct rng *r, bool live, uint64_t *ret_number, uint64_t *ret_epoch) {
    for (int tries = 0; tries < 8 && oracle.tales_count > 0; tries++) {
        const struct tale *t = &oracle.tales[rng_below(r, oracle.tales_count)];
        if (live ? !t->leased : t->pasts == 0)
            continue;
        *ret_number = t->number;
        *ret_epoch = live ? t->epoch : t->past[rng_below(r, t->pasts)].epoch;
        return true;
    }
    return false;
}

uint64_t oracle_highest_number(void) {
    return oracle.tales_count > 0 ? oracle.tales[oracle.tales_count - 1].number : 0;
}

/* --- Events
 * --------------------------------------------------------------------------------------------------- */

static void tale_begin(const struct event *e) {
    const struct event_submitted *s = &e->submitted;
    if (oracle.tales_count == TALES || e->number >= NUMBERS)
        return;
    struct tale *t = &oracle.tales[oracle.tales_count++];
    *t = (struct tale){.number = e->number,
                       .id = s->id,
                       .account = s->account,
                       .type = s->type,
                       .district = s->district,
                       .purpose = s->purpose,
                       .body = print_body(s->body),
                       .received_us = e->at.us,
                       .due_us = s->due.us,
                       .state = EST_STATE_WAITING,
                       .way = NOBODY,
                       .origin = NOBODY};
    oracle.tale_of[e->number] = (uint16_t)oracle.tales_count;
    oracle.accepted++;
}

static void attempt_ended(struct tale *t, uint64_t epoch, uint32_t account) {
    if (t->pasts == PASTS)
        memmove(t->past, t->past + 1, --t->pasts * sizeof *t->past);
    t->past[t->pasts++] = (struct past_lease){epoch, account};
    t->leased = false;
}

static uint64_t end_of(uint32_t outcome, est_slice reason, est_slice body) {
    return print_bytes(outcome + 1, reason) + print_body(body);
}

static void tale_goes_on(const struct event *e) {
    struct tale *t = tale_of(e->number);
    if (t == NULL)
        return;
    switch (e->type) {
    case EVENT_ATTEMPT_FAILED:
        attempt_ended(t, e->attempt_failed.epoch, e->attempt_failed.account);
        t->not_before_us = e->attempt_failed.not_before.us;
        t->state = t->not_before_us != 0 ? EST_STATE_DELAYED : EST_STATE_WAITING;
        break;
    case EVENT_PARKED:
        attempt_ended(t, e->parked.epoch, e->parked.account);
        t->state = EST_STATE_PARKED;
        break;
    case EVENT_REQUEUED:
        t->not_before_us = 0;
        t->state = EST_STATE_WAITING;
        break;
    case EVENT_REDIRECTED:
        t->leased = false;
        t->not_before_us = 0;
        t->district = e->redirected.district;
        t->state = EST_STATE_WAITING;
        break;
    case EVENT_ANSWERED:
        attempt_ended(t, e->answered.epoch, e->answered.account);
        t->state = EST_STATE_ANSWERED;
        t->end = end_of(e->answered.outcome, e->answered.reason, e->answered.body);
        break;
    case EVENT_EXPIRED:
    case EVENT_CANCELLED:
        t->leased = false;
        t->state = e->type == EVENT_EXPIRED ? EST_STATE_EXPIRED : EST_STATE_CANCELLED;
        t->end = end_of(0, e->type == EVENT_CANCELLED ? e->cancelled.reason : (est_slice){0}, (est_slice){0});
        break;
    default:
        break;
    }
}

static void account_changes(const struct event_account_set *set) {
    if (set->account >= ACCOUNTS)
        return;
    struct right_tale *a = &oracle.accounts[set->account];
    *a = (struct right_tale){
        .live = true, .role = set->role, .department = set->department, .districts = set->districts[0]};
    for (size_t i = 0; i < set->rights_count; i++)
        if (set->rights[i].type < TYPES)
            a->purposes[set->rights[i].type] = set->rights[i].purposes;
}

static void city_changes(const struct event *e) {
    if (e->type == EVENT_STARTED) {
        oracle.generation = e->started.generation;
        oracle.draining = false;
    } else if (e->type == EVENT_DRAIN) {
        oracle.draining = e->drain.on;
    } else if (e->type == EVENT_PAUSED && e->paused.department < DEPARTMENTS) {
        oracle.paused[e->paused.department] = e->paused.on;
    } else if (e->type == EVENT_ACCOUNT_SET) {
        account_changes(&e->account_set);
    } else if (e->type == EVENT_TYPE_SET && e->type_set.type < TYPES) {
        oracle.department_of[e->type_set.type] = e->type_set.department;
    } else if (e->type == EVENT_RETIRED && e->retired.thing == THING_ACCOUNT &&
               e->retired.number < ACCOUNTS) {
        oracle.accounts[e->retired.number].live = false;
    }
}

static int event_remember(void *arg, const struct event *e) {
    (void)arg;
    if (e->type == EVENT_SUBMITTED)
        tale_begin(e);
    else
        tale_goes_on(e);
    city_changes(e);
    for (size_t i = 0; e->type == EVENT_ACKNOWLEDGED && i < e->acknowledged.count; i++) {
        struct tale *t = tale_of(e->acknowledged.numbers[i]);
        if (t != NULL) {
            t->acked = true;
            t->way = NOBODY;
        }
    }
    oracle.seq = e->seq;
    oracle.at_us = e->at.us;
    return 0;
}

void oracle_event(const struct event *e) {
    if (story_is_told())
        tell("     + %llu %s #%llu", (unsigned long long)e->seq, event_type_name(e->type),
             (unsigned long long)e->number);
    sim.digest = print_bytes(sim.digest ^ e->seq, (est_slice){&e->at, sizeof e->at}) + (uint64_t)e->type;
    struct sight sight = {.kind = SIGHT_EVENT, .e = e};
    invariants_check(&sight);
    event_remember(NULL, e);
}

/* --- Heard
 * ----------------------------------------------------------------------------------------------------- */

static uint64_t districts_of(est_slice rows) {
    struct cursor c;
    size_t count = 0;
    uint64_t bits = 0, district;
    if (rows.size == 0 || !rows_open(&c, rows, &count) || count == 0)
        return UINT64_MAX;
    while (count-- > 0 && cursor_uint(&c, &district))
        bits |= district < 64 ? 1ULL << district : 0;
    return bits;
}

static uint64_t types_of(est_slice rows) {
    struct cursor c;
    size_t count = 0;
    uint64_t bits = 0;
    est_slice name;
    if (rows.size == 0 || !rows_open(&c, rows, &count) || count == 0)
        return UINT64_MAX;
    while (count-- > 0 && cursor_text(&c, EST_NAME_MAX, &name)) {
        uint32_t type = registry_number(process_broker()->registry, THING_TYPE, name);
        bits |= type < 64 ? 1ULL << type : 0;
    }
    return bits;
}

static struct ask ask_of(const struct message *m) {
    struct ask ask = {.verb = m->verb};
    switch (m->verb) {
    case VERB_SUBMIT:
        ask.id = m->submit.id;
        ask.body = print_body(m->submit.body);
        ask.type = registry_number(process_broker()->registry, THING_TYPE, m->submit.type);
        ask.purpose = registry_number(process_broker()->registry, THING_PURPOSE, m->submit.purpose);
        break;
    case VERB_ANSWER:
        ask.outcome = m->answer.outcome;
        ask.body = end_of((uint32_t)m->answer.outcome, m->answer.reason, m->answer.body);
        /* fall through */
    case VERB_RETRY:
    case VERB_REFUSE:
        ask.number = m->answer.number;
        ask.epoch = m->answer.epoch;
        break;
    case VERB_CANCEL:
    case VERB_STATUS:
    case VERB_TIMELINE: /* ref, id and number are the first three of each */
        ask.ref = m->cancel.ref;
        ask.id = m->cancel.id;
        ask.number = m->cancel.number;
        break;
    case VERB_READY:
        ask.ref = m->ready.ref;
        ask.window = m->ready.window;
        ask.ready_types = types_of(m->ready.types);
        ask.ready_districts = districts_of(m->ready.districts);
        break;
    case VERB_PING:
        ask.ref = m->ping.token;
        break;
    default:
        ask.ref = m->cancel.ref;
    }
    return ask;
}

static bool verb_is_answered(enum verb verb) {
    return verb != VERB_PONG && verb != VERB_BYE && verb != VERB_RESULT_ACK;
}

void oracle_heard(uint32_t peer, est_slice frame) {
    static struct message m;
    struct peer_tale *p = &oracle.peers[peer];
    struct cursor c;
    if (!p->live)
        *p = (struct peer_tale){.live = true, .account = peer_account(peer), .asks = asks[peer]};
    sim.digest = print_bytes(sim.digest, frame);
    if (!frame_open(&c, frame))
        return;
    while (message_next(&c, &m) == 1) {
        if (story_is_told())
            tell("%s > %s", peer_name(peer), describe(&m));
        p->bye |= m.verb == VERB_BYE && m.bye.code == EST_OK;
        if (m.verb == VERB_HELLO)
            p->results = (uint32_t)m.hello.results;
        if (m.verb == VERB_SUBMIT && tale_by_id(p->account, &m.submit.id) != NULL)
            fault_count(FAULT_DUPLICATE);
        if (verb_is_answered(m.verb) && p->asks_count < ASKS)
            p->asks[p->asks_count++] = ask_of(&m);
    }
}

/* --- Said
 * ------------------------------------------------------------------------------------------------------- */

static bool answers(const struct ask *ask, const struct message *m) {
    static const est_id none;
    bool by_epoch = ask->verb == VERB_ANSWER || ask->verb == VERB_RETRY || ask->verb == VERB_REFUSE;
    switch (m->verb) {
    case VERB_WELCOME:
        return ask->verb == VERB_HELLO;
    case VERB_PONG:
        return ask->verb == VERB_PING && ask->ref == m->ping.token;
    case VERB_ACCEPTED:
        return ask->verb == VERB_SUBMIT && memcmp(&ask->id, &m->accepted.id, sizeof ask->id) == 0;
    case VERB_RECORDED:
        return by_epoch && ask->number == m->recorded.pairs.at[0] && ask->epoch == m->recorded.pairs.at[1];
    case VERB_RENEWED:
        return ask->verb == VERB_RENEW;
    case VERB_ERROR:
        if (ask->verb == VERB_SUBMIT)
            return memcmp(&ask->id, &m->error.id, sizeof none) == 0;
        if (by_epoch)
            return ask->number == m->error.number && ask->epoch == m->error.epoch;
        return ask->ref == m->error.ref && memcmp(&m->error.id, &none, sizeof none) == 0 &&
               m->error.epoch == 0;
    case VERB_DONE:
    case VERB_STATUS_IS:
    case VERB_TIMELINE_IS:
    case VERB_QUEUES_IS:
    case VERB_AGENTS_IS:
    case VERB_PARKED_IS:
    case VERB_KEYS_IS:
    case VERB_CONFIG_IS:
    case VERB_STATS_IS: /* each begins with its ref */
        return !by_epoch && ask->verb != VERB_SUBMIT && ask->verb != VERB_PING && ask->ref == m->done.ref;
    default:
        return false;
    }
}

static void ask_drop(struct peer_tale *p, unsigned at) {
    memmove(&p->asks[at], &p->asks[at + 1], (--p->asks_count - at) * sizeof *p->asks);
}

static void said_remember(uint32_t peer, const struct message *m, const struct ask *ask) {
    struct peer_tale *p = &oracle.peers[peer];
    struct tale *t;
    switch (m->verb) {
    case VERB_WELCOME:
        p->welcomed = true;
        p->window = (uint32_t)m->welcome.window;
        break;
    case VERB_DONE:
        if (ask != NULL && ask->verb == VERB_READY) {
            p->ready = true;
            p->leaving = false;
            p->types = ask->ready_types;
            p->districts = ask->ready_districts;
            p->window = (uint32_t)ask->window < p->window ? (uint32_t)ask->window : p->window;
        }
        p->leaving |= ask != NULL && ask->verb == VERB_LEAVE;
        break;
    case VERB_ACCEPTED:
        if ((t = tale_of(m->accepted.number)) != NULL)
            t->origin = peer;
        break;
    case VERB_ASSIGN:
        if ((t = tale_of(m->assign.number)) != NULL) {
            t->leased = true;
            t->holder = peer;
            t->epoch = m->assign.epoch;
            t->until_us = process_broker()->now.us + (int64_t)m->assign.lease_ms * EST_US_PER_MS;
        }
        oracle.epoch_highest =
            m->assign.epoch > oracle.epoch_highest ? m->assign.epoch : oracle.epoch_highest;
        break;
    case VERB_RENEWED:
        for (size_t i = 0; i + 1 < m->renewed.pairs.count; i += 2)
            if ((t = tale_of(m->renewed.pairs.at[i])) != NULL && t->leased &&
                t->epoch == m->renewed.pairs.at[i + 1])
                t->until_us = process_broker()->now.us + process_broker()->limits.lease.us;
        break;
    case VERB_RESULT:
        if ((t = tale_of(m->result.number)) != NULL)
            t->way = peer;
        break;
    default:
        break;
    }
}

static void said_one(uint32_t peer, const struct message *m) {
    struct peer_tale *p = &oracle.peers[peer];
    unsigned at = 0;
    while (at < p->asks_count && !answers(&p->asks[at], m))
        at++;
    struct sight sight = {
        .kind = SIGHT_SAID, .peer = peer, .m = m, .ask = at < p->asks_count ? &p->asks[at] : NULL};
    invariants_check(&sight);
    said_remember(peer, m, sight.ask);
    if (sight.ask != NULL)
        ask_drop(p, at);
    if (m->verb == VERB_BYE) /* whatever else the frame asked for is not read */
        p->asks_count = 0;
}

/* One RECORDED may answer many; each pair is looked at by itself. */
static void said_recorded(uint32_t peer, const struct numbers *pairs) {
    static struct message one;
    one.verb = VERB_RECORDED;
    one.recorded.pairs.count = 2;
    for (size_t i = 0; i + 1 < pairs->count; i += 2) {
        one.recorded.pairs.at[0] = pairs->at[i];
        one.recorded.pairs.at[1] = pairs->at[i + 1];
        said_one(peer, &one);
    }
}

void oracle_said(uint32_t peer, est_slice command) {
    static struct message m;
    struct cursor c;
    cursor_init(&c, command);
    if (message_next(&c, &m) != 1 || process_broker()->failed) /* nothing of a failed batch is sent */
        return;
    if (story_is_told())
        tell("     %s < %s", peer_name(peer), describe(&m));
    if (m.verb == VERB_RECORDED)
        said_recorded(peer, &m.recorded.pairs);
    else
        said_one(peer, &m);
}

/* --- Told
 * -------------------------------------------------------------------------------------------------------- */

static void promise_receipt(uint32_t peer, const struct accepted *a) {
    if (a->number >= NUMBERS)
        return;
    struct promise *p = &oracle.promises[a->number];
    const struct tale *t = tale_of(a->number);
    if (p->made || t == NULL)
        return;
    p->made = true;
    p->id = a->id;
    p->account = peer_account(peer); /* also where it is out already and hears its last words */
    p->body = t->body;
    p->at_us = (int64_t)a->at_us;
    p->due_us = (int64_t)a->due_us;
    size_t size = a->tracking.size < EST_TRACKING_MAX ? a->tracking.size : EST_TRACKING_MAX;
    memcpy(p->tracking, a->tracking.data, size);
    p->tracking[size] = '\0';
    if (a->number > oracle.promised_highest)
        oracle.promised_highest = a->number;
}

static void promise_end(uint64_t number, uint64_t state, uint64_t end) {
    if (number >= NUMBERS || oracle.promises[number].end_told)
        return;
    oracle.promises[number].end_told = true;
    oracle.promises[number].end_state = (uint32_t)state;
    oracle.promises[number].end = end;
    if (number > oracle.promised_highest)
        oracle.promised_highest = number;
}

void oracle_told(uint32_t peer, est_slice commands, uint64_t head) {
    static struct message m;
    struct cursor c;
    struct sight leaves = {.kind = SIGHT_LEAVES, .peer = peer, .head = head};
    invariants_check(&leaves);
    cursor_init(&c, commands);
    sim.digest = print_bytes(sim.digest, commands);
    while (message_next(&c, &m) == 1) {
        struct sight sight = {.kind = SIGHT_TOLD, .peer = peer, .m = &m};
        invariants_check(&sight);
        if (m.verb == VERB_ACCEPTED)
            promise_receipt(peer, &m.accepted);
        if (m.verb == VERB_RESULT)
            promise_end(m.result.number, m.result.state,
                        end_of((uint32_t)m.result.outcome, m.result.reason, m.result.body));
    }
}

/* --- Moments
 * ------------------------------------------------------------------------------------------------------- */

static void moment(enum sight_kind kind) {
    struct sight sight = {.kind = kind, .peer = NOBODY};
    invariants_check(&sight);
}

/* What has passed stays passed, also when the clock goes back. */
static void delays_pass(void) {
    int64_t now = process_broker()->now.us;
    for (unsigned i = 0; i < oracle.tales_count; i++)
        if (oracle.tales[i].not_before_us <= now)
            oracle.tales[i].not_before_us = 0;
}

void oracle_batch(void) {
    moment(SIGHT_BATCH);
    delays_pass();
}

void oracle_settled(void) {
    moment(SIGHT_SETTLED);
}

void oracle_peer_ended(uint32_t peer) {
    oracle.peers[peer] = (struct peer_tale){0};
    for (unsigned i = 0; i < oracle.tales_count; i++) {
        struct tale *t = &oracle.tales[i];
        t->way = t->way == peer ? NOBODY : t->way;
        t->origin = t->origin == peer ? NOBODY : t->origin;
    }
}

void oracle_reset(void) {
    memset(oracle.promises, 0, (oracle.promised_highest + 1) * sizeof *oracle.promises);
    oracle.promised_highest = oracle.epoch_highest = 0;
    oracle.foreign_text[0] = '\0';
}

/* A broker died, or is about to start: the account is made again from what the disk has. What was
 * promised stays promised. */
void oracle_start(void) {
    memset(oracle.tale_of, 0, sizeof oracle.tale_of);
    memset(oracle.peers, 0, sizeof oracle.peers);
    memset(oracle.accounts, 0, sizeof oracle.accounts);
    memset(oracle.paused, 0, sizeof oracle.paused);
    oracle.tales_count = 0;
    oracle.accepted = oracle.seq = oracle.generation = 0;
    oracle.at_us = 0;
    disk_each_event(event_remember, NULL);
    moment(SIGHT_STARTED);
}
