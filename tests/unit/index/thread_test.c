/* thread_test.c - the thread of the index as the loop sees it: questions in, answers out, each once.
 */
#include "index.h"
#include "settlement.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

/* What LMDB holds of an index whose pages led nowhere is left where it lies: no leak to be told of. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:liblmdb\n";
}

struct bench {
    struct settlement city;
    struct index *index;
    char folder[300];
};

static void say_nothing(int level, const char *format, ...) {
    (void)level, (void)format;
}

static struct bench *bench_open(void **state) {
    static struct bench bench;
    const struct scratch *scratch = *state;
    settlement_open(&bench.city, scratch);
    snprintf(bench.folder, sizeof bench.folder, "%s/index", scratch->folder);
    struct index_options options = {
        .folder = bench.folder, .store = bench.city.writer.store, .log = say_nothing};
    assert_int_equal(index_start(&options, &bench.index), 0);
    return &bench;
}

static void bench_close(struct bench *b) {
    index_stop(&b->index);
    settlement_close(&b->city);
}

static int ask_as_of(struct bench *b, struct message m, uint32_t peer, uint64_t seq) {
    struct index_moment moment = {.seq = seq, .leased = calloc(3, sizeof(uint64_t)), .leased_count = 3};
    return index_hand_over(b->index, (struct index_asker){peer, 7}, &m, &moment);
}

static int ask(struct bench *b, struct message m, uint32_t peer) {
    return ask_as_of(b, m, peer, b->city.writer.seq);
}

static struct message find_of(uint64_t ref, const char *filter) {
    struct message m = {.verb = VERB_FIND};
    m.find = (struct find){.ref = ref, .filter = slice_of(filter), .count = 1};
    return m;
}

static struct index_answer *answer_wait(struct bench *b) {
    struct pollfd readable = {.fd = index_fd(b->index), .events = POLLIN};
    for (;;) {
        struct index_answer *a = index_take(b->index);
        if (a)
            return a;
        assert_int_equal(poll(&readable, 1, WAIT_MS), 1);
        assert_true(index_has_answer(b->index));
    }
}

/* FIND, again as long as the index is being built. */
static uint64_t count_found(struct bench *b, const char *filter) {
    for (time_t until = time(NULL) + WAIT_MS / 1000;;) {
        assert_int_equal(ask(b, find_of(5, filter), 3), 0);
        struct index_answer *a = answer_wait(b);
        bool busy = a->message.verb == VERB_ERROR && a->message.error.code == EST_BUSY;
        if ((!busy && a->message.verb != VERB_FIND_IS) || time(NULL) > until)
            fail_msg("`%s`: %s", filter, a->why);
        uint64_t count = busy ? 0 : a->message.find_is.count;
        busy = busy || a->message.find_is.behind > 0;
        assert_true(a->asker.peer == 3 && a->asker.since_us == 7);
        index_answer_free(&a);
        if (!busy)
            return count;
    }
}

static void answer_has_what_was_committed_before_the_question(void **state) {
    struct bench *b = bench_open(state);
    for (int i = 0; i < 30; i++) {
        settlement_batch(&b->city, 20, 30);
        assert_int_equal(count_found(b, ""), b->city.count);
    }
    bench_close(b);
}

static void each_question_taken_has_one_answer_and_the_rest_are_refused_at_once(void **state) {
    enum { QUESTIONS = 5000, BLOCKERS = 8 };
    struct bench *b = bench_open(state);
    settlement_batch(&b->city, 300, 300);
    count_found(b, "");
    static const char *const filters[] = {"state:waiting", "nobody", "type:nosazi.*", "1-1-1-1-0-0-0",
                                          "code:x"};
    size_t taken = BLOCKERS, refused = 0;
    /* The first wait for an event that does not come, a quarter of a second each; the others wait behind
     * them. */
    for (uint64_t ref = 1; ref <= BLOCKERS; ref++)
        assert_int_equal(ask_as_of(b, find_of(ref, ""), 1, UINT64_MAX / 2), 0);
    for (uint64_t ref = BLOCKERS + 1; refused == 0 && ref <= QUESTIONS; ref++) {
        struct message m = find_of(ref, filters[ref % 5]);
        if (ref % 7 == 0) {
            m.verb = VERB_COUNTERS;
            m.counters = (struct counters_ask){.ref = ref};
        } else if (ref % 5 == 0) {
            m.verb = VERB_EVENTS;
            m.page = (struct page){.ref = ref, .after = ref};
        }
        if (ask(b, m, 1) == 0)
            taken++;
        else
            refused++;
    }
    assert_true(taken >= INDEX_QUESTIONS_MAX && refused > 0);
    uint64_t last = 0;
    for (size_t i = 0; i < taken; i++) {
        struct index_answer *a = answer_wait(b);
        assert_true(a->message.done.ref >
                    last); /* every answer begins with it; in the order of the questions */
        last = a->message.done.ref;
        index_answer_free(&a);
    }
    assert_null(index_take(b->index));
    assert_false(index_has_answer(b->index));
    bench_close(b);
}

