/* index_ask.c - questions that the index answers: EVENTS, FIND, REINDEX and COUNTERS.
 *
 * The loop hands them over and goes on; it never waits for one. What comes back is sent with a later batch,
 * to the session that asked, if it is still that one.
 */
#include "broker.h"
#include "index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The loop waits for one descriptor: of signals and answers both, where there are answers. */
static int wake_join(struct broker *b) {
    int both = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event readable = {.events = EPOLLIN};
    if (both >= 0 && epoll_ctl(both, EPOLL_CTL_ADD, b->signal_fd, &readable) == 0 &&
        epoll_ctl(both, EPOLL_CTL_ADD, index_fd(b->index), &readable) == 0) {
        b->wake_fd = both;
        return 0;
    }
    if (both >= 0)
        close(both);
    return -EST_IO;
}

void index_begin(struct broker *b) {
    struct index_options options = {.folder = b->catalogue->broker.index, .store = b->store, .log = log_line};
    if (options.folder == NULL)
        return;
    if (index_start(&options, &b->index) == 0 && wake_join(b) == 0)
        return;
    log_line(4, "no thread for the index; the broker goes on without search and event feed");
    index_stop(&b->index);
}

void index_end(struct broker *b) {
    if (b->wake_fd != b->signal_fd && b->wake_fd >= 0)
        close(b->wake_fd);
    b->wake_fd = -1;
    index_stop(&b->index);
}

static int number_order(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The record knows no leases: what agents hold at this moment goes along with the question. */
static uint64_t *leased_take(const struct broker *b, size_t *ret_count) {
    struct core_counts counts;
    core_counts(b->core, &counts);
    size_t max = counts.leased < INDEX_LEASED_MAX ? (size_t)counts.leased : INDEX_LEASED_MAX;
    uint64_t *numbers = max > 0 ? malloc(max * sizeof *numbers) : NULL;
    *ret_count = numbers != NULL ? core_leased(b->core, numbers, max) : 0;
    if (numbers != NULL)
        qsort(numbers, *ret_count, sizeof *numbers, number_order);
    return numbers;
}

/* A copy for the thread. False without memory: then nobody is answered what might not be theirs. */
static bool confidential_take(struct broker *b, uint32_t peer, struct index_moment *moment) {
    moment->sees_all = types_hidden(b, peer) == NULL;
    moment->configured = b->configured;
    moment->confidential_count = b->limits.types_max;
    moment->confidential = malloc(moment->confidential_count * sizeof *moment->confidential);
    if (moment->confidential == NULL)
        return false;
    memcpy(moment->confidential, registry_confidential(b->registry, b->store),
           moment->confidential_count * sizeof *moment->confidential);
    return true;
}

static void refuse_busy(struct broker *b, uint32_t peer, uint64_t ref, const char *detail) {
    struct error_is error = {
        .ref = ref, .code = EST_BUSY, .retry_ms = (uint64_t)(b->limits.busy_retry.us / EST_US_PER_MS)};
    send_error(b, peer, error, detail);
}

void index_ask(struct broker *b, uint32_t peer, const struct message *m) {
    struct session_view session;
    uint64_t ref = m->done.ref; /* each begins with its ref */
    if (b->index == NULL) {
        refuse_busy(b, peer, ref, "this broker runs without an index");
        return;
    }
    if (m->verb == VERB_REINDEX && m->reindex.reason.size == 0) {
        send_error(b, peer, (struct error_is){.ref = ref, .code = EST_INVALID_FIELD}, "reason: say why");
        return;
    }
    struct store_head head;
    store_head(b->store, &head);
    struct index_moment moment = {.seq = head.seq, .types_seq = b->types_seq, .rule = &b->catalogue->city.parcel};
    if ((m->verb == VERB_FIND || m->verb == VERB_EVENTS) && !confidential_take(b, peer, &moment)) {
        refuse_busy(b, peer, ref, "no memory for the question");
        return;
    }
    if (m->verb == VERB_FIND)
        moment.leased = leased_take(b, &moment.leased_count);
    core_session(b->core, peer, &session);
    struct index_asker asker = {peer, session.since.us};
    if (index_hand_over(b->index, asker, m, &moment) < 0)
        refuse_busy(b, peer, ref, "too many questions wait for the index");
    else if (m->verb == VERB_REINDEX)
        log_line(5, "the index is built again, by %s: %.*s",
                 b->keyring.keys[net_peer(b->net, peer)->key].name, (int)m->reindex.reason.size,
                 (const char *)m->reindex.reason.data);
}

static void answer_send(struct broker *b, struct index_answer *a) {
    struct session_view session;
    uint32_t peer = a->asker.peer;
    core_session(b->core, peer, &session);
    if (!session.live || session.since.us != a->asker.since_us)
        return; /* nobody waits for it any more */
    if (a->message.verb != VERB_ERROR) {
        message_pack(net_out(b->net, peer), &a->message);
        net_sent(b->net, peer);
    } else if (a->message.error.code == EST_BUSY) {
        refuse_busy(b, peer, a->message.error.ref, a->why);
    } else {
        send_error(b, peer, a->message.error, a->why);
    }
}

void index_answers(struct broker *b) {
    if (b->index == NULL || !index_has_answer(b->index))
        return;
    for (struct index_answer *a; (a = index_take(b->index)) != NULL;) {
        answer_send(b, a);
        index_answer_free(&a);
    }
}

size_t index_stats(struct broker *b) {
    struct index_status s;
    if (b->index == NULL)
        return 0;
    index_status(b->index, &s);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"index_seq", s.seq},
        {"index_behind", s.head > s.seq ? s.head - s.seq : 0},
        {"index_entries", s.entries},
        {"index_bytes", s.bytes},
        {"index_rebuilding", s.rebuilding},
        {"index_failed", s.failed},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stat_row row = {.name = slice_of(rows[i].name), .value = rows[i].value};
        stat_row_pack(&b->rows, &row);
    }
    return sizeof rows / sizeof *rows;
}
