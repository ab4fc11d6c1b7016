/* check_asks.c - the checks of an operator's door. See check_asks.h. */
#include "check_asks.h"
#include "heap.h"
#include "moment.h"

#include <inttypes.h>
#include <string.h>

/* --- The queues, department by department ------------------------------------------------------- */

/* A department's queues of all districts together. */
struct tally {
    char department[EST_NAME_MAX + 1];
    uint64_t waiting, delayed, parked, unserved; /* unserved: waits, or will after a pause, where no agent is */
    bool paused;
    est_time oldest;
    unsigned oldest_district;
};
struct tallies {
    size_t count;
    struct tally at[VALUES_MAX];
};

static struct tally *tally_of(struct tallies *all, est_slice department) {
    size_t size = department.size < EST_NAME_MAX ? department.size : EST_NAME_MAX;
    for (size_t i = 0; i < all->count; i++)
        if (strlen(all->at[i].department) == size &&
            memcmp(all->at[i].department, department.data, size) == 0)
            return &all->at[i];
    if (all->count == VALUES_MAX)
        return &all->at[VALUES_MAX - 1]; /* beyond that they share the last place: counted, not named */
    struct tally *t = &all->at[all->count++];
    memcpy(t->department, department.data, size);
    return t;
}

static void tallies_page(void *arg, const est_event *event) {
    est_queue_row row;
    for (size_t i = 0; est_row_queue(event, i, &row); i++) {
        struct tally *t = tally_of(arg, row.department);
        t->waiting += row.waiting;
        t->delayed += row.delayed;
        t->parked += row.parked;
        t->paused = t->paused || row.paused;
        t->unserved += row.unserved;
        if (row.oldest.us && (t->oldest.us == 0 || row.oldest.us < t->oldest.us)) {
            t->oldest = row.oldest;
            t->oldest_district = row.district;
        }
    }
}

/* To be freed; NULL when it was told why not, with *ret_status. */
static struct tallies *tallies_read(struct check_call *c, int *ret_status) {
    struct tallies *all = heap_new(1, sizeof *all);
    *ret_status = pages_read(&c->desk.peer, est_client_queues, EST_EVENT_QUEUES,
                             call_value(c->call, "department"), tallies_page, all);
    if (*ret_status)
        heap_free((void **)&all);
    return all;
}

/* ", district 4" where there is one. */
static const char *district_text(unsigned district, char room[24]) {
    room[0] = '\0';
    if (district)
        snprintf(room, 24, ", district %u", district);
    return room;
}

int check_queue_age(struct check_call *c) {
    struct verdict *v = c->verdict;
    est_time now = moment_now();
    const struct tally *worst = NULL;
    uint64_t waiting = 0, delayed = 0;
    int status;
    struct tallies *all = tallies_read(c, &status);
    if (!all)
        return status;
    struct value *oldest = verdict_add(v, UNIT_SECONDS, 0, "oldest_waited_max_seconds", "oldest");
    for (size_t i = 0; i < all->count; i++) {
        const struct tally *t = &all->at[i];
        double age = t->oldest.us && now.us > t->oldest.us ? (double)(now.us - t->oldest.us) / 1e6 : 0;
        struct value *value =
            verdict_add(v, UNIT_SECONDS, age, "oldest_waited_seconds", "oldest_%s", t->department);
        value_label(value, "department", "%s", t->department);
        verdict_raise(v, verdict_judge(v, UNIT_SECONDS, age));
        waiting += t->waiting;
        delayed += t->delayed;
        if (t->oldest.us && (!worst || t->oldest.us < worst->oldest.us)) {
            worst = t;
            oldest->is = age;
        }
    }
    verdict_add(v, UNIT_COUNT, (double)waiting, "waiting", "waiting");
    if (worst) {
        char span[MOMENT_SPAN_SIZE], district[24], failed[64] = "";
        moment_span((est_span){now.us - worst->oldest.us}, span);
        if (delayed)
            snprintf(failed, sizeof failed, ", %" PRIu64 " of them after a failed attempt", delayed);
        verdict_say(v, "the oldest waits for %s (%s%s%s), %" PRIu64 " wait in all%s", span, worst->department,
                    district_text(worst->oldest_district, district), worst->paused ? ", paused" : "",
                    waiting + delayed, failed);
    } else {
        verdict_say(v, "nothing waits");
    }
    heap_free((void **)&all);
    return 0;
}

