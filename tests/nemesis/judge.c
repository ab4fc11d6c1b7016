/* judge.c - see judge.h. Lines are folded into one entry per account's id, file by file: those of
 * requesters first, then agents', the witness's, the nemesis's. Then each entry is held against
 * every rule. What two lines of any two files must agree on is compared as it comes. */
#include "judge.h"
#include "ids.h"
#include "lines.h"

#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* How an inquiry ended, as one party says. */
struct end {
    bool known;
    char state[12], outcome[16], signer[48];
    uint64_t number, digest;
};

struct entry {
    bool invoked, hurried, refused, receipt, found, absent, cancel_asked, cancel_done, acked_by,
        recorded_acked;
    char type[12], tracking[24];
    unsigned district;
    uint64_t digest, number, results, takes, events_seen, ends_seen;
    int64_t first_invoke, first_receipt, last_refusal, due, ended;
    uint64_t attempts, failures_seen;
    bool parked_seen;
    struct end end, status;
    char last_event[20], found_of[16];
};

/* One answer that an agent said. */
struct said {
    uint64_t epoch, number, digest;
    int64_t t;
    char who[32], outcome[16];
    bool recorded;
};

struct judge {
    struct verdict *v;
    struct ids ids, numbers, epochs; /* the last two: keyed by the number alone */
    struct entry *entries;
    size_t *owner_of_number; /* place of the entry */
    struct said *said;
    size_t entries_room, numbers_room, said_room, witness_ends;
    const char *who;
    char account[64], role[16];
    int64_t open, unacknowledged;
    bool stats, store;
    uint64_t store_inquiries, store_ended, store_answered;
    struct clock_move {
        int64_t t, ahead;
    } * moves;
    size_t moves_count, moves_room;
    int64_t wall_less_monotonic;
    struct {
        char id[33];
        int64_t ref;
    } * cancels;
    size_t cancels_count, cancels_room;
};

static const char *const rule_texts[] = {
#define RULE_TEXT(name, text) text,
    RULES(RULE_TEXT)
#undef RULE_TEXT
};
static const char *const rule_names[] = {
#define RULE_NAME(name, text) #name,
    RULES(RULE_NAME)
#undef RULE_NAME
};

const char *rule_text(enum rule rule) {
    return rule_texts[rule];
}

const char *rule_name(enum rule rule) {
    return rule_names[rule];
}

