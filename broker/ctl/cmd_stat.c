/* cmd_stat.c - `estelam stat`: a line a second about the broker, as vmstat does for a machine. */
#include "glance.h"
#include "moment.h"
#include "number.h"
#include "pages.h"
#include "run.h"
#include "say.h"
#include "table.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { STAT_PAUSE_MAX_S = 3600, STAT_COUNT_MAX = 1000000000, HEADER_EVERY = 20 };

enum shows { RATE, LEVEL, MEBIBYTES, REFUSED, OLDEST, AGENTS, COMMIT_MS, BATCH };

static const struct stat_column {
    const char *title, *key; /* for people; in JSON, with its unit */
    int width, digits;       /* digits behind the point */
    enum shows shows;
    const char *name; /* of the counter */
} COLUMNS[] = {
    {"submit/s", "submitted_per_s", 9, 1, RATE, "fact_submitted"},
    {"answer/s", "answered_per_s", 9, 1, RATE, "fact_answered"},
    {"refuse/s", "refused_per_s", 9, 1, REFUSED, NULL},
    {"fail/s", "attempts_failed_per_s", 8, 1, RATE, "fact_attempt_failed"},
    {"waiting", "waiting", 9, 0, LEVEL, "inquiries_waiting"},
    {"delayed", "delayed", 8, 0, LEVEL, "inquiries_delayed"},
    {"leased", "leased", 7, 0, LEVEL, "inquiries_leased"},
    {"parked", "parked", 7, 0, LEVEL, "inquiries_parked"},
    {"oldest s", "oldest_s", 10, 1, OLDEST, NULL},
    {"agents", "agents", 7, 0, AGENTS, NULL},
    {"commit/s", "commits_per_s", 9, 1, RATE, "commits"},
    {"commit ms", "commit_ms", 10, 2, COMMIT_MS, NULL},
    {"batch", "batch_events", 7, 1, BATCH, NULL},
    {"MiB", "store_mib", 8, 1, MEBIBYTES, "store_used_bytes"},
};
enum { COLUMNS_COUNT = sizeof COLUMNS / sizeof COLUMNS[0] };

/* Every code that a command was refused with is a counter of its own. */
static double refusals(const struct glance *before, const struct glance *now) {
    double sum = 0;
    for (size_t i = 0; i < now->stats_count; i++)
        if (strncmp(now->stats[i].name, "refused_", 8) == 0)
            sum += glance_rate(before, now, now->stats[i].name);
    return sum;
}

static double column_value(const struct stat_column *c, const struct glance *before,
                           const struct glance *now) {
    switch (c->shows) {
    case RATE:
        return glance_rate(before, now, c->name);
    case LEVEL:
        return (double)glance_stat(now, c->name);
    case MEBIBYTES:
        return (double)glance_stat(now, c->name) / 1048576.0;
    case REFUSED:
        return refusals(before, now);
    case OLDEST:
        return now->oldest.us && now->at.us > now->oldest.us ? (double)(now->at.us - now->oldest.us) / 1e6
                                                             : 0;
    case COMMIT_MS:
        return glance_ratio(before, now, "commit_us_sum", "commit_us_count") / 1e3;
    case BATCH:
        return glance_ratio(before, now, "batch_events_sum", "batch_events_count");
    case AGENTS:
        return (double)now->agents_count;
    }
    return 0;
}

static void header_print(void) {
    for (size_t i = 0; i < COLUMNS_COUNT; i++)
        printf("%*s", COLUMNS[i].width, COLUMNS[i].title);
    putchar('\n');
}

static void line_print(const struct glance *before, const struct glance *now) {
    for (size_t i = 0; i < COLUMNS_COUNT; i++)
        printf("%*.*f", COLUMNS[i].width, COLUMNS[i].digits, column_value(&COLUMNS[i], before, now));
    putchar('\n');
}

static void json_print(const struct glance *before, const struct glance *now) {
    char utc[MOMENT_SIZE];
    moment_utc(now->at, utc);
    json_t *line = json_pack("{s:s}", "at", utc);
    for (size_t i = 0; i < COLUMNS_COUNT; i++) {
        double value = column_value(&COLUMNS[i], before, now);
        json_object_set_new(line, COLUMNS[i].key,
                            COLUMNS[i].digits ? json_real(round(value * 1e3) / 1e3)
                                              : json_integer((json_int_t)value));
    }
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(line);
}

/* A plain number of the command line; -1 and told where it is none. */
static long argument_number(const struct call *call, size_t index, long otherwise, long max) {
    if (index >= call->count)
        return otherwise;
    uint64_t number;
    if (number_parse(call->arguments[index], (uint64_t)max, &number) && number >= 1)
        return (long)number;
    call_usage(call, "`%s` is no number from 1 to %ld", call->arguments[index], max);
    return -1;
}

/* Lines at even distances: what the asking took is not added to the pause. */
static int lines_print(const struct call *call, struct peer *peer, long pause_s, long count) {
    struct glance before, now;
    int64_t next = moment_ticks();
    int status = glance_take(peer, call_value(call, "department"), &before);
    for (long line = 0; !status && line < count; line++) {
        next += pause_s * 1000;
        status = peer_pause(peer, next);
        if (status)
            break;
        status = glance_take(peer, call_value(call, "department"), &now);
        if (!status && !call_json(call) && line % HEADER_EVERY == 0)
            header_print();
        if (!status)
            (call_json(call) ? json_print : line_print)(&before, &now);
        if (!status)
            status = say_flush();
        glance_done(&before);
        before = now;
    }
    glance_done(&before);
    return status;
}

int run_stat(const struct call *call) {
    long pause_s = argument_number(call, 0, 1, STAT_PAUSE_MAX_S);
    long count = argument_number(call, 1, STAT_COUNT_MAX, STAT_COUNT_MAX);
    struct desk desk;
    if (pause_s < 0 || count < 0)
        return EXIT_USAGE;
    int status = desk_open(call, &desk);
    if (!status)
        status = lines_print(call, &desk.peer, pause_s, count);
    desk_close(&desk);
    return status;
}