/* Where somebody has paused the department its agent may be away on purpose: nobody is woken for it. */
static enum check_state unserved_judge(struct verdict *v, const struct tally *t) {
    enum check_state judged = verdict_judge(v, UNIT_COUNT, (double)t->unserved);
    return t->paused && judged == CHECK_CRITICAL ? CHECK_WARNING : judged;
}

int check_agents(struct check_call *c) {
    struct verdict *v = c->verdict;
    uint64_t unserved = 0;
    size_t departments = 0;
    char names[200] = "";
    int status;
    struct tallies *all = tallies_read(c, &status);
    if (!all)
        return status;
    struct value *sum = verdict_add(v, UNIT_COUNT, 0, "unserved_inquiries_all", "unserved");
    for (size_t i = 0; i < all->count; i++) {
        const struct tally *t = &all->at[i];
        struct value *value = verdict_add(v, UNIT_COUNT, (double)t->unserved, "unserved_inquiries",
                                          "unserved_%s", t->department);
        value_label(value, "department", "%s", t->department);
        verdict_raise(v, unserved_judge(v, t));
        unserved += t->unserved;
        size_t used = strlen(names);
        if (t->unserved && ++departments)
            snprintf(names + used, sizeof names - used, "%s%s %" PRIu64 "%s", used ? ", " : "", t->department,
                     t->unserved, t->paused ? " (paused)" : "");
    }
    sum->is = (double)unserved;
    if (unserved)
        verdict_say(v, "work waits and no agent serves it: %s%s", names,
                    strlen(names) + 1 == sizeof names ? "…" : "");
    else
        verdict_say(v, "all that waits has an agent");
    heap_free((void **)&all);
    return 0;
}

int check_parked(struct check_call *c) {
    struct verdict *v = c->verdict;
    uint64_t parked = 0;
    const struct tally *most = NULL;
    int status;
    struct tallies *all = tallies_read(c, &status);
    if (!all)
        return status;
    struct value *sum = verdict_add(v, UNIT_COUNT, 0, "parked_inquiries_all", "parked");
    for (size_t i = 0; i < all->count; i++) {
        const struct tally *t = &all->at[i];
        struct value *value =
            verdict_add(v, UNIT_COUNT, (double)t->parked, "parked_inquiries", "parked_%s", t->department);
        value_label(value, "department", "%s", t->department);
        value->judged = false; /* the sum is */
        parked += t->parked;
        most = t->parked && (!most || t->parked > most->parked) ? t : most;
    }
    sum->is = (double)parked;
    verdict_raise(v, verdict_judge(v, UNIT_COUNT, (double)parked));
    if (most)
        verdict_say(v, "%" PRIu64 " parked, most of them at %s (%" PRIu64 "); see `estelam parked list`",
                    parked, most->department, most->parked);
    else
        verdict_say(v, "nothing is parked");
    heap_free((void **)&all);
    return 0;
}

/* --- The broker itself --------------------------------------------------------------------------- */

/* The counters; *ret lives until the next ask. */
static int stats_ask(struct check_call *c, est_event *ret) {
    uint64_t ref = peer_ref(&c->desk.peer);
    return peer_answer(&c->desk.peer, est_client_stats(c->desk.peer.client, ref), ref, EST_EVENT_STATS, ret);
}

/* False where the broker tells no such thing. */
static bool stat_find(const est_event *stats, const char *name, uint64_t *ret) {
    est_stat_row row;
    for (size_t i = 0; est_row_stat(stats, i, &row); i++)
        if (row.name.size == strlen(name) && memcmp(row.name.data, name, row.name.size) == 0) {
            *ret = row.value;
            return true;
        }
    return false;
}

static uint64_t stat_of(const est_event *stats, const char *name) {
    uint64_t value = 0;
    stat_find(stats, name, &value);
    return value;
}

/* From here on it is a clock that somebody has to set. */
enum { CLOCK_BEHIND_S = 5 };

