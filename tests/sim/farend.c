/* farend.c - the far ends of a city: the real session engine, and the loop around it.
 *
 * What link.c does with a socket, done with a simulated connection: connect with growing pauses,
 * hand over frames and events, send while the connection takes them. A process may be frozen, cut
 * off, or dead; a dead one starts again with nothing but its program's notebook.
 */
#include "sim.h"

#include <session.h>

#include <stdlib.h>

struct far_end far_ends[FAR_ENDS] = {
    {.program = &requester, .name = "portal-1", .key = "portal", .door = DOOR_REQUESTER, .which = 0},
    {.program = &requester, .name = "portal-2", .key = "portal", .door = DOOR_REQUESTER, .which = 1},
    {.program = &requester, .name = "bank", .key = "bank", .door = DOOR_REQUESTER, .which = 2},
    {.program = &requester, .name = "notary", .key = "notary", .door = DOOR_REQUESTER, .which = 3},
    {.program = &agent, .name = "nosazi-1", .key = "nosaziAll", .door = DOOR_DEPARTMENT, .which = 0},
    {.program = &agent, .name = "nosazi-2", .key = "nosaziAll", .door = DOOR_DEPARTMENT, .which = 1},
    {.program = &agent, .name = "nosazi-3", .key = "nosaziFew", .door = DOOR_DEPARTMENT, .which = 2},
    {.program = &agent, .name = "metro-1", .key = "metroOne", .door = DOOR_DEPARTMENT, .which = 3},
    {.program = &agent, .name = "metro-2", .key = "metroOne", .door = DOOR_DEPARTMENT, .which = 4},
    {.program = &agent, .name = "sabt-1", .key = "sabtOne", .door = DOOR_DEPARTMENT, .which = 5},
    {.program = &agent, .name = "sabt-2", .key = "sabtOne", .door = DOOR_DEPARTMENT, .which = 6},
    {.program = &operator_, .name = "duty", .key = "duty", .door = DOOR_OPERATOR},
    {.program = &rogue, .name = "rogue", .key = "sabtRogue", .door = DOOR_DEPARTMENT},
};
static struct buffer received;

/* --- Processes ----------------------------------------------------------------------------------------- */

static void far_start(struct far_end *f) {
    f->dead = false;
    f->wire = WIRE_NONE;
    f->connect_at = f->act_at = sim.now + (int64_t)rng_below(&f->rng, 200000);
    f->failures = 0;
    f->frame_is_unsent = false;
    f->program->start(f);
}

void far_ends_reset(void) {
    for (unsigned i = 0; i < FAR_ENDS; i++) {
        struct far_end *f = &far_ends[i];
        f->index = i;
        f->rng = rng_from(sim.plan.seed, 100 + i);
        f->session = NULL;
        f->frozen_until = f->partitioned_until = f->dead_until = 0;
        f->order = 0;
        far_start(f);
    }
}

void far_ends_clean(void) {
    for (unsigned i = 0; i < FAR_ENDS; i++)
        session_free(&far_ends[i].session);
}

void far_die(struct far_end *f, int64_t for_us) {
    if (f->wire != WIRE_NONE)
        wire_close(f->wire);
    f->wire = WIRE_NONE;
    f->dead = true;
    f->dead_until = sim.now + for_us;
    session_free(&f->session);
    f->program->died(f);
}

/* A partition ends by being asked about: whoever was cut off before others and is back after them
 * has seen them heal in another order. */
bool far_reaches(unsigned far) {
    struct far_end *f = &far_ends[far];
    if (f->partitioned_until == 0)
        return true;
    if (f->partitioned_until > sim.now)
        return false;
    f->partitioned_until = 0;
    for (int i = 0; i < FAR_ENDS; i++)
        if (far_ends[i].partitioned_until > sim.now && far_ends[i].order < f->order) {
            fault_count(FAULT_HEAL);
            break;
        }
    return true;
}

/* --- Connections --------------------------------------------------------------------------------------- */

static const char *key_of(const struct far_end *f, char text[41]) {
    size_t at = 0;
    for (; f->key[at] != '\0'; at++)
        text[at] = f->key[at];
    while (at < 40)
        text[at++] = '0';
    text[40] = '\0';
    return text;
}