static void offend(struct judge *j, enum rule rule, const char *id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void offend(struct judge *j, enum rule rule, const char *id, const char *format, ...) {
    j->v->broken[rule]++;
    if (j->v->offences++ >= OFFENCES_KEPT)
        return;
    struct offence *o = &j->v->kept[j->v->offences - 1];
    va_list arguments;
    o->rule = rule;
    snprintf(o->id, sizeof o->id, "%s", id);
    va_start(arguments, format);
    vsnprintf(o->text, sizeof o->text, format, arguments);
    va_end(arguments);
}

/* --- Entries ------------------------------------------------------------------------------------- */

static void *room_for(void *list, size_t *room, size_t count, size_t size) {
    if (count < *room)
        return list;
    size_t more = *room ? *room * 2 : 1024;
    char *fresh = realloc(list, more * size);
    if (!fresh)
        abort();
    memset(fresh + *room * size, 0, (more - *room) * size);
    *room = more;
    return fresh;
}

/* Accounts are told apart by their names' hash; ids carry the rest. */
static uint64_t account_key(const char *account) {
    uint64_t key = 1469598103934665603u;
    while (*account)
        key = (key ^ (uint8_t)*account++) * 1099511628211u;
    return key;
}

static struct entry *entry_of(struct judge *j, const char *account, const json_t *line) {
    est_id id;
    if (!line_id(line, &id))
        return NULL;
    size_t place = ids_add(&j->ids, &id, account_key(account));
    j->entries = room_for(j->entries, &j->entries_room, place, sizeof *j->entries);
    return &j->entries[place];
}

static void number_key(uint64_t number, est_id *ret) {
    memset(ret, 0, sizeof *ret);
    memcpy(ret->bytes + 8, &number, sizeof number);
}

/* Whoever names a number names the same inquiry as all the others who name it. */
static void number_belongs(struct judge *j, uint64_t number, const struct entry *entry, const json_t *line) {
    est_id key;
    size_t known = j->numbers.count, owner = (size_t)(entry - j->entries);
    number_key(number, &key);
    size_t place = ids_add(&j->numbers, &key, 0);
    j->owner_of_number = room_for(j->owner_of_number, &j->numbers_room, place, sizeof *j->owner_of_number);
    if (place == known)
        j->owner_of_number[place] = owner;
    else if (j->owner_of_number[place] != owner)
        offend(j, RULE_NUMBER_ONCE, line_text(line, "id"),
               "%s says number %" PRIu64 ", which is another inquiry's", j->who, number);
}

static uint64_t line_hex(const json_t *line, const char *name) {
    return strtoull(line_text(line, name), NULL, 16);
}

/* --- What requesters say ------------------------------------------------------------------------- */

static void on_invoke(struct judge *j, struct entry *e, const json_t *line) {
    int64_t t = line_int(line, "t");
    uint64_t digest = line_hex(line, "digest");
    if (e->invoked && e->digest != digest)
        offend(j, RULE_HISTORY_WHOLE, line_text(line, "id"), "%s asks another question under an old id",
               j->who);
    if (!e->invoked || t < e->first_invoke)
        e->first_invoke = t;
    snprintf(e->type, sizeof e->type, "%s", line_text(line, "type"));
    e->district = (unsigned)line_int(line, "district");
    e->hurried = json_is_true(json_object_get(line, "hurried"));
    e->digest = digest;
    e->invoked = true;
    j->v->invokes++;
}

static void on_ok(struct judge *j, struct entry *e, const json_t *line) {
    const char *id = line_text(line, "id"), *tracking = line_text(line, "tracking");
    uint64_t number = (uint64_t)line_int(line, "number");
    int64_t t = line_int(line, "t");
    if (json_is_true(json_object_get(line, "other")))
        offend(j, RULE_OTHER_REFUSED, id, "%s has a receipt for another body", j->who);
    if (number == 0 || !*tracking)
        offend(j, RULE_SAME_RECEIPT, id, "%s has a receipt without number or tracking code", j->who);
    if (e->receipt && (e->number != number || strcmp(e->tracking, tracking) != 0))
        offend(j, RULE_SAME_RECEIPT, id, "%s has %" PRIu64 " %s; before it was %" PRIu64 " %s", j->who,
               number, tracking, e->number, e->tracking);
    if (!e->receipt || t < e->first_receipt)
        e->first_receipt = t;
    e->receipt = true;
    e->number = number;
    snprintf(e->tracking, sizeof e->tracking, "%s", tracking);
    number_belongs(j, number, e, line);
    j->v->receipts++;
    j->v->receipts_again += json_is_true(json_object_get(line, "again"));
}

static void on_fail(struct judge *j, struct entry *e, const json_t *line) {
    static const char *const allowed[] = {"DEADLINE_PASSED", "BUSY", "DRAINING"};
    const char *code = line_text(line, "code");
    bool good = false;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        good = good || strcmp(code, allowed[i]) == 0;
    if (!good || (strcmp(code, "DEADLINE_PASSED") == 0 && !e->hurried))
        offend(j, RULE_REFUSED_WITH_REASON, line_text(line, "id"), "%s is refused with %s", j->who, code);
    if (json_is_true(json_object_get(line, "again")))
        offend(j, RULE_SAME_RECEIPT, line_text(line, "id"), "%s is refused what was accepted before: %s",
               j->who, code);
    e->refused = true;
    if (line_int(line, "t") > e->last_refusal)
        e->last_refusal = line_int(line, "t");
    j->v->refused++;
}

static void end_read(const json_t *line, struct end *ret) {
    *ret = (struct end){
        .known = true, .number = (uint64_t)line_int(line, "number"), .digest = line_hex(line, "digest")};
    snprintf(ret->state, sizeof ret->state, "%s", line_text(line, "state"));
    snprintf(ret->outcome, sizeof ret->outcome, "%s", line_text(line, "outcome"));
    snprintf(ret->signer, sizeof ret->signer, "%s", line_text(line, "signer"));
}

static bool end_same(const struct end *a, const struct end *b) {
    return a->number == b->number && a->digest == b->digest && strcmp(a->state, b->state) == 0 &&
           strcmp(a->outcome, b->outcome) == 0 && strcmp(a->signer, b->signer) == 0;
}

static void on_result(struct judge *j, struct entry *e, const json_t *line) {
    struct end end;
    end_read(line, &end);
    if (e->end.known && !end_same(&e->end, &end))
        offend(j, RULE_RESULT_SAME, line_text(line, "id"), "%s has %s %s by %s; before it was %s %s by %s",
               j->who, end.state, end.outcome, end.signer, e->end.state, e->end.outcome, e->end.signer);
    e->end = end;
    number_belongs(j, end.number, e, line);
    j->v->results++;
    j->v->results_again += e->results++ > 0;
}

static void on_ack(struct judge *j, struct entry *e, const json_t *line) {
    (void)line;
    e->acked_by = true;
    j->v->acks++;
}

/* A cancel and its answer meet by `ref`, within one file. */
static void on_cancel(struct judge *j, struct entry *e, const json_t *line) {
    e->cancel_asked = true;
    j->cancels = room_for(j->cancels, &j->cancels_room, j->cancels_count, sizeof *j->cancels);
    snprintf(j->cancels[j->cancels_count].id, sizeof j->cancels->id, "%s", line_text(line, "id"));
    j->cancels[j->cancels_count++].ref = line_int(line, "ref");
}

static void on_cancelled(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    for (size_t i = 0; i < j->cancels_count; i++) {
        if (j->cancels[i].ref != line_int(line, "ref"))
            continue;
        json_t *about = json_pack("{s:s}", "id", j->cancels[i].id);
        struct entry *cancelled = entry_of(j, j->account, about);
        if (cancelled)
            cancelled->cancel_done = true;
        json_decref(about);
        return;
    }
    offend(j, RULE_NOBODY_INVENTS, "", "%s hears of a cancel that it never asked", j->who);
}

/* --- What agents say ----------------------------------------------------------------------------- */

/* What departments may see; the town's accounts, told again here so that the judge trusts nobody. */
static bool may_see(const char *account, const char *type, unsigned district) {
    if (strncmp(account, "works-", 6) == 0)
        return strcmp(type, "plot.use") == 0;
    bool first = strcmp(account, "treasury-a") == 0;
    return strcmp(type, "plot.debt") == 0 && (first ? district <= 6 : district >= 4);
}

static struct said *said_of(struct judge *j, const json_t *line, bool *ret_new) {
    est_id key;
    number_key((uint64_t)line_int(line, "epoch"), &key);
    size_t known = j->epochs.count, place = ids_add(&j->epochs, &key, 0);
    j->said = room_for(j->said, &j->said_room, place, sizeof *j->said);
    *ret_new = place == known;
    if (*ret_new)
        j->said[place] = (struct said){.epoch = (uint64_t)line_int(line, "epoch")};
    return &j->said[place];
}

static void on_take(struct judge *j, struct entry *unused, const json_t *line) {
    (void)unused;
    bool is_new;
    const char *id = line_text(line, "id");
    struct entry *e = entry_of(j, line_text(line, "requester"), line);
    struct said *lease = said_of(j, line, &is_new);
    unsigned district = (unsigned)line_int(line, "district");
    if (!is_new)
        offend(j, RULE_LEASE_ONCE, id, "%s holds epoch %" PRIu64 ", which was a lease before", j->who,
               lease->epoch);
    lease->number = (uint64_t)line_int(line, "number");
    snprintf(lease->who, sizeof lease->who, "%s", j->who);
    if (!may_see(j->account, line_text(line, "type"), district))
        offend(j, RULE_OWN_TYPES, id, "%s sees %s in district %u", j->who, line_text(line, "type"), district);
    j->v->takes++;
    if (!e || !e->invoked || e->digest != line_hex(line, "digest") ||
        strcmp(e->type, line_text(line, "type")) != 0 || e->district != district) {
        offend(j, RULE_NOBODY_INVENTS, id, "%s is given number %" PRIu64 " of %s as nobody submitted it",
               j->who, lease->number, line_text(line, "requester"));
        return;
    }
    number_belongs(j, lease->number, e, line);
    j->v->takes_again += e->takes++ > 0;
}

static void on_answer(struct judge *j, struct entry *unused, const json_t *line) {
    (void)unused;
    bool is_new;
    struct said *said = said_of(j, line, &is_new);
    if (is_new || said->number != (uint64_t)line_int(line, "number") || strcmp(said->who, j->who) != 0 ||
        *said->outcome)
        offend(j, RULE_HISTORY_WHOLE, "",
               "%s answers number %" PRId64 " without a lease of its own, or twice", j->who,
               (int64_t)line_int(line, "number"));
    snprintf(said->outcome, sizeof said->outcome, "%s", line_text(line, "outcome"));
    said->digest = line_hex(line, "digest");
    said->t = line_int(line, "t");
    j->v->answers_said++;
}

#define ON_COUNT(name, figure)                                                                               \
    static void name(struct judge *j, struct entry *e, const json_t *line) {                                 \
        (void)e, (void)line;                                                                                 \
        j->v->figure++;                                                                                      \
    }
ON_COUNT(on_conflict, conflicts)
ON_COUNT(on_foreign_ack, foreign_acks)
ON_COUNT(on_retry, retried)
ON_COUNT(on_refuse, given_up)
ON_COUNT(on_spoil, spoiled)
ON_COUNT(on_lost, leases_lost)

/* --- What the witness says ----------------------------------------------------------------------- */

static void on_status(struct judge *j, struct entry *e, const json_t *line) {
    const char *id = line_text(line, "id"), *tracking = line_text(line, "tracking");
    end_read(line, &e->status);
    e->found = true;
    e->due = line_int(line, "due");
    e->ended = line_int(line, "ended");
    e->attempts = (uint64_t)line_int(line, "attempts");
    e->recorded_acked = json_is_true(json_object_get(line, "acked"));
    if (e->receipt && (e->number != e->status.number || strcmp(e->tracking, tracking) != 0))
        offend(j, RULE_SAME_RECEIPT, id, "the record has %" PRIu64 " %s, the receipt %" PRIu64 " %s",
               e->status.number, tracking, e->number, e->tracking);
    if (e->digest != line_hex(line, "request") || strcmp(e->type, line_text(line, "type")) != 0)
        offend(j, RULE_ACCEPTED_KEPT, id, "the record has another type or body than was submitted");
    if (strcmp(line_text(line, "of"), j->account) != 0)
        offend(j, RULE_OWN_IDS, id, "asked as %s, the record shows what is %s's", j->account,
               line_text(line, "of"));
    number_belongs(j, e->status.number, e, line);
    j->v->accepted++;
    j->v->answered += strcmp(e->status.state, "answered") == 0;
    j->v->expired += strcmp(e->status.state, "expired") == 0;
    j->v->cancelled += strcmp(e->status.state, "cancelled") == 0;
}

static void on_absent(struct judge *j, struct entry *e, const json_t *line) {
    e->absent = true;
    if (strcmp(line_text(line, "code"), "NOT_FOUND") != 0)
        offend(j, RULE_OWN_IDS, line_text(line, "id"), "the record answers %s", line_text(line, "code"));
}

static bool is_end(const char *event) {
    return strcmp(event, "answered") == 0 || strcmp(event, "expired") == 0 || strcmp(event, "cancelled") == 0;
}

static void attempt_count(struct judge *j, struct entry *e, const char *event) {
    bool requeued = strcmp(event, "requeued") == 0, failed = strcmp(event, "attempt-failed") == 0;
    if (requeued)
        e->failures_seen = 0, e->parked_seen = false;
    e->failures_seen += failed;
    e->parked_seen = e->parked_seen || strcmp(event, "parked") == 0;
    j->v->requeued += requeued;
    j->v->attempts_failed += failed;
}

static void on_timeline(struct judge *j, struct entry *e, const json_t *line) {
    const json_t *events = json_object_get(line, "events"), *event;
    size_t i;
    json_array_foreach(events, i, event) {
        const char *name = json_string_value(event);
        if ((i == 0) != (strcmp(name, "submitted") == 0))
            offend(j, RULE_ENDS_ONCE, line_text(line, "id"), "its story does not begin with one submission");
        if (e->ends_seen > 0 && strcmp(name, "acknowledged") != 0)
            offend(j, RULE_ENDS_ONCE, line_text(line, "id"), "%s comes after its end", name);
        if (is_end(name))
            e->ends_seen++, snprintf(e->last_event, sizeof e->last_event, "%s", name);
        attempt_count(j, e, name);
    }
    j->v->leases_expired += (uint64_t)line_int(line, "leases_expired");
    e->events_seen += i;
}

static void on_foreign(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    j->v->foreign_asked++;
    if (strcmp(line_text(line, "code"), "NOT_FOUND") != 0)
        offend(j, RULE_OWN_IDS, line_text(line, "id"), "what is not %s's is answered %s", j->account,
               line_text(line, "code"));
}

static void on_leak(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    offend(j, RULE_OWN_IDS, line_text(line, "id"), "%s is shown an inquiry that it never asked", j->account);
}

static void on_stat(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    j->stats = true;
    if (strcmp(line_text(line, "name"), "inquiries_open") == 0)
        j->open = line_int(line, "value");
    if (strcmp(line_text(line, "name"), "results_unacknowledged") == 0)
        j->unacknowledged = line_int(line, "value");
}

static void on_store(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    const json_t *sheet = json_object_get(line, "sheet");
    if (line_int(line, "status") != 0)
        offend(j, RULE_STORE_CLEAN, "", "estelam store check ends with %d: %s", (int)line_int(line, "status"),
               line_text(sheet, "why"));
    j->store = true;
    j->store_inquiries = (uint64_t)line_int(sheet, "inquiries");
    j->store_ended = (uint64_t)line_int(sheet, "ended");
    j->store_answered = (uint64_t)line_int(sheet, "answered");
}

static void on_seed(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    j->wall_less_monotonic = line_int(line, "wall") - line_int(line, "t");
}

static void on_clock(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    j->moves = room_for(j->moves, &j->moves_room, j->moves_count, sizeof *j->moves);
    j->moves[j->moves_count++] = (struct clock_move){line_int(line, "t"), line_int(line, "ahead_us")};
}

/* --- Lines --------------------------------------------------------------------------------------- */

static void on_start(struct judge *j, struct entry *e, const json_t *line) {
    (void)e;
    snprintf(j->account, sizeof j->account, "%s", line_text(line, "account"));
    j->cancels_count = 0;
}

static const struct {
    const char *role, *what;
    void (*take)(struct judge *, struct entry *, const json_t *);
    bool about_id;
} takers[] = {
    {"", "start", on_start, false},
    {"requester", "invoke", on_invoke, true},
    {"requester", "ok", on_ok, true},
    {"requester", "fail", on_fail, true},
    {"requester", "conflict", on_conflict, true},
    {"requester", "foreign-ack", on_foreign_ack, false},
    {"requester", "result", on_result, true},
    {"requester", "ack", on_ack, true},
    {"requester", "cancel", on_cancel, true},
    {"requester", "cancelled", on_cancelled, false},
    {"agent", "take", on_take, false},
    {"agent", "answer", on_answer, false},
    {"agent", "retry", on_retry, false},
    {"agent", "refuse", on_refuse, false},
    {"agent", "spoil", on_spoil, false},
    {"agent", "lost", on_lost, false},
    {"witness", "status", on_status, true},
    {"witness", "absent", on_absent, true},
    {"witness", "timeline", on_timeline, true},
    {"witness", "result", on_result, true},
    {"witness", "foreign", on_foreign, false},
    {"witness", "leak", on_leak, false},
    {"witness", "stat", on_stat, false},
    {"nemesis", "store", on_store, false},
    {"nemesis", "clock", on_clock, false},
    {"nemesis", "seed", on_seed, false},
};

static void line_take(void *arg, const json_t *line) {
    struct judge *j = arg;
    j->v->lines++;
    j->who = line_text(line, "who");
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        if ((*takers[i].role && strcmp(takers[i].role, j->role) != 0) || !line_is(line, takers[i].what))
            continue;
        const char *as = line_text(line, "account"); /* the witness asks as many */
        if (*as)
            snprintf(j->account, sizeof j->account, "%s", as);
        struct entry *e = takers[i].about_id ? entry_of(j, j->account, line) : NULL;
        if (takers[i].about_id && !e)
            offend(j, RULE_HISTORY_WHOLE, "", "%s writes %s without an id", j->who, takers[i].what);
        else
            takers[i].take(j, e, line);
        return;
    }
}

