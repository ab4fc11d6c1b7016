/* journal_test.c - what the journal promises: its blocks, its ring, its file, and its failures.
 *
 * A broker that dies is a child process whose keeper is held before its first write, so that LMDB
 * has nothing of what was promised; the parent looks at the journal that it left, changes it as a
 * disk might, and opens the store again.
 */
#include "backup.h"
#include "disk_calls.h"
#include "record.h"
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BLOCK = 4096,
    SECTOR = 512,
    SMALL = 2 << 20,  /* a store of this size has a journal of 64 blocks */
    LARGER = 4 << 20, /* and one of this 128 */
    RING = 64,
};

static uint8_t filler[EST_BODY_MAX];

/* --- Stores and their deaths ------------------------------------------------------------------- */

static const char *file_path(const struct scratch *scratch, const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", scratch->store, name);
    return path;
}

struct bytes {
    uint8_t *data;
    size_t size;
};

static struct bytes file_get(const struct scratch *scratch, const char *name) {
    struct stat info;
    int fd = open(file_path(scratch, name), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    struct bytes ret = {malloc((size_t)info.st_size + 1), (size_t)info.st_size};
    assert_non_null(ret.data);
    assert_int_equal(read(fd, ret.data, ret.size), ret.size);
    close(fd);
    return ret;
}

static void file_put(const struct scratch *scratch, const char *name, struct bytes bytes) {
    int fd = open(file_path(scratch, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.size), bytes.size);
    assert_int_equal(close(fd), 0);
}

static void batch_of(struct writer *w, unsigned inquiries, size_t body) {
    expect_ok(w->store, store_begin(w->store));
    for (unsigned i = 0; i < inquiries; i++)
        writer_submit(w, 1, w->seq + 1, (est_slice){filler, body});
    expect_ok(w->store, store_commit(w->store));
}

static void batch_of_one(struct writer *w, size_t body) {
    batch_of(w, 1, body);
}

/* The nth event is an inquiry with the nth id. */
static void expect_inquiries(const struct scratch *scratch, uint64_t size_max, uint64_t count) {
    struct writer w = writer_open(scratch, size_max);
    struct event event;
    if (w.seq != count)
        fail_msg("%llu events, and not %llu", (unsigned long long)w.seq, (unsigned long long)count);
    expect_ok(w.store, store_begin(w.store));
    for (uint64_t seq = 1; seq <= count; seq++) {
        est_id id = nth_id(seq);
        expect_ok(w.store, store_event(w.store, seq, &event));
        assert_int_equal(event.type, EVENT_SUBMITTED);
        assert_memory_equal(&event.submitted.id, &id, sizeof id);
    }
    store_abort(w.store);
    batch_of_one(&w, 10); /* and the log goes on */
    writer_close(&w);
}

static void expect_refused(const struct scratch *scratch, int code, const char *part) {
    struct store_options options = {.directory = scratch->store, .size_max = SMALL};
    struct store *store = NULL;
    expect_error(NULL, store_open(&options, &store), code, part);
}

/* So many batches of one inquiry are promised, LMDB gets none of them, and the process is gone. */
static void die_after(const struct scratch *scratch, uint64_t size_max, unsigned batches, size_t body) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(scratch, size_max);
        disk_calls_hold_data(DISK_HELD_FOREVER);
        for (unsigned i = 0; i < batches; i++)
            batch_of_one(&w, body);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A death, and both files as it left them, to begin with them again and again. */
struct death {
    const struct scratch *scratch;
    struct bytes data, journal;
};

static struct death death_of(const struct scratch *scratch, unsigned batches, size_t body) {
    die_after(scratch, SMALL, batches, body);
    return (struct death){scratch, file_get(scratch, "data.mdb"), file_get(scratch, "journal")};
}

static void death_restore(const struct death *death) {
    file_put(death->scratch, "data.mdb", death->data);
    file_put(death->scratch, "journal", death->journal);
}

static void death_free(struct death *death) {
    free(death->data.data);
    free(death->journal.data);
}

static void journal_set(const struct death *death, size_t at, const void *bytes, size_t size) {
    int fd = open(file_path(death->scratch, "journal"), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)at), size);
    close(fd);
}

