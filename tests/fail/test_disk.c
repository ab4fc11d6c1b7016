/* test_disk.c - a disk that fills up under a real broker: new inquiries are refused, answers still
 * find room, and what was refused is taken again when there is space.
 *
 * The store lies on a small file system of its own: tmpfs, and ext4 in a file where loop devices
 * are to be had. Both need root; without it the tests say so and are skipped.
 */
#include "harness.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* New inquiries are refused from 80 % on, as deploy/README.md says. */
enum { FULL_BELOW = 76, FULL_PERCENT = 80, FULL_SOON = 84 };
enum { DISK_MIB = 48, BEFORE = 40, MANY = 3000, STATUS_FAILED = 1, BUSY_WITHIN_MS = 10000, PATH_SIZE = 128 };

/* --- A small file system ---------------------------------------------------------------------------- */

static char mounted[PATH_SIZE], image[PATH_SIZE];

static bool mount_tmpfs(const char *folder) {
    char size[32];
    snprintf(size, sizeof size, "size=%dm,mode=0700", DISK_MIB);
    return mount("none", folder, "tmpfs", 0, size) == 0;
}

static bool mount_ext4(const char *folder) {
    char command[4 * PATH_SIZE];
    snprintf(image, sizeof image, "/tmp/estelam-disk-%d.ext4", (int)getpid());
    int fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)DISK_MIB << 20) != 0)
        return false;
    close(fd);
    snprintf(command, sizeof command, "{ mkfs.ext4 -q -F -m 0 %s && mount -o loop %s %s; } >/dev/null 2>&1",
             image, image, folder);
    return system(command) == 0;
}

static void disk_mount(struct town *town, bool (*how)(const char *)) {
    snprintf(mounted, sizeof mounted, "%s/store", town->folder);
    assert_int_equal(mkdir(mounted, 0700), 0);
    if (how(mounted))
        return;
    mounted[0] = '\0';
    print_message("skipped: no such file system can be mounted here (%s)\n", strerror(errno));
    skip();
}

/* After the harness has ended the broker; whatever the test has come to. */
static int disk_teardown(void **state) {
    int rc = 0;
    if (mounted[0] != '\0')
        rc = umount2(mounted, MNT_DETACH);
    if (image[0] != '\0')
        unlink(image);
    mounted[0] = image[0] = '\0';
    return harness_teardown(state) | rc;
}

static unsigned percent_used(void) {
    struct statvfs disk;
    assert_int_equal(statvfs(mounted, &disk), 0);
    return (unsigned)((disk.f_blocks - disk.f_bavail) * 100 / disk.f_blocks);
}

/* Until so much of it is in use; 100: until nothing more can be written. */
static void disk_fill(unsigned percent) {
    static const char bytes[16384];
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/filler", mounted);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t size = sizeof bytes; size >= 512 && (percent == 100 || percent_used() < percent);)
        if (write(fd, bytes, size) != (ssize_t)size)
            size /= 2;
    close(fd);
}

static void disk_clear(void) {
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/filler", mounted);
    assert_int_equal(unlink(path), 0);
}

/* --- What people see --------------------------------------------------------------------------------- */

static const char *note_text(void) {
    static char note[1000];
    memset(note, 'n', sizeof note - 1);
    return note;
}

/* EST_OK for a receipt, or the code of the refusal. */
static int ask_once(struct far *far) {
    est_id id;
    const est_event *event = NULL;
    int64_t until = now_ms() + WAIT_MS;
    est_id_new(&id);
    far_ask(far, "plot.debt", "1-2-3", note_text(), &id, (est_time){0});
    while (now_ms() < until) {
        if (far_peek(far, (struct want){.kind = EST_EVENT_ACCEPTED, .id = &id}))
            return EST_OK;
        if ((event = far_peek(far, (struct want){.kind = EST_EVENT_REFUSED, .id = &id})))
            return abs(event->code);
        far_poll(far, 100);
    }
    fail_msg("an inquiry had no outcome");
    return -1;
}

/* Asks until the outcome is this; how many got a receipt on the way. */
static unsigned ask_until(struct far *far, int wanted) {
    int64_t until = now_ms() + BUSY_WITHIN_MS;
    unsigned receipts = 0;
    int code;
    while ((code = ask_once(far)) != wanted) {
        receipts += code == EST_OK;
        if (now_ms() > until)
            fail_msg("%s did not come in time; the disk is %u %% full", est_code_name(wanted),
                     percent_used());
    }
    return receipts + (wanted == EST_OK);
}

static void expect_whole_store(void) {
    struct store_check check;
    assert_int_equal(store_check_folder(mounted, &check), 0);
    if (check.damaged)
        fail_msg("%s %s: %s", check.table, check.key, check.why);
}

/* --- The stories -------------------------------------------------------------------------------------- */

static void full_disk_story(bool (*how)(const char *)) {
    struct town *town = town_new(NULL);
    disk_mount(town, how);
    town_start(town);
    struct far *far = far_open(town, "portal", 2);
    unsigned receipts = 0;
    for (; receipts < BEFORE; receipts++)
        assert_int_equal(ask_once(far), EST_OK);
    disk_fill(FULL_BELOW);
    for (unsigned i = 0; i < BEFORE; i++, receipts++)
        assert_int_equal(ask_once(far), EST_OK);
    assert_true(percent_used() < FULL_PERCENT);
    disk_fill(FULL_PERCENT + 1);
    receipts += ask_until(far, EST_BUSY);
    assert_true(percent_used() < FULL_SOON);
    /* The reserve: answers are durable all the same, and reach the requester. */
    struct child *agent = agent_start(town, "treasury-a", "answer", 4);
    for (unsigned i = 0; i < receipts; i++)
        assert_int_equal(far_wait(far, EST_EVENT_RESULT)->state, EST_STATE_ANSWERED);
    assert_int_equal(ask_once(far), EST_BUSY);
    disk_clear();
    ask_until(far, EST_OK);
    far_wait(far, EST_EVENT_RESULT);
    child_signal(agent, 9);
    child_wait(agent);
    child_free(&agent);
    far_close(&far);
    assert_int_equal(town_stop(town), 0);
    expect_whole_store();
    print_message("%u receipts before BUSY, all answered from the reserve\n", receipts);
}