/* --- Every entry against every rule -------------------------------------------------------------- */

/* A copy of a submit that waited in a dead connection may come after its fellow was refused. It is
 * refused too, for time goes on; unless the clock was set back meanwhile. */
static bool clock_excuses(const struct judge *j, const struct entry *e) {
    enum { STALE_US = 1000000 };
    for (size_t i = 0; i < j->moves_count; i++)
        if (j->moves[i].ahead < (i > 0 ? j->moves[i - 1].ahead : 0) && j->moves[i].t >= e->first_invoke &&
            j->moves[i].t <= e->last_refusal + STALE_US)
            return true;
    return false;
}

static void check_kept(struct judge *j, const struct entry *e, const char *id) {
    bool promised = e->receipt || e->end.known || e->takes > 0;
    if (!e->invoked)
        offend(j, e->results || e->receipt ? RULE_OWN_IDS : RULE_NOBODY_INVENTS, id,
               "an account is told of an id that it never asked");
    if (promised && !e->found)
        offend(j, RULE_ACCEPTED_KEPT, id,
               e->absent ? "it was accepted and is not there"
                         : "it was accepted and the record was silent about it");
    if (e->refused && !promised && e->found && !clock_excuses(j, e))
        offend(j, RULE_REFUSED_IS_NOTHING, id, "it was refused and is there");
}

