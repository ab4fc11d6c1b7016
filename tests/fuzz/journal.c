/* journal.c - a journal that is not what was written, put into the log by a broker that starts.
 *
 * A broker that died has left a store whose events are all in the journal. The input says what is
 * different there:
 *
 *     byte 0   bit 0: anywhere in the file, else only inside its blocks
 *              bit 1: checksums of records and blocks, and the digests that chain them, are made right
 *              bit 2: `store check` looks first
 *     then     for each change three bytes for the place, big-endian, and one that is laid over by xor
 *
 * With everything made right the events themselves are the input: whatever they say, the log takes or
 * refuses them.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "check.h"
#include "disk_calls.h"
#include "fuzz.h"
#include "record.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FLAG_ANYWHERE = 1, FLAG_MEND = 2, FLAG_CHECK = 4, CHANGE_SIZE = 4, SIZE_MAX_STORE = 2 << 20 };
enum { BLOCK = 4096, HEADER = 64, INQUIRIES = 21, BATCH = 4 };
/* Places in a block's header and in a record. */
enum { AT_CHECKSUM = 8, AT_CHECKED = 16, AT_COUNT = 24, AT_BYTES = 28, AT_BEFORE = 32, AT_AFTER = 40 };

static est_slice data, journal; /* as the dead broker left them */
static size_t live;             /* bytes of the journal up to the last block's end */
static uint64_t key;

/* --- A broker that dies ------------------------------------------------------------------------ */

static void broker_die(void) {
    static const uint8_t body[3000] = {0x80};
    struct scratch scratch;
    snprintf(scratch.store, sizeof scratch.store, "%s", fuzz_path("store"));
    struct writer w = writer_open(&scratch, SIZE_MAX_STORE);
    disk_calls_hold_data(DISK_HELD_FOREVER);
    for (uint64_t nth = 0; nth < INQUIRIES; nth++) {
        if (nth % BATCH == 0)
            CLAIM(store_begin(w.store) == 0, "no batch");
        if (nth == 0) {
            struct event event = writer_event(&w, EVENT_STARTED, 0, 0);
            writer_append(&w, &event);
        }
        writer_some_fate(&w, nth, (est_slice){body, nth % 8 == 3 ? sizeof body : 1 + nth});
        if (nth % BATCH == BATCH - 1 || nth + 1 == INQUIRIES)
            CLAIM(store_commit(w.store) == 0, "no commit");
    }
    _exit(0);
}

static void prepare(void) {
    struct store_options options = {.directory = fuzz_path("store"), .read_only = true};
    struct store *store = NULL;
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        broker_die();
    CLAIM(child > 0 && waitpid(child, &status, 0) == child && status == 0, "no store");
    data = fuzz_file(fuzz_path("store/data.mdb"));
    journal = fuzz_file(fuzz_path("store/journal"));
    CLAIM(store_open(&options, &store) == 0, "no store");
    memcpy(&key, store_secret(store), sizeof key);
    store_close(&store);
    for (size_t at = 0; at < journal.size; at += BLOCK)
        if (((const uint8_t *)journal.data)[at] != 0)
            live = at + BLOCK;
    CLAIM(live > BLOCK, "nothing in the journal");
}

/* --- Changes ----------------------------------------------------------------------------------- */

static uint64_t records_mend(uint8_t *block, uint32_t count, uint32_t bytes, uint64_t digest) {
    size_t at = HEADER;
    for (uint32_t i = 0; i < count && at < bytes; i++) {
        size_t size = record_span((est_slice){block + at, bytes - at});
        if (size < RECORD_HEADER_SIZE)
            break;
        uint64_t checksum = checksum_of(block + at + AT_CHECKED, size - AT_CHECKED);
        memcpy(block + at + AT_CHECKSUM, &checksum, sizeof checksum);
        digest = digest_step(digest, checksum);
        at += size;
    }
    return digest;
}

/* Block after block, as long as they lead to one another. */
static void journal_mend(uint8_t *file) {
    uint64_t digest = 0;
    for (size_t at = 0; at < live;) {
        uint32_t count, bytes;
        uint8_t *block = file + at;
        memcpy(&count, block + AT_COUNT, sizeof count);
        memcpy(&bytes, block + AT_BYTES, sizeof bytes);
        if (bytes <= HEADER || bytes > journal.size - at)
            return;
        memcpy(block + AT_BEFORE, &digest, sizeof digest);
        digest = records_mend(block, count, bytes, digest);
        memcpy(block + AT_AFTER, &digest, sizeof digest);
        uint64_t checksum = XXH3_64bits_withSeed(block + AT_CHECKED, HEADER - AT_CHECKED, key);
        memcpy(block + AT_CHECKSUM, &checksum, sizeof checksum);
        at += (bytes + BLOCK - 1) / BLOCK * BLOCK;
    }
}

static void files_write(unsigned flags, const uint8_t *changes, size_t size) {
    uint8_t *file = malloc(journal.size);
    CLAIM(file, "out of memory");
    memcpy(file, journal.data, journal.size);
    for (; size >= CHANGE_SIZE; changes += CHANGE_SIZE, size -= CHANGE_SIZE) {
        size_t place = (size_t)changes[0] << 16 | (size_t)changes[1] << 8 | changes[2];
        file[place % (flags & FLAG_ANYWHERE ? journal.size : live)] ^= changes[3];
    }
    if (flags & FLAG_MEND)
        journal_mend(file);
    fuzz_write("store/data.mdb", data);
    fuzz_write("store/journal", (est_slice){file, journal.size});
    free(file);
}

/* --- Looking at it ----------------------------------------------------------------------------- */

static int event_seen(void *arg, const struct event *event) {
    uint64_t *last = arg;
    CLAIM(event->seq == ++*last, "a gap in the log");
    return 0;
}

static uint64_t journal_check(void) {
    struct store_options options = {.directory = fuzz_path("store"), .read_only = true, .size_max = SIZE_MAX_STORE};
    static struct store_check check;
    struct store *store = NULL;
    CLAIM(store_open(&options, &store) == 0, "the log itself was not changed");
    CLAIM(store_check(store, &check) == 0, store_error(store));
    CLAIM(!check.damaged || (check.table && *check.table && check.why[0]), "damage without a word");
    CLAIM(check.journal_seen, "the journal was not looked at");
    store_close(&store);
    return check.damaged ? UINT64_MAX : check.journal_events;
}

/* A log that was taken over is whole, and goes on. */
static void broker_start(uint64_t expected) {
    struct store_options options = {.directory = fuzz_path("store"), .size_max = SIZE_MAX_STORE};
    static struct store_check check;
    struct store *store = NULL;
    struct store_head head;
    uint64_t last = 0;
    if (store_open(&options, &store)) {
        CLAIM(!store && store_error(NULL)[0], "refused without a sentence");
        return;
    }
    store_head(store, &head);
    CLAIM(expected == 0 || head.seq == expected, "the check has counted other events");
    CLAIM(store_each_event(store, 0, event_seen, &last) == 0 && last == head.seq, store_error(store));
    CLAIM(store_check(store, &check) == 0 && !check.damaged, check.why);
    struct event event = sample_event(EVENT_STARTED, SAMPLE_USUAL);
    event.seq = head.seq + 1;
    event.at = head.at;
    CLAIM(store_begin(store) == 0 && store_append(store, &event) == 0 && store_commit(store) == 0, store_error(store));
    store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size == 0)
        return 0;
    if (!journal.data)
        prepare();
    files_write(bytes[0], bytes + 1, size - 1);
    broker_start(bytes[0] & FLAG_CHECK ? journal_check() : 0);
    return 0;
}
