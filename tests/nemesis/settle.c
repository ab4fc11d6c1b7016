/* settle.c - the faults are over: everything has to come to its end, and then be looked at.
 *
 * The looking is done by three programs that know nothing of this one: the witness asks the broker
 * over the public API, `estelam store check` walks the closed store, and the checker reads only
 * what all of them wrote.
 */
#include "nemesis.h"
#include "skew.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLE_MS = 60000, PARKED_PAGE = 100 };

/* --- Until nothing is open ---------------------------------------------------------------------------------
 */

static void parked_requeue(struct far *duty) {
    est_parked_row row;
    uint64_t ref = ++duty->ref;
    assert_int_equal(est_client_parked(duty->client, ref, NULL, 0, PARKED_PAGE), 0);
    const est_event *page = far_wait(duty, EST_EVENT_PARKED, .ref = ref);
    for (size_t i = 0; est_row_parked(page, i, &row); i++)
        assert_int_equal(est_client_requeue(duty->client, ++duty->ref, row.number, "the storm is over"), 0);
}

static unsigned pending(const struct nemesis *n) {
    unsigned sum = 0;
    for (size_t i = 0; i < n->cast_count; i++)
        sum += atomic_load(&n->board->pending[i]);
    return sum;
}

/* False after a long time. The run has failed then; but the checker, which will see what is open,
 * tells the stories. */
static bool until_all_ended(struct nemesis *n) {
    struct far *duty = far_open(n->town, "duty", 0);
    int64_t until = now_ms() + SETTLE_MS;
    uint64_t open, parked;
    while ((open = far_stat(duty, "inquiries_open")) > 0 || pending(n) > 0) {
        parked = far_stat(duty, "inquiries_parked");
        if (parked > 0)
            parked_requeue(duty);
        if (now_ms() > until)
            break;
        far_poll(duty, 20);
        far_forget(duty);
    }
    if (open > 0 || pending(n) > 0)
        print_error("%" PRIu64 " inquiries do not end, %u submits have no answer\n", open, pending(n));
    far_close(&duty);
    return open == 0 && pending(n) == 0;
}

void settle(struct nemesis *n) {
    chronicle(n, "heal", "\"life\":%u", n->broker_life);
    later_run(n, INT64_MAX);
    proxy_calm(n->proxy);
    clock_set(n, 0);
    atomic_store(&n->board->phase, PHASE_SETTLE);
    n->settled = until_all_ended(n);
    chronicle(n, "settled", "\"life\":%u", n->broker_life);
    players_end(n);
    n->happened[FAULT_NET_DELAY] += proxy_happened(n->proxy, PROXY_DELAY);
    n->happened[FAULT_NET_CUT] += proxy_happened(n->proxy, PROXY_CUT);
    n->happened[FAULT_NET_RESET] += proxy_happened(n->proxy, PROXY_RESET);
    n->happened[FAULT_NET_HOLE] += proxy_happened(n->proxy, PROXY_HOLE);
}

/* --- Looking ------------------------------------------------------------------------------------- */

static void witness(struct nemesis *n) {
    const struct town_account *duty = town_account(n->town, "duty"),
                              *portal = town_account(n->town, "portal"),
                              *notary = town_account(n->town, "notary");
    const char *const argv[] = {PROGRAMS "/nemesis-witness",
                                n->folder,
                                "witness",
                                "witness",
                                "15",
                                "0",
                                "-",
                                duty->name,
                                n->town->endpoints[OPERATORS],
                                n->town->server.public_key,
                                duty->key.public_key,
                                duty->key.secret_key,
                                n->town->endpoints[REQUESTERS],
                                portal->name,
                                portal->key.public_key,
                                portal->key.secret_key,
                                notary->name,
                                notary->key.public_key,
                                notary->key.secret_key,
                                NULL};
    struct child *child = child_start(argv);
    const char *line;
    while ((line = child_line(child, "")) && strcmp(line, "done") != 0)
        continue;
    int status = child_wait(child);
    if (status != 0)
        child_print(child);
    assert_int_equal(status, 0);
    assert_true(child_free(&child));
}

static void store_check(struct nemesis *n) {
    char store[FOLDER_MAX + 16];
    snprintf(store, sizeof store, "%s/store", n->town->folder);
    const char *const argv[] = {COMMAND_LINE, "store", "check", "--json", store, NULL};
    struct child *child = child_start(argv);
    char sheet[640] = "";
    const char *line;
    while ((line = child_line(child, "")))
        snprintf(sheet + strlen(sheet), sizeof sheet - strlen(sheet), "%s", line);
    int status = child_wait(child);
    chronicle(n, "store", "\"status\":%d,\"sheet\":%s", status, *sheet == '{' ? sheet : "{}");
    if (status != 0)
        child_print(child);
    child_free(&child);
}

static void figure_add(struct nemesis *n, const char *line) {
    struct figure it;
    if (sscanf(line, "%47s %" SCNu64, it.name, &it.value) != 2)
        return;
    for (size_t i = 0; i < n->figures_count; i++)
        if (strcmp(n->figures[i].name, it.name) == 0) {
            n->figures[i].value += it.value;
            return;
        }
    assert_true(n->figures_count < FIGURES_MAX);
    n->figures[n->figures_count++] = it;
}

uint64_t figure(const struct nemesis *n, const char *name) {
    for (size_t i = 0; i < n->figures_count; i++)
        if (strcmp(n->figures[i].name, name) == 0)
            return n->figures[i].value;
    return 0;
}

void judge(struct nemesis *n) {
    witness(n);
    pid_t pid = child_pid(n->town->broker);
    assert_int_equal(town_stop(n->town), 0);
    skew_sweep(pid);
    store_check(n);
    const char *const argv[] = {PROGRAMS "/nemesis-check", n->folder, NULL};
    struct child *child = child_start(argv);
    const char *line;
    while ((line = child_line(child, "")))
        if (strncmp(line, "= ", 2) == 0)
            figure_add(n, line + 2);
        else /* whole, which cmocka's own messages are not */
            fprintf(stderr, "%s\n", line);
    int status = child_wait(child);
    if (status != 0)
        child_print(child);
    child_free(&child);
    assert_int_equal(status, 0);
}