static void check_end(struct judge *j, const struct entry *e, const char *id) {
    if (!e->found)
        return;
    if (!is_end(e->status.state))
        offend(j, RULE_ENDS_ONCE, id, "it is %s when everything has ended", e->status.state);
    else if (e->ends_seen != 1 || strcmp(e->last_event, e->status.state) != 0)
        offend(j, RULE_ENDS_ONCE, id, "it is %s, and its story tells of %" PRIu64 " ends, the last %s",
               e->status.state, e->ends_seen, *e->last_event ? e->last_event : "none");
    if (strcmp(e->status.state, "expired") == 0 && !e->hurried)
        offend(j, RULE_END_HAS_CAUSE, id, "it expired and had no deadline to speak of");
    if (strcmp(e->status.state, "cancelled") == 0 && !e->cancel_asked)
        offend(j, RULE_END_HAS_CAUSE, id, "it is cancelled and nobody asked for that");
    if (e->cancel_done && strcmp(e->status.state, "cancelled") != 0)
        offend(j, RULE_END_HAS_CAUSE, id, "its cancel was done and it is %s", e->status.state);
}

static void check_attempts(struct judge *j, const struct entry *e, const char *id) {
    if (!e->found)
        return;
    if (!e->parked_seen && e->attempts != e->failures_seen)
        offend(j, RULE_ATTEMPTS_COUNTED, id, "it counts %" PRIu64 " attempts, its story tells of %" PRIu64,
               e->attempts, e->failures_seen);
}