static void journal_flip(const struct death *death, size_t at) {
    uint8_t byte = death->journal.data[at] ^ 0x10;
    journal_set(death, at, &byte, 1);
}

/* --- Blocks ------------------------------------------------------------------------------------ */

static void promises_of_a_dead_broker_are_kept_by_the_next(void **state) {
    struct store_options tool = {.directory = ((struct scratch *)*state)->store, .read_only = true};
    struct store *store = NULL;
    struct store_head head;
    die_after(*state, SMALL, 5, 100);
    expect_ok(NULL, store_open(&tool, &store));
    store_head(store, &head);
    assert_int_equal(head.seq, 0); /* LMDB has none of it: what follows is the journal's work */
    store_close(&store);
    expect_inquiries(*state, SMALL, 5);
}

static struct store_opening opening_of(const struct scratch *scratch) {
    struct store_opening opening;
    struct writer w = writer_open(scratch, SMALL);
    store_opening(w.store, &opening);
    writer_close(&w);
    return opening;
}

/* Whatever sectors of it are missing: nobody was told of that batch. */
static void torn_last_block_is_dropped(void **state) {
    static const uint8_t nothing[SECTOR];
    enum {
        LAST = 2 * 3 * BLOCK,
        SECTORS = 2 * BLOCK / SECTOR
    }; /* of the third batch, up to its body's end */
    struct death death = death_of(*state, 3, 2 * BLOCK);
    for (size_t sector = 0; sector <= SECTORS; sector++) {
        death_restore(&death);
        journal_set(&death, LAST + sector * SECTOR, nothing, SECTOR);
        expect_inquiries(*state, SMALL, 2);
    }
    death_restore(&death);
    expect_inquiries(*state, SMALL, 3);
    death_free(&death);
}

static void torn_last_block_is_told_once(void **state) {
    struct death death = death_of(*state, 3, 1000);
    journal_flip(&death, 2 * BLOCK + 300);
    assert_true(opening_of(*state).is_torn);
    expect_inquiries(*state, SMALL, 2);
    assert_false(opening_of(*state).is_torn);
    death_restore(&death);
    assert_false(opening_of(*state).is_torn);
    death_free(&death);
}

static void hole_before_a_whole_block_is_damage(void **state) {
    static const uint8_t nothing[BLOCK];
    struct death death = death_of(*state, 4, 1000);
    for (size_t block = 0; block < 3; block++) {
        char part[80];
        snprintf(part, sizeof part, "the journal has events from %zu on, but not those before them",
                 block == 2 ? (size_t)4 : block + 2);
        death_restore(&death);
        journal_flip(&death, block * BLOCK + 300);
        expect_refused(*state, -EST_INPUT, part);
        journal_set(&death, block * BLOCK, nothing, BLOCK);
        expect_refused(*state, -EST_INPUT, part);
    }
    death_restore(&death);
    expect_inquiries(*state, SMALL, 4); /* refusing has changed nothing */
    death_free(&death);
}

/* What the log has already is passed over, wherever it comes from. */
static void blocks_that_the_log_has_are_passed_over(void **state) {
    struct death death = death_of(*state, 2, 100);
    expect_inquiries(*state, SMALL, 2); /* and one more; now LMDB has all three */
    journal_set(&death, 0, death.journal.data, 2 * BLOCK);
    expect_inquiries(*state, SMALL, 3);
    death_free(&death);
}

/* As where a data.mdb was put back and the journal was not: two logs that began as one. */
static void block_of_another_log_is_not_taken(void **state) {
    const struct scratch *scratch = *state;
    struct writer w = writer_open(scratch, SMALL);
    writer_close(&w);
    struct bytes data = file_get(scratch, "data.mdb");
    die_after(scratch, SMALL, 2, 100);
    struct bytes one = file_get(scratch, "journal");
    file_put(scratch, "data.mdb", data);
    assert_int_equal(unlink(file_path(scratch, "journal")), 0);
    struct death other = death_of(scratch, 2, 200);
    memcpy(other.journal.data + BLOCK, one.data + BLOCK, BLOCK);
    death_restore(&other);
    expect_refused(scratch, -EST_INPUT, "the journal has events from 2 on");
    free(data.data), free(one.data);
    death_free(&other);
}