int check_ready(struct check_call *c) {
    struct verdict *v = c->verdict;
    est_event stats;
    int64_t before = moment_now().us;
    int status = stats_ask(c, &stats);
    if (status)
        return status;
    double took = (double)(moment_now().us - before) / 1e6;
    bool full = stat_of(&stats, "store_full"), draining = stat_of(&stats, "draining");
    uint64_t behind_s = stat_of(&stats, "clock_behind_us") / EST_US_PER_S;
    char up[MOMENT_SPAN_SIZE];
    moment_span((est_span){moment_now().us - (int64_t)stat_of(&stats, "started_us")}, up);
    verdict_add(v, UNIT_SECONDS, took, "answer_seconds", "answer");
    verdict_add(v, UNIT_COUNT, (double)stat_of(&stats, "inquiries_open"), "open_inquiries", "open")->judged =
        false;
    verdict_raise(v, verdict_judge(v, UNIT_SECONDS, took));
    verdict_raise(v, full ? CHECK_CRITICAL : draining || behind_s >= CLOCK_BEHIND_S ? CHECK_WARNING : CHECK_OK);
    verdict_say(v, "%s",
                full       ? "the store is full: new inquiries are refused with BUSY"
                : draining ? "the broker is draining: new inquiries are refused"
                           : "the broker takes inquiries");
    size_t used = strlen(v->text);
    snprintf(v->text + used, sizeof v->text - used, "; up for %s, %" PRIu64 " open", up,
             stat_of(&stats, "inquiries_open"));
    used = strlen(v->text);
    if (behind_s >= CLOCK_BEHIND_S)
        snprintf(v->text + used, sizeof v->text - used,
                 "; its clock is %" PRIu64 " s behind its log: ages stand still, and terms of what was under way end later", behind_s);
    return 0;
}

/* How full, in percent, and of what. Of a broker that does not tell: the store against its own limit or
 * against the room of its disk, whichever ends first. */
static double room_full(const struct room *room, bool *ret_of_disk) {
    uint64_t disk_end = room->used + room->disk_free;
    uint64_t end = room->limit < disk_end ? room->limit : disk_end;
    if (!room->fullness_told) {
        *ret_of_disk = disk_end < room->limit;
        return end ? 100.0 * (double)room->used / (double)end : 100;
    }
    double own = room->limit ? 1000.0 * (double)room->used / (double)room->limit : 1000;
    double told = (double)room->fullness;
    *ret_of_disk = told > own + 1;         /* the store may have grown between the two figures */
    return (told > own ? told : own) / 10; /* its own share is not cut to thousandths */
}

void room_judge(struct verdict *v, const struct room *room) {
    bool of_disk;
    double full = room_full(room, &of_disk), used = (double)room->used, disk = (double)room->disk_free;
    double own = room->limit > room->used ? (double)(room->limit - room->used) : 0;
    double left = own < disk ? own : disk;
    verdict_add(v, UNIT_PERCENT, full, "store_full_ratio", "full");
    verdict_add(v, UNIT_BYTES, left, "store_room_bytes", "room");
    verdict_add(v, UNIT_BYTES, used, "store_used_bytes", "used")->judged = false;
    verdict_add(v, UNIT_BYTES, disk, "disk_free_bytes", "disk_free")->judged = false;
    verdict_raise(v, verdict_judge(v, UNIT_PERCENT, full));
    verdict_raise(v, verdict_judge(v, UNIT_BYTES, left));
    if (room->refuses)
        verdict_raise(v, CHECK_CRITICAL);
    verdict_say(v, "%s%.1f %% full, %s: %.1f MiB used, room for %.1f MiB, %.1f GiB free on its disk",
                room->refuses ? "new inquiries are refused; " : "", full,
                of_disk ? "its disk is the limit" : "store.size_max is the limit", used / 1048576.0,
                left / 1048576.0, disk / 1073741824.0);
}

int check_disk(struct check_call *c) {
    est_event stats;
    int status = stats_ask(c, &stats);
    if (status)
        return status;
    struct room room = {.used = stat_of(&stats, "store_used_bytes"),
                        .limit = stat_of(&stats, "store_limit_bytes"),
                        .disk_free = stat_of(&stats, "disk_free_bytes"),
                        .refuses = stat_of(&stats, "store_full") != 0};
    room.fullness_told = stat_find(&stats, "store_fullness", &room.fullness);
    room_judge(c->verdict, &room);
    return 0;
}