static void check_result(struct judge *j, const struct entry *e, const char *id) {
    if (!e->found)
        return;
    if (!e->end.known && !e->recorded_acked)
        offend(j, RULE_RESULT_ARRIVES, id, "its result came to nobody, also not when asked");
    if (e->recorded_acked && !e->acked_by)
        offend(j, RULE_ACK_HAS_CAUSE, id, "the record calls it acknowledged and nobody did that");
    if (e->end.known && !end_same(&e->end, &e->status))
        offend(j, RULE_RESULT_SAME, id, "delivered was %s %s by %s, recorded is %s %s by %s", e->end.state,
               e->end.outcome, e->end.signer, e->status.state, e->status.outcome, e->status.signer);
    j->unacknowledged -= !e->recorded_acked;
    j->v->waited_at_end += !e->recorded_acked;
}

/* How far ahead the broker's clock was at least, about this moment. */
static int64_t ahead_at(const struct judge *j, int64_t t) {
    enum { ABOUT_US = 300000 };
    int64_t before = 0, least = INT64_MAX;
    for (size_t i = 0; i < j->moves_count && j->moves[i].t <= t + ABOUT_US; i++) {
        if (j->moves[i].t < t - ABOUT_US)
            before = j->moves[i].ahead;
        else if (j->moves[i].ahead < least)
            least = j->moves[i].ahead;
    }
    return before < least ? before : least;
}

