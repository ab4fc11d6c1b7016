/* rogue.c - an agent written by somebody else, without our session engine and without manners.
 *
 * It answers what other agents hold and what nobody holds any more, asks for work that is not its
 * own, speaks at the wrong door, and sends bytes that are no frame.
 */
#include "sim.h"

#include <stdlib.h>

static bool greeted;

static void say(struct far_end *f, const struct message *m) {
    struct buffer frame;
    buffer_init(&frame);
    frame_begin(&frame);
    message_pack(&frame, m);
    if (f->wire != WIRE_NONE)
        wire_send(f->wire, buffer_slice(&frame));
    buffer_done(&frame);
}

static void rogue_start(struct far_end *f) {
    (void)f;
    greeted = false;
}

static void rogue_died(struct far_end *f) {
    (void)f;
}

static void rogue_event(struct far_end *f, const struct session_event *event) {
    (void)f, (void)event;
}

static void rogue_frame(struct far_end *f, est_slice frame) {
    struct cursor c;
    static struct message m;
    if (!frame_open(&c, frame))
        return;
    while (message_next(&c, &m) == 1)
        if (m.verb == VERB_BYE) {
            greeted = false;
            far_disconnected(f, EST_UNREACHABLE);
            return;
        }
}

static void greet(struct far_end *f) {
    struct message m = {.verb = VERB_HELLO};
    m.hello = (struct hello){.version_min = 1, .version_max = 1, .software = slice_of("rogue")};
    say(f, &m);
    greeted = true;
}

/* An answer that only the holder of a lease may give; of this moment, or of a lease that is over. */
static void answer_foreign(struct far_end *f, bool live) {
    enum fault kind = live ? FAULT_FOREIGN_ANSWER : FAULT_LATE_ANSWER;
    struct message m = {.verb = VERB_ANSWER};
    uint8_t body[] = {0x81, 0xa4, 'd', 'e', 'b', 't', 0x07};
    if (!fault_comes(kind, 300) ||
        !oracle_lease_spy(fault_rng(kind), live, &m.answer.number, &m.answer.epoch))
        return;
    m.answer.outcome = EST_OUTCOME_POSITIVE;
    m.answer.body = (est_slice){body, sizeof body};
    if (rng_chance(fault_rng(kind), 300)) {
        struct refuse no = {.number = m.answer.number, .epoch = m.answer.epoch};
        m.verb = VERB_REFUSE;
        m.refuse = no;
    }
    fault_count(kind);
    say(f, &m);
}

static void ask_foreign(struct far_end *f) {
    static const uint8_t types[] = {0x91, 0xab, 'n', 'o', 's', 'a', 'z', 'i', '.', 'd', 'e', 'b', 't'};
    struct message ready = {.verb = VERB_READY}, wrong = {.verb = VERB_STATS};
    ready.ready = (struct ready){.ref = 7, .window = 3, .types = {types, sizeof types}};
    wrong.stats.ref = 8;
    say(f, rng_chance(&f->rng, 500) ? &ready : &wrong);
}

static void babble(struct far_end *f) {
    uint8_t bytes[24];
    size_t size = 1 + rng_below(fault_rng(FAULT_GARBAGE), sizeof bytes - 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rng_next(fault_rng(FAULT_GARBAGE));
    bytes[0] = rng_chance(fault_rng(FAULT_GARBAGE), 800) ? PROTOCOL_VERSION : bytes[0];
    fault_count(FAULT_GARBAGE);
    wire_send(f->wire, (est_slice){bytes, size});
}

static void rogue_act(struct far_end *f) {
    f->act_at = sim.now + rng_between(&f->rng, 200, 3000) * EST_US_PER_MS;
    if (f->wire == WIRE_NONE) {
        greeted = false;
        return;
    }
    if (!greeted) {
        greet(f);
        return;
    }
    answer_foreign(f, true);
    answer_foreign(f, false);
    if (sim.phase == PHASE_STORM && rng_chance(&f->rng, 50))
        ask_foreign(f);
    if (fault_comes(FAULT_GARBAGE, 15))
        babble(f);
    struct message ping = {.verb = VERB_PING};
    say(f, &ping);
}

static bool rogue_is_done(const struct far_end *f) {
    (void)f;
    return true;
}

const struct program rogue = {.start = rogue_start,
                              .event = rogue_event,
                              .frame = rogue_frame,
                              .act = rogue_act,
                              .died = rogue_died,
                              .is_done = rogue_is_done};