void far_disconnected(struct far_end *f, int code) {
    if (f->wire != WIRE_NONE)
        wire_close(f->wire);
    f->wire = WIRE_NONE;
    f->frame_is_unsent = false;
    int64_t pause = 100000LL << (f->failures < 6 ? f->failures : 6);
    f->connect_at = sim.now + pause / 2 + (int64_t)rng_below(&f->rng, (uint64_t)pause / 2 + 1);
    f->failures++;
    if (f->session != NULL)
        session_disconnected(f->session, code, "");
}

static void far_connect(struct far_end *f) {
    char key[41];
    if (f->session != NULL)
        session_connected(f->session, true_now());
    f->wire = wire_connect(f->index, f->door, key_of(f, key));
    if (f->wire == WIRE_NONE)
        far_disconnected(f, EST_UNREACHABLE);
}

/* --- Turns --------------------------------------------------------------------------------------------- */

static void events_take(struct far_end *f) {
    struct session_event event;
    while (!f->dead && session_next(f->session, true_now(), &event)) {
        if (event.kind == SESSION_UP)
            f->failures = 0;
        if (event.kind == SESSION_DOWN) {
            tell("%s: down: %s", f->name, est_code_name(event.code));
            if (event.code == EST_MALFORMED)
                violate(&invariant_protocol_kept, "%s: %.*s", f->name, (int)event.text.size,
                        (const char *)event.text.data);
        }
        f->program->event(f, &event);
    }
}

static void frames_send(struct far_end *f) {
    while (f->wire != WIRE_NONE) {
        if (!f->frame_is_unsent) {
            buffer_clear(&f->unsent);
            f->frame_is_unsent = session_take(f->session, true_now(), &f->unsent);
        }
        if (!f->frame_is_unsent || !wire_send(f->wire, buffer_slice(&f->unsent)))
            return;
        f->frame_is_unsent = false;
    }
}

static void session_turn(struct far_end *f) {
    session_tick(f->session, true_now());
    events_take(f);
    if (!f->dead && session_is_broken(f->session)) {
        far_disconnected(f, EST_UNREACHABLE);
        events_take(f);
    }
    if (!f->dead)
        frames_send(f);
}

void far_run(struct far_end *f) {
    if (f->dead) {
        tell("%s starts again", f->name);
        far_start(f);
        return;
    }
    if (f->wire == WIRE_NONE && f->connect_at <= sim.now)
        far_connect(f);
    while (!f->dead && f->wire != WIRE_NONE && wire_receive(f->wire, &received)) {
        if (f->session == NULL) {
            f->program->frame(f, buffer_slice(&received));
            continue;
        }
        session_frame(f->session, true_now(), buffer_slice(&received));
        events_take(f);
        session_turn(f);
    }
    if (!f->dead && f->wire != WIRE_NONE && wire_is_lost(f->wire))
        far_disconnected(f, EST_UNREACHABLE);
    if (!f->dead && f->act_at <= sim.now)
        f->program->act(f);
    if (!f->dead && f->session != NULL)
        session_turn(f);
}

/* While a frame waits for the connection to take it, nothing else of the session can be done. */
int64_t far_next_at(const struct far_end *f) {
    if (f->dead)
        return f->dead_until;
    int64_t at = f->act_at, due = f->connect_at;
    if (f->wire != WIRE_NONE) {
        due = wire_next_at(f->wire);
        int64_t session = f->session != NULL ? session_wakeup(f->session).us : INT64_MAX;
        if (f->frame_is_unsent && session < sim.now + 20000)
            session = sim.now + 20000;
        due = session < due ? session : due;
    }
    at = due < at ? due : at;
    at = at > f->frozen_until ? at : f->frozen_until;
    return at > sim.now ? at : sim.now;
}

const struct far_end *far_ends_undone(void) {
    for (int i = 0; i < FAR_ENDS; i++)
        if (far_ends[i].dead || !far_ends[i].program->is_done(&far_ends[i]))
            return &far_ends[i];
    return NULL;
}