/* An agent that spoke after the deadline, by the clock that the broker had then, spoke too late.
 * The slack is for a broker that was stopped between its look at the clock and its reading. */
static void check_deadline(struct judge *j, const struct entry *e, const struct said *said, const char *id) {
    enum { SLACK_US = 300000, SKEW_US = 4000000 };
    int64_t then = said->t + j->wall_less_monotonic + ahead_at(j, said->t);
    if (e->due != 0 && (then > e->due + SLACK_US || e->ended > e->due + SKEW_US))
        offend(j, RULE_DEADLINE_HOLDS, id,
               "its answer was said %" PRId64 " ms after its deadline, and recorded", (then - e->due) / 1000);
}

/* The signer's words are the agent's name and the epoch. */
static void check_answer(struct judge *j, const struct entry *e, const char *id) {
    char who[32] = "";
    uint64_t epoch = 0;
    est_id key;
    size_t place;
    if (!e->found || strcmp(e->status.state, "answered") != 0)
        return;
    sscanf(e->status.signer, "%31s %" SCNu64, who, &epoch);
    number_key(epoch, &key);
    const struct said *said = ids_find(&j->epochs, &key, 0, &place) ? &j->said[place] : NULL;
    if (!said || said->number != e->status.number || strcmp(said->who, who) != 0 ||
        strcmp(said->outcome, e->status.outcome) != 0 || said->digest != e->status.digest) {
        offend(j, RULE_ANSWER_WAS_SAID, id, "recorded is %s by %s, which that agent did not say",
               e->status.outcome, e->status.signer);
        return;
    }
    check_deadline(j, e, said, id);
    j->said[place].recorded = true;
}