/* --- Keys ---------------------------------------------------------------------------------------- */

struct key_list {
    struct key_end *at;
    size_t count, room;
};

static void name_copy(char *ret, size_t room, est_slice name) {
    snprintf(ret, room, "%.*s", (int)name.size, (const char *)name.data);
}

static void keys_page(void *arg, const est_event *event) {
    struct key_list *list = arg;
    est_key_row row;
    for (size_t i = 0; est_row_key(event, i, &row); i++) {
        if (list->count == list->room) {
            list->room = list->room ? list->room * 2 : 64;
            list->at = heap_grow(list->at, list->room, sizeof *list->at);
        }
        struct key_end *k = &list->at[list->count++];
        name_copy(k->account, sizeof k->account, row.account);
        name_copy(k->key, sizeof k->key, row.key);
        k->from = row.from;
        k->until = row.until;
    }
}

static bool key_has_ended(const struct key_end *k, est_time now) {
    return k->until.us != 0 && k->until.us <= now.us;
}

/* An ended key of an account that has a good one is what a change of keys leaves behind. */
static bool key_is_replaced(const struct key_end *keys, size_t count, const struct key_end *key,
                            est_time now) {
    for (size_t i = 0; key_has_ended(key, now) && i < count; i++)
        if (strcmp(keys[i].account, key->account) == 0 && keys[i].from.us <= now.us &&
            !key_has_ended(&keys[i], now))
            return true;
    return false;
}

static void key_judge(struct verdict *v, const struct key_end *k, est_time now) {
    double left = key_has_ended(k, now) ? 0 : (double)(k->until.us - now.us) / 1e6;
    value_label(verdict_add(v, UNIT_SECONDS, left, "key_left_seconds", "%s %s", k->account, k->key), "key",
                "%s %s", k->account, k->key);
    verdict_raise(v, verdict_judge(v, UNIT_SECONDS, left));
}

/* Empty where there is none. */
static void ended_say(const struct key_end *ended, est_time now, char *ret, size_t room) {
    char span[MOMENT_SPAN_SIZE];
    *ret = '\0';
    if (!ended)
        return;
    moment_span((est_span){now.us - ended->until.us}, span);
    snprintf(ret, room, "the key of %s %s ended %s ago, and its account has no good one; ", ended->account,
             ended->key, span);
}

void keys_judge(struct verdict *v, est_time now, const struct key_end *keys, size_t count) {
    const struct key_end *first = NULL, *ended = NULL; /* `ended`: the last that did */
    uint64_t counted = 0, endless = 0;
    char span[MOMENT_SPAN_SIZE], past[EST_NAME_MAX + 128];
    for (size_t i = 0; i < count; i++) {
        const struct key_end *k = &keys[i];
        if (key_is_replaced(keys, count, k, now))
            continue;
        counted++;
        endless += k->until.us == 0;
        if (k->until.us == 0)
            continue;
        key_judge(v, k, now);
        if (key_has_ended(k, now))
            ended = !ended || k->until.us > ended->until.us ? k : ended;
        else
            first = !first || k->until.us < first->until.us ? k : first;
    }
    ended_say(ended, now, past, sizeof past);
    if (first) {
        moment_span((est_span){first->until.us - now.us}, span);
        verdict_say(v,
                    "%sthe first key to end is that of %s %s, in %s; %" PRIu64 " of %" PRIu64 " have no end",
                    past, first->account, first->key, span, endless, counted);
    } else if (ended) {
        verdict_say(v, "%s%" PRIu64 " of %" PRIu64 " keys have no end", past, endless, counted);
    } else {
        verdict_say(v, "none of %" PRIu64 " keys has an end", counted);
    }
}

int check_key_expiry(struct check_call *c) {
    struct key_list list = {0};
    int status = pages_read(&c->desk.peer, est_client_keys, EST_EVENT_KEYS, call_value(c->call, "department"),
                            keys_page, &list);
    if (!status)
        keys_judge(c->verdict, moment_now(), list.at, list.count);
    heap_free((void **)&list.at);
    return status;
}