static void index_is_built_again_while_the_log_grows(void **state) {
    struct bench *b = bench_open(state);
    for (int i = 0; i < 5; i++) {
        settlement_batch(&b->city, 200, 200);
        struct message m = {.verb = VERB_REINDEX};
        m.reindex.ref = 9;
        assert_int_equal(ask(b, m, 1), 0);
        settlement_batch(&b->city, 200, 200);
        struct index_answer *a = answer_wait(b);
        assert_int_equal(a->message.verb, VERB_DONE);
        index_answer_free(&a);
        assert_int_equal(count_found(b, ""), b->city.count);
    }
    struct index_status status;
    index_status(b->index, &status);
    assert_true(!status.failed && status.seq == b->city.writer.seq && status.bytes > 0);
    bench_close(b);
}

static void thread_that_stops_leaves_nothing_behind_and_its_index_goes_on(void **state) {
    struct bench *b = bench_open(state);
    for (int i = 0; i < 5; i++) {
        settlement_batch(&b->city, 100, 100);
        for (uint64_t ref = 1; ref < 50; ref++)
            ask(b, find_of(ref, ""), 1);
        index_stop(&b->index);
        struct index_options options = {
            .folder = b->folder, .store = b->city.writer.store, .log = say_nothing};
        assert_int_equal(index_start(&options, &b->index), 0);
    }
    assert_int_equal(count_found(b, ""), b->city.count);
    bench_close(b);
}

/* Bytes by chance anywhere in the file, many times over: search may be off for a moment, the process never.
 */
static void damage_of_any_kind_ends_no_process(void **state) {
    enum { ROUNDS = 40 };
    struct bench *b = bench_open(state);
    char path[400];
    unsigned seed = 5;
    settlement_batch(&b->city, 400, 600);
    count_found(b, "");
    snprintf(path, sizeof path, "%s/data.mdb", b->folder);
    for (int round = 0; round < ROUNDS; round++) {
        index_stop(&b->index);
        FILE *file = fopen(path, "r+");
        fseek(file, 0, SEEK_END);
        long size = ftell(file), changed = round % 2 ? 40 : 2000;
        for (long i = 0; i < changed; i++) {
            fseek(file, (round % 3 ? 8192 : 0) + rand_r(&seed) % (size - 8192), SEEK_SET);
            fputc(rand_r(&seed), file);
        }
        fclose(file);
        struct index_options options = {
            .folder = b->folder, .store = b->city.writer.store, .log = say_nothing};
        assert_int_equal(index_start(&options, &b->index), 0);
        settlement_batch(&b->city, 3, 10);
        static const char *const filters[] = {"state:waiting", "1-1-1-1-0-0-0", "type:nosazi.*",
                                              "district:22"};
        for (int i = 0; i < 4; i++)
            count_found(b, filters[i]);
        if (round % 10 != 0)
            continue;
        struct message m = {.verb = VERB_REINDEX};
        assert_int_equal(ask(b, m, 1), 0);
        struct index_answer *a = answer_wait(b);
        assert_int_equal(a->message.verb, VERB_DONE);
        index_answer_free(&a);
        assert_int_equal(count_found(b, ""), b->city.count);
    }
    bench_close(b);
}

/* The file loses its end while it is in use: whoever reads behind it gets SIGBUS. */
static void file_cut_short_in_use_ends_no_process(void **state) {
    struct bench *b = bench_open(state);
    char path[400];
    settlement_batch(&b->city, 400, 600);
    count_found(b, "");
    snprintf(path, sizeof path, "%s/data.mdb", b->folder);
    assert_int_equal(truncate(path, 8192), 0);
    settlement_batch(&b->city, 50, 50);
    count_found(b, "1-1-1-1-0-0-0");
    assert_int_equal(count_found(b, ""), b->city.count);
    bench_close(b);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(answer_has_what_was_committed_before_the_question),
        CLAIM(each_question_taken_has_one_answer_and_the_rest_are_refused_at_once),
        CLAIM(index_is_built_again_while_the_log_grows),
        CLAIM(damage_of_any_kind_ends_no_process),
        CLAIM(file_cut_short_in_use_ends_no_process),
        CLAIM(thread_that_stops_leaves_nothing_behind_and_its_index_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