struct numbered {
    uint64_t number;
    const struct entry *entry;
    size_t place;
};

static int by_number(const void *a, const void *b) {
    const struct numbered *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* From the highest number down: nothing may have its receipt before something lower was first asked. */
static void check_order(struct judge *j) {
    struct numbered *all = calloc(j->ids.count + 1, sizeof *all);
    size_t count = 0;
    int64_t earliest = INT64_MAX;
    if (!all)
        abort();
    for (size_t i = 0; i < j->ids.count; i++)
        if (j->entries[i].receipt)
            all[count++] = (struct numbered){j->entries[i].number, &j->entries[i], i};
    qsort(all, count, sizeof *all, by_number);
    for (size_t i = count; i-- > 0;) {
        char id[EST_ID_TEXT_SIZE];
        est_id_format(&j->ids.keys[all[i].place].id, id);
        if (earliest < all[i].entry->first_invoke)
            offend(j, RULE_NUMBERS_IN_ORDER, id, "number %" PRIu64 " was asked after a higher one was given",
                   all[i].number);
        if (all[i].entry->first_receipt < earliest)
            earliest = all[i].entry->first_receipt;
    }
    free(all);
}

static void check_counts(struct judge *j) {
    uint64_t ended = j->v->answered + j->v->expired + j->v->cancelled;
    if (!j->stats || !j->store) {
        offend(j, RULE_HISTORY_WHOLE, "", "there are no counters, or no store check");
        return;
    }
    if (j->open != 0)
        offend(j, RULE_COUNTS_AGREE, "", "%" PRId64 " are open by the counters", j->open);
    if (j->unacknowledged != 0)
        offend(j, RULE_COUNTS_AGREE, "", "unacknowledged by the counters, less those by the record: %" PRId64,
               j->unacknowledged);
    if (j->store_inquiries != j->v->accepted || j->store_ended != ended ||
        j->store_answered != j->v->answered)
        offend(j, RULE_COUNTS_AGREE, "",
               "the store holds %" PRIu64 ", %" PRIu64 " ended, %" PRIu64 " answered; the histories %" PRIu64
               ", %" PRIu64 ", %" PRIu64,
               j->store_inquiries, j->store_ended, j->store_answered, j->v->accepted, ended, j->v->answered);
}

static void id_plain(const est_id *id, char ret_text[33]) {
    for (size_t i = 0; i < sizeof id->bytes; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", id->bytes[i]);
}

static void check_all(struct judge *j) {
    char id[33];
    struct ids bare = {0};
    for (size_t i = 0; i < j->ids.count; i++) {
        const struct entry *e = &j->entries[i];
        id_plain(&j->ids.keys[i].id, id);
        check_kept(j, e, id);
        check_end(j, e, id);
        check_attempts(j, e, id);
        check_result(j, e, id);
        check_answer(j, e, id);
        ids_add(&bare, &j->ids.keys[i].id, 0);
    }
    check_order(j);
    check_counts(j);
    for (size_t i = 0; i < j->epochs.count; i++)
        j->v->answers_not_taken += *j->said[i].outcome && !j->said[i].recorded;
    j->v->ids = j->ids.count;
    j->v->two_accounts = j->ids.count - bare.count;
    ids_done(&bare);
}

/* --- A folder -------------------------------------------------------------------------------------- */

static size_t role_read(struct judge *j, const char *folder, const char *role) {
    char pattern[512];
    glob_t found;
    unsigned line;
    snprintf(pattern, sizeof pattern, "%s/%s*.jsonl", folder, role);
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    snprintf(j->role, sizeof j->role, "%s", role);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        j->v->histories++;
        if (lines_read(found.gl_pathv[i], line_take, j, &line) != 0)
            offend(j, RULE_HISTORY_WHOLE, "", "%s: line %u is none", found.gl_pathv[i], line);
    }
    size_t count = found.gl_pathc;
    globfree(&found);
    return count;
}

int judge_folder(const char *folder, struct verdict *ret) {
    struct judge j = {.v = ret};
    *ret = (struct verdict){0};
    size_t requesters = role_read(&j, folder, "requester"), agents = role_read(&j, folder, "agent");
    size_t others = role_read(&j, folder, "witness") + role_read(&j, folder, "nemesis");
    bool enough = requesters > 0 && agents > 0 && others > 1;
    if (enough)
        check_all(&j);
    ids_done(&j.ids);
    ids_done(&j.numbers);
    ids_done(&j.epochs);
    free(j.entries);
    free(j.owner_of_number);
    free(j.said);
    free(j.cancels);
    free(j.moves);
    return enough ? 0 : -1;
}
