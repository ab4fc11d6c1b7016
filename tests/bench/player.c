/* player.c - what requester and agent have in common. */
#include "player.h"

#include <string.h>
#include <unistd.h>

enum { NOTE_MAX = 2000, FAILED = 1 };

static volatile sig_atomic_t leaving;

int player_trouble(const struct part *part, const char *what, int code, est_slice text) {
    if (!part->score->trouble[0])
        snprintf(part->score->trouble, sizeof part->score->trouble, "%s: %s: %.*s", what, est_code_name(code),
                 (int)(text.size < 150 ? text.size : 150), text.size ? (const char *)text.data : "");
    return FAILED;
}

int player_failed(const struct part *part, const char *what, const char *text) {
    if (!part->score->trouble[0])
        snprintf(part->score->trouble, sizeof part->score->trouble, "%s%s%.150s", what, text ? ": " : "",
                 text ? text : "");
    return FAILED;
}

unsigned part_share(const struct part *part) {
    const struct plan *plan = part->plan;
    return (plan->window * plan->requesters + plan->agents - 1) / plan->agents;
}

/* The end of the pipe is the signal; no byte is ever sent through it. */
bool player_await(const struct part *part) {
    char byte = 0;
    if (write(part->ready, &byte, 1) != 1)
        return false;
    return read(part->go, &byte, 1) == 0;
}

static void leave(int number) {
    leaving = number;
}

void player_leave_on_signal(void) {
    struct sigaction action = {.sa_handler = leave, .sa_flags = SA_RESTART};
    sigaction(SIGTERM, &action, NULL);
}

bool player_is_leaving(void) {
    return leaving != 0;
}

/* --- Bodies ---------------------------------------------------------------------------------------- */

/* Persian text, as it is in a real one, cut into notes that a text field may hold. */
static void notes_pack(struct buffer *to, size_t size) {
    static const char word[] = "استعلام ";
    char text[NOTE_MAX + 1];
    size_t count = size > 0 ? (size - 1) / NOTE_MAX + 1 : 0;
    pack_array(to, count);
    for (; count > 0; count--, size -= size < NOTE_MAX ? size : NOTE_MAX) {
        size_t length = size < NOTE_MAX ? size : NOTE_MAX;
        memset(text, '.', sizeof text);
        for (size_t at = 0; at + sizeof word - 1 <= length; at += sizeof word - 1)
            memcpy(text + at, word, sizeof word - 1);
        pack_text(to, (est_slice){text, length});
    }
}

static void body_pack(struct buffer *to, unsigned district, size_t notes, bool reply) {
    char parcel[64];
    snprintf(parcel, sizeof parcel, "%u-12-345-67-0-0-0", district);
    buffer_clear(to);
    pack_map(to, 2);
    pack_cstr(to, reply ? "debt" : "nz");
    if (reply)
        pack_int(to, 12500000);
    else
        pack_cstr(to, parcel);
    pack_cstr(to, "note");
    notes_pack(to, notes);
}

/* The notes take what the rest leaves of `size`; their own headers grow with them, so once more. */
int bodies_make(struct bodies *bodies, unsigned size, bool reply) {
    bool failed = false;
    for (unsigned i = 0; i < DISTRICTS; i++) {
        struct buffer *body = &bodies->at[i];
        size_t notes = 1;
        buffer_init(body);
        for (int turn = 0; turn < 4; turn++) {
            body_pack(body, i + 1, notes, reply);
            size_t wanted = notes + size;
            notes = wanted > body->size ? wanted - body->size : 1;
        }
        failed |= body->failed;
    }
    return failed ? -EST_NO_MEMORY : 0;
}

void bodies_done(struct bodies *bodies) {
    for (unsigned i = 0; i < DISTRICTS; i++)
        buffer_done(&bodies->at[i]);
}