/* All of a block that can be known without the store's secret: one event, far ahead of the log. */
static void block_forge(uint8_t *block, const uint8_t *like) {
    struct event event = sample_event(EVENT_SUBMITTED, SAMPLE_USUAL);
    uint64_t first = 9, before = 0;
    uint32_t count = 1, bytes = 64 + (uint32_t)record_size(&event);
    uint64_t after = digest_step(before, record_write(&event, record_size(&event), block + 64));
    memcpy(block, like, 64); /* magic, format and size of a true one */
    memcpy(block + 16, &first, sizeof first);
    memcpy(block + 24, &count, sizeof count);
    memcpy(block + 28, &bytes, sizeof bytes);
    memcpy(block + 32, &before, sizeof before);
    memcpy(block + 40, &after, sizeof after);
    uint64_t checksum = checksum_of(block + 16, 48);
    memcpy(block + 8, &checksum, sizeof checksum);
}

/* A body can say what it likes, where it likes. */
static void body_like_a_block_is_none(void **state) {
    struct death death = death_of(*state, 1, 2 * BLOCK);
    const uint8_t *body = memmem(death.journal.data, death.journal.size, filler, 2 * BLOCK);
    assert_non_null(body);
    size_t before = BLOCK - (size_t)(body - death.journal.data) % BLOCK; /* until the next block begins */
    expect_inquiries(*state, SMALL, 1);
    block_forge(filler + before, death.journal.data);
    die_after(*state, SMALL, 1, 2 * BLOCK);
    expect_inquiries(*state, SMALL, 3); /* and no damage either: there is no whole event 9 */
    death_free(&death);
}

/* --- The ring ---------------------------------------------------------------------------------- */

static void ring_goes_round_and_old_laps_never_come_back(void **state) {
    struct writer w = writer_open(*state, SMALL);
    for (unsigned i = 0; i < RING + 5; i++)
        batch_of(&w, 3, 100 + i * 41 % 6000); /* three laps */
    writer_close(&w);
    struct bytes old = file_get(*state, "journal");
    struct death death = death_of(*state, 6, 100);
    /* The last batch never came: what lies there is the lap before. */
    memcpy(death.journal.data + 5 * BLOCK, old.data + 5 * BLOCK, BLOCK);
    for (unsigned lap = 0; lap < 2; lap++) {
        death_restore(&death);
        expect_inquiries(*state, SMALL, 3 * (RING + 5) + 5);
    }
    free(old.data);
    death_free(&death);
}

static void full_ring_waits_for_a_slow_keeper(void **state) {
    enum { BATCHES = 4 * RING };
    struct writer w = writer_open(*state, SMALL);
    struct event event;
    for (unsigned i = 0; i < BATCHES; i++) {
        if (i % (2 * RING) == 0) { /* LMDB gets nothing before the ring is full */
            expect_ok(w.store, store_drain(w.store));
            disk_calls_hold_data(RING - 1);
        }
        batch_of_one(&w, 100);
        expect_ok(w.store, store_begin(w.store));
        expect_ok(w.store, store_event(w.store, 1 + i / 2, &event)); /* out of either */
        assert_int_equal(event.seq, 1 + i / 2);
        store_abort(w.store);
    }
    writer_close(&w);
    expect_inquiries(*state, SMALL, BATCHES);
}

