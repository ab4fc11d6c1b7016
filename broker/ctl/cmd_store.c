/* cmd_store.c - the broker's store, from outside: is it whole? And copied, for a backup and back. */
#include "backup.h"
#include "run.h"
#include "say.h"
#include "table.h"

#include <stdlib.h>
#include <time.h>

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A line per figure; in JSON the same and, of a damaged store, its first bad record. */
static const struct column columns[] = {
    {"good", "good", false, 0},
    {"table", NULL, false, 0},
    {"record", NULL, false, 0},
    {"why", NULL, false, 0},
    {"events", "events", false, 0},
    {"generation", "generation", false, 0},
    {"first", "first event", false, 0},
    {"last", "last event", false, 0},
    {"inquiries", "inquiries", false, 0},
    {"open", "  without an end", false, 0},
    {"waiting", "    waiting", false, 0},
    {"delayed", "    delayed", false, 0},
    {"parked", "    parked", false, 0},
    {"ended", "  ended", false, 0},
    {"answered", "    answered", false, 0},
    {"expired", "    expired", false, 0},
    {"cancelled", "    cancelled", false, 0},
    {"unacknowledged", "  ended and not acknowledged", false, 0},
    {"things", "types, departments, accounts, purposes", false, 0},
    {"log_bytes", "bytes in the log", false, 0},
    {"used_bytes", "bytes in the file", false, 0},
    {"digest", "digest", false, 0},
    {"journal_events", "events in the journal", false, 0},
    {"journal_torn", NULL, false, 0},
    {"took_ms", "took", false, 0},
};

static void states_add(struct table *table, const struct store_check *check) {
    const uint64_t *states = check->states;
    uint64_t open = states[EST_STATE_WAITING] + states[EST_STATE_DELAYED] + states[EST_STATE_PARKED];
    uint64_t ended = states[EST_STATE_ANSWERED] + states[EST_STATE_EXPIRED] + states[EST_STATE_CANCELLED];
    cell_uint(table, check->inquiries);
    cell_uint(table, open);
    cell_uint(table, states[EST_STATE_WAITING]);
    cell_uint(table, states[EST_STATE_DELAYED]);
    cell_uint(table, states[EST_STATE_PARKED]);
    cell_uint(table, ended);
    cell_uint(table, states[EST_STATE_ANSWERED]);
    cell_uint(table, states[EST_STATE_EXPIRED]);
    cell_uint(table, states[EST_STATE_CANCELLED]);
    cell_uint(table, ended - check->acknowledged);
}

/* Beside a running broker nothing can be said of it. */
static void journal_add(struct table *table, const struct store_check *check) {
    if (check->journal_seen) {
        cell_uint(table, check->journal_events);
        cell_bool(table, check->journal_torn);
    } else {
        cell_none(table);
        cell_none(table);
    }
}

static void check_show(const struct call *call, const struct store_check *check, int64_t took_ms) {
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    char digest[24];
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)check->head.digest);
    cell_bool(table, true);
    for (int i = 0; i < 3; i++)
        cell_none(table);
    cell_uint(table, check->head.seq);
    cell_uint(table, check->head.generation);
    cell_time(table, check->first);
    cell_time(table, check->head.at);
    states_add(table, check);
    cell_uint(table, check->things);
    cell_uint(table, check->log_bytes);
    cell_uint(table, check->used_bytes);
    cell_cstr(table, digest);
    journal_add(table, check);
    cell_took(table, took_ms);
    table_show_sheet(table, call);
    table_free(&table);
    if (check->journal_events > 0)
        say_remark("the broker puts what is in the journal into the log at its next start");
    if (check->journal_torn)
        say_remark("the journal's last block is not whole: power was lost while it was written, or the disk changed it");
}

/* Figures of a store that was walked half-way mean nothing, so none are given. */
static void damage_show(const struct call *call, const struct store_check *check, const char *advice) {
    if (call_json(call)) {
        struct table *table = table_new(columns, 4);
        cell_bool(table, false);
        cell_cstr(table, check->table);
        cell_cstr(table, check->key);
        cell_cstr(table, check->why);
        table_show_sheet(table, call);
        table_free(&table);
        return;
    }
    printf("%s: damaged: %s%s%s: %s\n", call->arguments[0], check->table, *check->key ? " " : "", check->key,
           check->why);
    say_remark("%s", advice);
}

int run_store_check(const struct call *call) {
    struct store_check *check = malloc(sizeof *check);
    if (!check) {
        say_error(EST_NO_MEMORY, NULL, "out of memory");
        return EXIT_LOCAL;
    }
    int64_t began = now_ms();
    int status = EXIT_OK, rc = store_check_folder(call->arguments[0], check);
    if (rc) {
        say_error(rc, "see `estelam help store check`", "%s", check->why);
        status = rc == -EST_NOT_FOUND ? EXIT_USAGE : EXIT_LOCAL;
    } else if (check->damaged) {
        damage_show(call, check, "no broker should run on it: restore the folder from a backup, and look at the disk");
        status = EXIT_NO;
    } else {
        check_show(call, check, now_ms() - began);
    }
    free(check);
    return status;
}

/* --- Copies --------------------------------------------------------------------------------------------- */

/* Which of the two folders is at fault decides what the exit status says. */
static int copy_refused(int rc, const char *why, const char *help) {
    say_error(rc, help, "%s", why);
    return rc == -EST_NOT_FOUND || rc == -EST_INPUT ? EXIT_USAGE : EXIT_LOCAL;
}

static int run_copy(const struct call *call, const char *help, const char *damage, void (*remark)(const struct store_backup *)) {
    struct store_backup *copy = malloc(sizeof *copy);
    if (!copy) {
        say_error(EST_NO_MEMORY, NULL, "out of memory");
        return EXIT_LOCAL;
    }
    int64_t began = now_ms();
    int status = EXIT_OK, rc = store_backup(call->arguments[0], call->arguments[1], copy);
    if (rc) {
        status = copy_refused(rc, copy->check.why, help);
    } else if (copy->check.damaged) {
        damage_show(call, &copy->check, damage);
        status = EXIT_NO;
    } else {
        check_show(call, &copy->check, now_ms() - began);
        remark(copy);
    }
    free(copy);
    return status;
}

static void backup_remark(const struct store_backup *copy) {
    if (copy->beside_broker)
        say_remark("a broker has it open: what it accepted from some 40 ms before the copying began is not in it");
}

int run_store_backup(const struct call *call) {
    return run_copy(call, "see `estelam help store backup`",
                    "nothing was made; keep the backups that are there, and look at the disk", backup_remark);
}

static void restore_remark(const struct store_backup *copy) {
    (void)copy;
    say_remark("what was accepted after this backup was made is not in it, and its numbers are given out again");
}

int run_store_restore(const struct call *call) {
    return run_copy(call, "see `estelam help store restore`", "nothing was made; take an older backup", restore_remark);
}