static void many_ask(struct far *far) {
    for (unsigned i = 0; i < MANY; i++) {
        est_id id;
        est_id_new(&id);
        far_ask(far, "plot.debt", "1-2-3", note_text(), &id, (est_time){0});
    }
    for (unsigned i = 0; i < MANY; i++)
        far_wait(far, EST_EVENT_ACCEPTED);
}

/* Not one byte is left, and answers keep coming: the broker stops with status 1. With space again it
 * starts, and every inquiry that had a receipt is answered. */
static void no_byte_left_story(bool (*how)(const char *)) {
    struct town *town = town_new(NULL);
    disk_mount(town, how);
    town_start(town);
    struct far *far = far_open(town, "portal", 0);
    many_ask(far);
    far_close(&far);
    disk_fill(100);
    struct child *agent = agent_start(town, "treasury-a", "answer", 4);
    assert_int_equal(child_wait(town->broker), STATUS_FAILED);
    assert_true(child_error_has(town->broker, "free space on its disk"));
    assert_true(child_free(&town->broker));
    disk_clear();
    expect_whole_store();
    town_start(town);
    far = far_open(town, "portal", 2);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(far_wait(far, EST_EVENT_RESULT)->state, EST_STATE_ANSWERED);
    child_signal(agent, 9);
    child_wait(agent);
    child_free(&agent);
    far_close(&far);
    assert_int_equal(town_stop(town), 0);
    expect_whole_store();
}

/* Not one byte is left, and an operator pauses a department, or lets it go on, until the broker stops: the log has what
 * was done and no more. */
static void undone_act_is_not_in_the_log(void **state) {
    (void)state;
    char reason[32];
    struct town *town = town_new(NULL);
    disk_mount(town, mount_tmpfs);
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    disk_fill(100);
    uint64_t ref = 0;
    const est_event *event = NULL;
    do {
        snprintf(reason, sizeof reason, "reason-%llu-", (unsigned long long)++ref);
        assert_int_equal(est_client_pause(duty->client, ref, "treasury", ref % 2, reason), 0);
        for (event = NULL; !event;) {
            far_poll(duty, 100);
            event = far_peek(duty, (struct want){.kind = EST_EVENT_DONE, .ref = ref});
            event = event ? event : far_peek(duty, (struct want){.kind = EST_EVENT_DISCONNECTED});
        }
    } while (event->kind == EST_EVENT_DONE);
    far_close(&duty);
    assert_int_equal(child_wait(town->broker), STATUS_FAILED);
    assert_true(child_error_has(town->broker, "free space on its disk"));
    assert_false(child_error_has(town->broker, reason));
    snprintf(reason, sizeof reason, "reason-%llu-", (unsigned long long)ref - 1);
    assert_true(ref == 1 || child_error_has(town->broker, reason));
    print_message("%llu acts were recorded before\n", (unsigned long long)ref - 1);
}

/* Search needs room that the store keeps to itself. It opens, and cannot write: at each attempt. */
static void search_without_room_is_told_once_and_comes_back(void **state) {
    (void)state;
    enum { TWO_ATTEMPTS_MS = 11000 };
    struct town *town = town_new(NULL);
    char folder[PATH_SIZE];
    snprintf(folder, sizeof folder, "%s/index", town->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (!mount_tmpfs(folder))
        skip();
    snprintf(mounted, sizeof mounted, "%s", folder);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    far_submit(portal, "plot.debt", "1-2-3", NULL);
    child_error_wait(town->broker, "search is off and the broker goes on without it");
    for (int64_t until = now_ms() + TWO_ATTEMPTS_MS; now_ms() < until;)
        far_poll(portal, 100);
    assert_int_equal(child_error_count(town->broker, "search is o"), 1);
    assert_int_equal(mount("none", folder, "tmpfs", MS_REMOUNT, "size=600m,mode=0700"), 0);
    child_error_wait(town->broker, "search is on again");
    far_close(&portal);
    assert_int_equal(town_stop(town), 0);
}

static void full_tmpfs_refuses_inquiries_and_takes_answers(void **state) {
    (void)state;
    full_disk_story(mount_tmpfs);
}

static void full_ext4_refuses_inquiries_and_takes_answers(void **state) {
    (void)state;
    full_disk_story(mount_ext4);
}

static void tmpfs_without_a_byte_stops_the_broker_and_loses_nothing(void **state) {
    (void)state;
    no_byte_left_story(mount_tmpfs);
}

static void ext4_without_a_byte_stops_the_broker_and_loses_nothing(void **state) {
    (void)state;
    no_byte_left_story(mount_ext4);
}

#define DISK_CLAIM(name) cmocka_unit_test_teardown(name, disk_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        DISK_CLAIM(full_tmpfs_refuses_inquiries_and_takes_answers),
        DISK_CLAIM(full_ext4_refuses_inquiries_and_takes_answers),
        DISK_CLAIM(tmpfs_without_a_byte_stops_the_broker_and_loses_nothing),
        DISK_CLAIM(undone_act_is_not_in_the_log),
        DISK_CLAIM(search_without_room_is_told_once_and_comes_back),
        DISK_CLAIM(ext4_without_a_byte_stops_the_broker_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
