/* base_test.c - the terms of the index, in their blocks, against a list that the test keeps by itself.
 */
#include "base_room.h"
#include "postings.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { TERMS_USED = 5, NUMBERS_MAX = 6000, ROUNDS = 60 };

struct bench {
    struct base *base;
    char folder[300];
    struct postings changes;
    bool has[TERMS_USED][NUMBERS_MAX]; /* what the base should hold */
};

static unsigned seed;

static struct bench *bench_open(void **state) {
    static struct bench b;
    const struct scratch *scratch = *state;
    b = (struct bench){0};
    seed = 7;
    snprintf(b.folder, sizeof b.folder, "%s/index", scratch->folder);
    assert_int_equal(base_open(b.folder, &b.base), 0);
    return &b;
}

static void bench_close(struct bench *b) {
    base_close(&b->base);
    postings_done(&b->changes);
}

static unsigned by_chance(unsigned below) {
    return (unsigned)rand_r(&seed) % below;
}

/* Terms that are neighbours; numbers in three stretches, each further away than 32 bits hold. */
static uint64_t term_at(size_t term) {
    return term_of(TERM_PARCEL, 1000 + term);
}
static uint64_t number_at(size_t nth) {
    return 1 + nth + (nth / 2000 << 33);
}

static void change(struct bench *b, size_t term, size_t nth, bool on) {
    assert_int_equal(postings_push(&b->changes, (struct posting){term_at(term), number_at(nth)}), 0);
    b->has[term][nth] = on;
}

static void changes_write(struct bench *b, bool on) {
    postings_sort(&b->changes);
    for (size_t i = 1; i < b->changes.count; i++) {
        const struct posting *p = &b->changes.at[i];
        assert_true(p[-1].term < p->term || (p[-1].term == p->term && p[-1].number <= p->number));
    }
    int (*write)(struct base *, const struct posting *, size_t) = on ? base_postings_put : base_postings_drop;
    assert_int_equal(write(b->base, b->changes.at, b->changes.count), 0);
    b->changes.count = 0;
}

/* Walks from there down to the end. */
static void expect_walk(struct bench *b, size_t term, size_t before) {
    struct posting_walk walk;
    assert_int_equal(base_walk_begin(b->base, term_at(term), number_at(before), &walk), 0);
    while (before-- > 0) {
        if (!b->has[term][before])
            continue;
        assert_int_equal(walk.number, number_at(before));
        assert_int_equal(base_walk_next(b->base, &walk), 0);
    }
    assert_int_equal(walk.number, 0);
    base_walk_end(&walk);
}

static void expect_all(struct bench *b) {
    for (size_t term = 0; term < TERMS_USED; term++) {
        expect_walk(b, term, NUMBERS_MAX);
        expect_walk(b, term, by_chance(NUMBERS_MAX));
        expect_walk(b, term, 0);
    }
}

/* --- Claims -------------------------------------------------------------------------------------- */

static void walk_meets_what_was_put_and_not_dropped(void **state) {
    struct bench *b = bench_open(state);
    for (int round = 0; round < ROUNDS; round++) {
        bool on = round % 3 != 2;
        for (unsigned i = 1 + by_chance(round % 5 == 0 ? 4000 : 40); i > 0; i--)
            change(b, by_chance(TERMS_USED), by_chance(NUMBERS_MAX), on);
        changes_write(b, on);
        expect_all(b);
        if (round % 4 == 0)
            assert_int_equal(base_commit(b->base), 0);
    }
    base_close(&b->base);
    assert_int_equal(base_open(b->folder, &b->base), 0);
    assert_int_equal(base_check(b->base), 0);
    bench_close(b);
}

static size_t blocks(struct bench *b) {
    MDB_stat stat;
    assert_int_equal(base_begin(b->base), 0);
    assert_int_equal(mdb_stat(b->base->txn, b->base->tables[TABLE_TERMS], &stat), 0);
    return stat.ms_entries;
}

static void numbers_that_come_in_order_fill_their_blocks(void **state) {
    struct bench *b = bench_open(state);
    for (size_t nth = 0; nth < 2000; nth++) {
        change(b, 1, nth, true);
        if (nth % 7 == 0)
            changes_write(b, true);
    }
    changes_write(b, true);
    expect_all(b);
    assert_int_equal(blocks(b), 5);
    bench_close(b);
}

static void term_whose_numbers_all_went_leaves_nothing(void **state) {
    struct bench *b = bench_open(state);
    for (size_t nth = 0; nth < NUMBERS_MAX; nth++)
        change(b, nth % 3, nth, true);
    changes_write(b, true);
    for (size_t nth = 0; nth < NUMBERS_MAX; nth++) {
        change(b, nth % 3, nth, false);
        if (nth % 1000 == 0)
            changes_write(b, false);
    }
    changes_write(b, false);
    expect_all(b);
    assert_int_equal(blocks(b), 0);
    bench_close(b);
}

/* Whichever bit it is, of the first number or of another. */
static void bit_that_flips_in_a_block_is_found_out(void **state) {
    struct bench *b = bench_open(state);
    struct posting_walk walk;
    for (size_t nth = 0; nth < 30; nth++)
        change(b, 1, 3 * nth, true);
    changes_write(b, true);
    MDB_cursor *cursor;
    MDB_val key, data;
    assert_int_equal(base_writer(b->base, TABLE_TERMS, &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &key, &data, MDB_FIRST), 0);
    for (size_t bit = 0; bit < 8 * (8 + data.mv_size); bit++) { /* of number and value */
        uint8_t *at = bit < 64 ? (uint8_t *)key.mv_data + 8 + bit / 8 : (uint8_t *)data.mv_data + bit / 8 - 8;
        *at ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(base_block_check(b->base, &key, &data), -EST_INPUT);
        assert_int_equal(base_walk_begin(b->base, term_at(1), UINT64_MAX, &walk), -EST_INPUT);
        base_walk_end(&walk);
        *at ^= (uint8_t)(1 << bit % 8);
    }
    bench_close(b);
}

static void too_many_open_files_are_told_as_such(void **state) {
    struct rlimit before, none = {0, 0};
    struct bench *b = bench_open(state);
    bench_close(b);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int rc = base_open(b->folder, &b->base);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(rc, -EST_IO);
    assert_non_null(strstr(base_error(NULL), "Too many open files; allow the broker more"));
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(walk_meets_what_was_put_and_not_dropped),
        CLAIM(numbers_that_come_in_order_fill_their_blocks),
        CLAIM(term_whose_numbers_all_went_leaves_nothing),
        CLAIM(bit_that_flips_in_a_block_is_found_out),
        CLAIM(too_many_open_files_are_told_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
