/* test_slots.c - index and chain against the plainest thing that does the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slots.h"

enum { CAPACITY = 200, STEPS = 200000, KEYS = 64 };

static uint64_t seed = 1;
static uint32_t next_below(uint32_t bound) {
    seed = key_mix(seed + 0x9e3779b97f4a7c15ULL);
    return (uint32_t)(seed % bound);
}

static unsigned found_with(const struct index *index, uint64_t key, bool *ret_seen) {
    int64_t walk = INDEX_START;
    unsigned count = 0;
    memset(ret_seen, 0, CAPACITY * sizeof *ret_seen);
    for (uint32_t slot; (slot = index_find(index, key, &walk)) != SLOT_NONE; count++) {
        assert_true(slot < CAPACITY && !ret_seen[slot]);
        ret_seen[slot] = true;
    }
    return count;
}

/* Few keys, so that many slots share one; entries come and go at random. */
static void index_finds_all_that_is_in_it_and_nothing_else(void **state) {
    (void)state;
    struct index index;
    uint64_t key_of[CAPACITY];
    bool is_in[CAPACITY] = {false}, seen[CAPACITY];
    assert_int_equal(index_init(&index, CAPACITY), 0);
    for (int step = 0; step < STEPS; step++) {
        uint32_t slot = next_below(CAPACITY);
        if (is_in[slot]) {
            index_remove(&index, key_of[slot], slot);
        } else {
            key_of[slot] = next_below(KEYS);
            index_put(&index, key_of[slot], slot);
        }
        is_in[slot] = !is_in[slot];
        uint64_t key = next_below(KEYS);
        unsigned expected = 0, found = found_with(&index, key, seen);
        for (uint32_t i = 0; i < CAPACITY; i++) {
            bool has_key = is_in[i] && key_of[i] == key;
            expected += has_key;
            assert_int_equal(seen[i], has_key);
        }
        assert_int_equal(found, expected);
    }
    index_done(&index);
}

/* Every size that the index passes through while it fills, and all of it again while it empties. */
static void a_full_index_has_grown_and_lost_nothing(void **state) {
    (void)state;
    enum { FULL = 5000 };
    struct index index;
    assert_int_equal(index_init(&index, FULL), 0);
    assert_true(index.mask < index.mask_max);
    for (uint32_t slot = 0; slot < FULL; slot++) {
        int64_t walk = INDEX_START;
        index_put(&index, slot * UINT64_C(977), slot);
        assert_int_equal(index_find(&index, slot / 2 * UINT64_C(977), &walk), slot / 2);
    }
    assert_int_equal(index.mask, index.mask_max);
    for (uint32_t slot = 0; slot < FULL; slot++) {
        int64_t walk = INDEX_START;
        assert_int_equal(index_find(&index, slot * UINT64_C(977), &walk), slot);
        index_remove(&index, slot * UINT64_C(977), slot);
        walk = INDEX_START;
        assert_int_equal(index_find(&index, slot * UINT64_C(977), &walk), SLOT_NONE);
    }
    index_done(&index);
}

static void chain_keeps_the_order_of_coming(void **state) {
    (void)state;
    struct slot_link links[4];
    struct chain chain;
    chain_init(&chain);
    for (uint32_t slot = 0; slot < 4; slot++)
        chain_push(&chain, links, slot);
    chain_remove(&chain, links, 1);
    chain_remove(&chain, links, 0);
    chain_push(&chain, links, 0);
    chain_remove(&chain, links, 3);
    uint32_t expected[] = {2, 0};
    uint32_t slot = chain.first;
    for (int i = 0; i < 2; i++, slot = links[slot].next)
        assert_int_equal(slot, expected[i]);
    assert_int_equal(slot, SLOT_NONE);
    assert_int_equal(chain.last, 0);
    assert_int_equal(chain.count, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_finds_all_that_is_in_it_and_nothing_else),
        cmocka_unit_test(a_full_index_has_grown_and_lost_nothing),
        cmocka_unit_test(chain_keeps_the_order_of_coming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