/* Past the journal, in one transaction of LMDB; whole or not at all. */
static void batch_larger_than_the_ring_is_durable(void **state) {
    enum { INQUIRIES = 7 };
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct writer w = writer_open(*state, SMALL);
        expect_ok(w.store, store_begin(w.store));
        disk_calls_reset();
        for (int i = 0; i < INQUIRIES; i++)
            writer_submit(&w, 1, w.seq + 1, (est_slice){filler, 60000});
        expect_ok(w.store, store_commit(w.store));
        if (disk_calls_count(DISK_JOURNAL) > 0)
            _exit(1);
        batch_of_one(&w, 5); /* the next goes into the journal again */
        _exit(disk_calls_count(DISK_JOURNAL) == 1 ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_inquiries(*state, SMALL, INQUIRIES + 1);
    struct writer w = writer_open(*state, SMALL);
    expect_ok(w.store, store_begin(w.store));
    for (int i = 0; i < INQUIRIES; i++)
        writer_submit(&w, 1, w.seq + 1, (est_slice){filler, 60000});
    store_abort(w.store);
    writer_close(&w);
    expect_inquiries(*state, SMALL, INQUIRIES + 2);
}

/* --- The file ---------------------------------------------------------------------------------- */

static size_t journal_size(const struct scratch *scratch) {
    struct stat info;
    assert_int_equal(stat(file_path(scratch, "journal"), &info), 0);
    return (size_t)info.st_size;
}

static void journal_of_another_size_is_taken_over(void **state) {
    die_after(*state, SMALL, 3, 100);
    assert_int_equal(journal_size(*state), RING * BLOCK);
    die_after(*state, LARGER, 2 * RING - 10, 100); /* most of it behind the end of a smaller one */
    assert_int_equal(journal_size(*state), 2 * RING * BLOCK);
    expect_inquiries(*state, SMALL, 3 + 2 * RING - 10);
    assert_int_equal(journal_size(*state), RING * BLOCK);
}

static void missing_journal_is_made_anew(void **state) {
    die_after(*state, SMALL, 2, 100);
    expect_inquiries(*state, SMALL, 2);
    assert_int_equal(unlink(file_path(*state, "journal")), 0);
    struct writer w = writer_open(*state, SMALL);
    assert_int_equal(w.seq, 3); /* closed before, so LMDB had everything */
    writer_close(&w);
    assert_int_equal(journal_size(*state), RING * BLOCK);
}

/* As somebody who may read it and not write: root may write everything. */
static void journal_that_cannot_be_written_is_refused(void **state) {
    enum { NOBODY = 65534 };
    const struct scratch *scratch = *state;
    int status;
    die_after(scratch, SMALL, 1, 100);
    assert_int_equal(chmod(file_path(scratch, "journal"), 0400), 0);
    static const char *const names[] = {"data.mdb", "lock.mdb", "broker.lock", "journal", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && geteuid() == 0; i++)
        assert_int_equal(chown(file_path(scratch, names[i]), NOBODY, NOBODY), 0);
    assert_int_equal(chmod(scratch->folder, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store_options options = {.directory = scratch->store, .size_max = SMALL};
        struct store *store = NULL;
        if (geteuid() == 0 && (setegid(NOBODY) != 0 || seteuid(NOBODY) != 0))
            _exit(2);
        int rc = store_open(&options, &store);
        bool said = strstr(store_error(NULL), "the journal: opening it failed: Permission denied; run as the user") != NULL;
        _exit(rc == -EST_IO && said ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(file_path(scratch, "journal"), 0600), 0);
    expect_inquiries(scratch, SMALL, 1);
}

static void journal_without_room_leaves_nothing_half_made(void **state) {
    disk_calls_fail(DISK_JOURNAL, 0, ENOSPC);
    expect_refused(*state, -EST_IO, "free space on its disk");
    assert_int_equal(access(file_path(*state, "journal.new"), F_OK), -1);
    disk_calls_reset();
    expect_inquiries(*state, SMALL, 0);
}

/* --- Failures ---------------------------------------------------------------------------------- */

static void failed_write_loses_that_batch_only(void **state) {
    struct writer w = writer_open(*state, SMALL);
    uint64_t number;
    batch_of_one(&w, 100);
    expect_ok(w.store, store_begin(w.store));
    writer_submit(&w, 1, 2, (est_slice){filler, 5000});
    disk_calls_fail(DISK_JOURNAL, 0, EIO);
    expect_error(w.store, store_commit(w.store), -EST_IO, "the journal: writing a batch failed");
    disk_calls_reset();
    w.seq = 1;
    est_id id = nth_id(2);
    expect_ok(w.store, store_begin(w.store));
    assert_int_equal(store_find(w.store, 1, &id, &number), -EST_NOT_FOUND);
    store_abort(w.store);
    batch_of_one(&w, 100);
    writer_close(&w);
    expect_inquiries(*state, SMALL, 2);
}

static int try_one(struct writer *w) {
    int rc = store_begin(w->store);
    struct event event = writer_event(w, EVENT_SUBMITTED, w->seq + 1, 0);
    event.submitted.account = 1;
    event.submitted.id = nth_id(event.seq);
    if (!rc)
        rc = store_append(w->store, &event);
    return rc ? rc : store_commit(w->store);
}

/* What LMDB refused is in the journal; nothing more may be promised, and what was is kept. */
static void failed_keeper_ends_the_promises_and_loses_none(void **state) {
    struct writer w = writer_open(*state, SMALL);
    disk_calls_fail(DISK_DATA, 0, EIO);
    batch_of_one(&w, 100);
    expect_error(w.store, store_drain(w.store), -EST_IO, "Input/output error");
    disk_calls_reset();
    /* A disk is not trusted again, and a broker that only looks hears of it. */
    expect_error(w.store, store_begin(w.store), -EST_IO, "Input/output error");
    expect_error(w.store, try_one(&w), -EST_IO, "Input/output error");
    store_abort(w.store);
    writer_close(&w);
    expect_inquiries(*state, SMALL, 1);
}

static void full_ring_tells_that_the_keeper_has_failed(void **state) {
    struct writer w = writer_open(*state, SMALL);
    uint64_t promised = 0;
    disk_calls_fail(DISK_DATA, 0, EIO);
    while (promised < 2 * RING && try_one(&w) == 0)
        promised++;
    assert_true(promised > 0 && promised <= RING);
    assert_non_null(strstr(store_error(w.store), "Input/output error"));
    store_abort(w.store);
    disk_calls_reset();
    writer_close(&w);
    expect_inquiries(*state, SMALL, promised);
}

/* --- Looked at from outside -------------------------------------------------------------------- */

static struct store_check checked(const struct scratch *scratch) {
    struct store_check check;
    int rc = store_check_folder(scratch->store, &check);
    if (rc)
        fail_msg("not checked: %s", check.why);
    return check;
}

static void check_counts_what_waits_in_the_journal(void **state) {
    die_after(*state, SMALL, 5, 100);
    struct store_check check = checked(*state);
    assert_false(check.damaged);
    assert_int_equal(check.head.seq, 0);
    assert_true(check.journal_seen);
    assert_int_equal(check.journal_events, 5);
    expect_inquiries(*state, SMALL, 5); /* it has changed nothing */
    check = checked(*state);
    assert_int_equal(check.head.seq, 6);
    assert_true(check.journal_seen);
    assert_int_equal(check.journal_events, 0);
}

static void check_tells_a_torn_batch_from_a_hole(void **state) {
    struct death death = death_of(*state, 3, 1000);
    journal_flip(&death, 2 * BLOCK + 300);
    struct store_check check = checked(*state);
    assert_false(check.damaged);
    assert_true(check.journal_torn);
    assert_int_equal(check.journal_events, 2);
    death_restore(&death);
    journal_flip(&death, 300);
    check = checked(*state);
    assert_true(check.damaged);
    assert_string_equal(check.table, "journal");
    assert_string_equal(check.key, "2");
    death_free(&death);
}

static void check_beside_a_broker_leaves_the_journal_alone(void **state) {
    static const uint8_t nothing[BLOCK];
    struct writer w = writer_open(*state, SMALL);
    struct death death = {.scratch = *state};
    batch_of_one(&w, 100);
    expect_ok(w.store, store_drain(w.store));
    disk_calls_hold_data(DISK_HELD_FOREVER); /* what follows is in the journal alone */
    batch_of_one(&w, 100);
    batch_of_one(&w, 100);
    journal_set(&death, BLOCK, nothing, BLOCK);
    struct store_check check = checked(*state);
    assert_false(check.damaged);
    assert_false(check.journal_seen);
    assert_int_equal(check.head.seq, 1);
    disk_calls_reset();
    writer_close(&w);
}

/* --- A log that was lost ------------------------------------------------------------------------ */

static void expect_check_says(const struct scratch *scratch, const char *part) {
    struct store_check check = checked(scratch);
    assert_true(check.damaged);
    if (!strstr(check.why, part))
        fail_msg("\"%s\" does not speak of \"%s\"", check.why, part);
}

static void journal_without_its_log_is_never_a_new_store(void **state) {
    static const char part[] = "there is a journal but no log: restore data.mdb";
    struct death death = death_of(*state, 3, 100);
    for (int empty = 0; empty < 2; empty++) {
        assert_int_equal(unlink(file_path(*state, "data.mdb")), 0);
        if (empty)
            file_put(*state, "data.mdb", (struct bytes){death.data.data, 0});
        expect_check_says(*state, part);
        expect_refused(*state, -EST_INPUT, part);
        expect_refused(*state, -EST_INPUT, part); /* the first try has made nothing */
        assert_int_equal(access(file_path(*state, "new"), F_OK), -1);
        struct bytes journal = file_get(*state, "journal");
        assert_memory_equal(journal.data, death.journal.data, journal.size);
        free(journal.data);
        file_put(*state, "data.mdb", death.data);
    }
    expect_inquiries(*state, SMALL, 3); /* restored, and nothing is lost */
    death_free(&death);
}

/* As a start leaves it that was cut short: the journal is zeroes, or has not got its name. */
static void journal_without_blocks_is_no_sign_of_a_log(void **state) {
    static const uint8_t nothing[RING * BLOCK];
    static const char *const names[] = {"journal", "journal.new"};
    for (size_t i = 0; i < 2; i++) {
        for (int empty = 0; empty < 2; empty++) {
            assert_true(i + empty == 0 || unlink(file_path(*state, "data.mdb")) == 0);
            assert_true(i == 0 || unlink(file_path(*state, "journal")) == 0);
            assert_true(mkdir(((struct scratch *)*state)->store, 0700) == 0 || errno == EEXIST);
            if (empty)
                file_put(*state, "data.mdb", (struct bytes){filler, 0});
            file_put(*state, names[i], (struct bytes){(uint8_t *)nothing, i == 0 ? sizeof nothing : BLOCK});
            assert_true(opening_of(*state).is_new);
            assert_false(opening_of(*state).is_new);
        }
    }
}

static void empty_log_is_told_as_such(void **state) {
    assert_int_equal(mkdir(((struct scratch *)*state)->store, 0700), 0);
    file_put(*state, "data.mdb", (struct bytes){filler, 0});
    expect_check_says(*state, "data.mdb is empty: restore it from a backup");
}

static void journal_of_another_store_is_refused(void **state) {
    struct scratch other = *(struct scratch *)*state;
    snprintf(other.store, sizeof other.store, "%.250s/other", other.folder);
    die_after(*state, SMALL, 2, 100);
    die_after(&other, SMALL, 3, 100);
    struct bytes own = file_get(*state, "journal"), foreign = file_get(&other, "journal");
    file_put(*state, "journal", foreign);
    expect_check_says(*state, "a journal of another store");
    expect_refused(*state, -EST_INPUT, "a journal of another store");
    file_put(*state, "journal", own);
    expect_inquiries(*state, SMALL, 2); /* refusing has changed nothing */
    free(own.data), free(foreign.data);
}

/* --- Copies ------------------------------------------------------------------------------------ */

static struct scratch copy_of(const struct scratch *scratch) {
    struct scratch copy = *scratch;
    snprintf(copy.store, sizeof copy.store, "%.250s/copy", copy.folder);
    return copy;
}

static void backup_of_a_dead_broker_has_its_promises(void **state) {
    struct scratch copy = copy_of(*state);
    struct store_backup backup;
    die_after(*state, SMALL, 4, 100);
    assert_int_equal(store_backup(((struct scratch *)*state)->store, copy.store, &backup), 0);
    assert_false(backup.check.damaged || backup.beside_broker);
    assert_int_equal(backup.check.journal_events, 4);
    expect_inquiries(&copy, SMALL, 4);
    expect_inquiries(*state, SMALL, 4);
}

/* The broker started while the log was being copied, which takes longer than the journal. */
static void old_journal_beside_a_newer_log_is_no_harm(void **state) {
    struct scratch copy = copy_of(*state);
    die_after(*state, SMALL, 4, 100);
    struct bytes journal = file_get(*state, "journal");
    expect_inquiries(*state, SMALL, 4); /* and one more */
    struct store_backup backup;
    assert_int_equal(store_backup(((struct scratch *)*state)->store, copy.store, &backup), 0);
    file_put(&copy, "journal", journal);
    assert_false(checked(&copy).damaged);
    struct writer w = writer_open(&copy, SMALL);
    assert_int_equal(w.seq, 5);
    writer_close(&w);
    free(journal.data);
}

/* A process of its own; it copies when it is told. */
static pid_t copier_start(const char *from, const char *to, int told) {
    pid_t child = fork();
    if (child != 0)
        return child;
    static struct store_backup backup;
    char word;
    _exit(read(told, &word, 1) == 1 && store_backup(from, to, &backup) == 0 && !backup.check.damaged && backup.beside_broker
              ? 0
              : 1);
}

static void backup_beside_a_broker_is_the_log_up_to_a_moment_ago(void **state) {
    struct scratch copy = copy_of(*state);
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = copier_start(((struct scratch *)*state)->store, copy.store, ends[0]);
    struct writer w = writer_open(*state, SMALL);
    for (int i = 0; i < 20; i++)
        batch_of_one(&w, 100);
    expect_ok(w.store, store_drain(w.store));
    disk_calls_hold_data(DISK_HELD_FOREVER);
    for (int i = 0; i < 3; i++)
        batch_of_one(&w, 100);
    assert_int_equal(write(ends[1], "", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    disk_calls_reset();
    writer_close(&w);
    close(ends[0]), close(ends[1]);
    assert_false(checked(&copy).damaged);
    expect_inquiries(&copy, SMALL, 20);
    expect_inquiries(*state, SMALL, 23);
}

static int setup(void **state) {
    disk_calls_reset();
    for (size_t i = 0; i < sizeof filler; i++)
        filler[i] = (uint8_t)(i * 31 + i / 97);
    return scratch_make(state);
}

/* As after a move to another disk under the unit that comes with the broker. */
static void place_that_may_only_be_read_names_the_unit(void **state) {
    const struct scratch *scratch = *state;
    struct store_options options = {.directory = scratch->store, .size_max = SMALL};
    struct store *store = NULL;
    disk_calls_fail(DISK_JOURNAL, 0, EROFS);
    assert_int_equal(store_open(&options, &store), -EST_IO);
    assert_non_null(strstr(store_error(NULL), "or its unit does not let it write here (ReadWritePaths=)"));
}

static int teardown(void **state) {
    disk_calls_reset();
    return scratch_remove(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(promises_of_a_dead_broker_are_kept_by_the_next),
        TEST(torn_last_block_is_dropped),
        TEST(torn_last_block_is_told_once),
        TEST(hole_before_a_whole_block_is_damage),
        TEST(blocks_that_the_log_has_are_passed_over),
        TEST(block_of_another_log_is_not_taken),
        TEST(body_like_a_block_is_none),
        TEST(ring_goes_round_and_old_laps_never_come_back),
        TEST(full_ring_waits_for_a_slow_keeper),
        TEST(batch_larger_than_the_ring_is_durable),
        TEST(journal_of_another_size_is_taken_over),
        TEST(missing_journal_is_made_anew),
        TEST(journal_that_cannot_be_written_is_refused),
        TEST(place_that_may_only_be_read_names_the_unit),
        TEST(journal_without_room_leaves_nothing_half_made),
        TEST(failed_write_loses_that_batch_only),
        TEST(failed_keeper_ends_the_promises_and_loses_none),
        TEST(full_ring_tells_that_the_keeper_has_failed),
        TEST(check_counts_what_waits_in_the_journal),
        TEST(check_tells_a_torn_batch_from_a_hole),
        TEST(check_beside_a_broker_leaves_the_journal_alone),
        TEST(journal_without_its_log_is_never_a_new_store),
        TEST(journal_without_blocks_is_no_sign_of_a_log),
        TEST(empty_log_is_told_as_such),
        TEST(journal_of_another_store_is_refused),
        TEST(backup_of_a_dead_broker_has_its_promises),
        TEST(old_journal_beside_a_newer_log_is_no_harm),
        TEST(backup_beside_a_broker_is_the_log_up_to_a_moment_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
