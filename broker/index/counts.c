/* counts.c - see counts.h. */
#include "counts.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct count {
    struct count_key key;
    uint64_t value;
    bool used, changed;
};

struct counts {
    struct count *slots;
    size_t capacity, used; /* open addressing; a power of two */
};

/* Upper bounds of the histograms' steps, in seconds: from an agent at once to the two months of the
 * law. What is longer falls into the step behind the last. */
static const struct {
    const char *label;
    int64_t us;
} steps[] = {
    {"0.001", 1000},
    {"0.005", 5000},
    {"0.01", 10000},
    {"0.05", 50000},
    {"0.1", 100000},
    {"0.5", 500000},
    {"1", 1000000},
    {"5", 5000000},
    {"10", 10000000},
    {"60", 60000000},
    {"300", 300000000},
    {"1800", 1800000000},
    {"3600", 3600000000},
    {"21600", 21600000000},
    {"86400", 86400000000},
    {"604800", 604800000000},
    {"2592000", 2592000000000},
    {"5184000", 5184000000000},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

struct counts *counts_new(void) {
    struct counts *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->capacity = 1024;
    c->slots = calloc(c->capacity, sizeof *c->slots);
    if (!c->slots)
        counts_free(&c);
    return c;
}

void counts_free(struct counts **ref) {
    if (!*ref)
        return;
    free((*ref)->slots);
    free(*ref);
    *ref = NULL;
}

static struct count *slot_of(struct count *slots, size_t capacity, const struct count_key *key) {
    uint64_t hash = (uint64_t)key->name * UINT64_C(0x9e3779b97f4a7c15) ^
                    (uint64_t)key->department * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                    (uint64_t)key->label * UINT64_C(0x165667b19e3779f9);
    size_t at = (size_t)(hash ^ hash >> 29) & (capacity - 1);
    while (slots[at].used && memcmp(&slots[at].key, key, sizeof *key) != 0)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool counts_grow(struct counts *c) {
    size_t capacity = c->capacity * 2;
    struct count *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < c->capacity; i++)
        if (c->slots[i].used)
            *slot_of(slots, capacity, &c->slots[i].key) = c->slots[i];
    free(c->slots);
    c->slots = slots;
    c->capacity = capacity;
    return true;
}

static struct count *count_at(struct counts *c, const struct count_key *key) {
    if (c->used * 2 >= c->capacity && !counts_grow(c))
        return NULL;
    struct count *count = slot_of(c->slots, c->capacity, key);
    if (!count->used) {
        *count = (struct count){.key = *key, .used = true};
        c->used++;
    }
    return count;
}

static int count_load(void *arg, const struct count_key *key, uint64_t value) {
    struct count *count = count_at(arg, key);
    if (!count)
        return -EST_NO_MEMORY;
    count->value = value;
    return 0;
}

int counts_load(struct counts *c, struct base *base) {
    memset(c->slots, 0, c->capacity * sizeof *c->slots);
    c->used = 0;
    return base_each_count(base, count_load, c);
}

int counts_add(struct counts *c, enum count_name name, uint32_t department, uint32_t label, int64_t more) {
    struct count *count = count_at(c, &(struct count_key){name, department, label});
    if (!count)
        return -EST_NO_MEMORY;
    count->value += (uint64_t)more;
    count->changed = true;
    return 0;
}

uint64_t counts_get(const struct counts *c, enum count_name name, uint32_t department, uint32_t label) {
    return slot_of(c->slots, c->capacity, &(struct count_key){name, department, label})->value;
}

int counts_span(struct counts *c, enum count_name step, enum count_name sum, est_span span) {
    uint32_t at = 0;
    while (at < STEPS && span.us > steps[at].us)
        at++;
    int rc = counts_add(c, step, 0, at, 1);
    return rc ? rc : counts_add(c, sum, 0, 0, span.us > 0 ? span.us : 0);
}

int counts_save(struct counts *c, struct base *base) {
    for (size_t i = 0; i < c->capacity; i++) {
        if (!c->slots[i].changed)
            continue;
        int rc = base_count_put(base, &c->slots[i].key, c->slots[i].value);
        if (rc)
            return rc;
        c->slots[i].changed = false;
    }
    return 0;
}

/* --- Rows ---------------------------------------------------------------------------------------- */

static est_slice label_outcome(uint32_t label) {
    return slice_of(label == FINISHED_EXPIRED     ? est_state_name(EST_STATE_EXPIRED)
                    : label == FINISHED_CANCELLED ? est_state_name(EST_STATE_CANCELLED)
                                                  : est_outcome_name((enum est_outcome)label));
}

static est_slice label_code(uint32_t label) {
    return slice_of(est_code_name((int)label));
}

static est_slice label_none(uint32_t label) {
    (void)label;
    return slice_of("");
}

static const struct told {
    const char *name;
    est_slice (*label)(uint32_t);
} told[] = {
    [COUNT_ACCEPTED] = {"accepted", label_none},
    [COUNT_FINISHED] = {"finished", label_outcome},
    [COUNT_ATTEMPTS_FAILED] = {"attempts_failed", label_code},
    [COUNT_PARKED] = {"parked", label_code},
    [COUNT_REQUEUED] = {"requeued", label_none},
    [COUNT_REDIRECTED] = {"redirected", label_none},
    [COUNT_ACKNOWLEDGED] = {"acknowledged", label_none},
    [COUNT_ANSWER_SUM] = {"answer_seconds_sum", label_none},
    [COUNT_WAIT_SUM] = {"queue_wait_seconds_sum", label_none},
};

static int count_order(const void *a, const void *b) {
    const struct count_key *x = &(*(const struct count *const *)a)->key,
                           *y = &(*(const struct count *const *)b)->key;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    if (x->department != y->department)
        return x->department < y->department ? -1 : 1;
    return x->label < y->label ? -1 : x->label > y->label;
}

static size_t counts_list(const struct counts *c, const struct names *names, struct buffer *ret) {
    const struct count **list = malloc((c->used + 1) * sizeof *list);
    size_t count = 0, rows = 0;
    for (size_t i = 0; list && i < c->capacity; i++)
        if (c->slots[i].used && c->slots[i].key.name < sizeof told / sizeof told[0] &&
            told[c->slots[i].key.name].name)
            list[count++] = &c->slots[i];
    if (list)
        qsort(list, count, sizeof *list, count_order);
    for (size_t i = 0; i < count && rows < ROWS_MAX - 2 * (STEPS + 1); i++, rows++) {
        const struct count_key *key = &list[i]->key;
        struct counter_row row = {.name = slice_of(told[key->name].name),
                                  .department = names_of(names, THING_DEPARTMENT, key->department),
                                  .label = told[key->name].label(key->label),
                                  .value = list[i]->value};
        counter_row_pack(ret, &row);
    }
    free(list);
    return rows;
}

/* Every step with all below it, as its readers expect it. */
static size_t histogram_pack(const struct counts *c, enum count_name step, const char *name,
                             struct buffer *ret) {
    uint64_t below = 0;
    for (uint32_t at = 0; at <= STEPS; at++) {
        below += counts_get(c, step, 0, at);
        struct counter_row row = {.name = slice_of(name),
                                  .department = slice_of(""),
                                  .label = slice_of(at < STEPS ? steps[at].label : "+Inf"),
                                  .value = below};
        counter_row_pack(ret, &row);
    }
    return STEPS + 1;
}

size_t counts_pack(const struct counts *c, const struct names *names, struct buffer *ret) {
    size_t rows = counts_list(c, names, ret);
    rows += histogram_pack(c, COUNT_ANSWER_STEP, "answer_seconds", ret);
    return rows + histogram_pack(c, COUNT_WAIT_STEP, "queue_wait_seconds", ret);
}
