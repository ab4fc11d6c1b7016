/* world.c - a session and an imagined broker, told as text. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message said_scratch;

struct world *world_new(const struct session_options *options) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->now.us = 1000000000;
    buffer_init(&w->said);
    buffer_init(&w->frame);
    assert_int_equal(session_new(options, &w->session), 0);
    return w;
}

void world_free(struct world **w) {
    session_free(&(*w)->session);
    buffer_done(&(*w)->said);
    buffer_done(&(*w)->frame);
    free(*w);
    *w = NULL;
}

struct welcome world_welcome(void) {
    return (struct welcome){.version = PROTOCOL_VERSION,
                            .session = 9,
                            .account = slice_of("portal"),
                            .city = slice_of("tehran"),
                            .heartbeat_ms = 5000,
                            .window = 16,
                            .asks_max = 1000,
                            .frame_max = EST_FRAME_MAX,
                            .body_max = EST_BODY_MAX,
                            .lease_ms = 30000,
                            .time_us = 1};
}

void world_connect(struct world *w, const struct welcome *grants) {
    session_connected(w->session, w->now);
    expect_sent(w, "HELLO");
    expect_sent(w, "");
    said_scratch.verb = VERB_WELCOME;
    said_scratch.welcome = *grants;
    world_says(w, &said_scratch);
    world_deliver(w);
    expect_told(w, "UP");
}

void world_says(struct world *w, const struct message *m) {
    if (w->said.size == 0)
        frame_begin(&w->said);
    message_pack(&w->said, m);
}

const char *world_sent(struct world *w) {
    struct cursor c;
    w->sent[0] = 0;
    w->got_count = 0;
    buffer_clear(&w->frame);
    if (!session_take(w->session, w->now, &w->frame))
        return w->sent;
    assert_true(frame_open(&c, buffer_slice(&w->frame)));
    struct message *m = &w->got[0];
    for (int got; (got = message_next(&c, m));) {
        assert_int_equal(got, 1);
        assert_true(verb_direction(m->verb) & TO_BROKER);
        size_t length = strlen(w->sent);
        snprintf(w->sent + length, sizeof w->sent - length, "%s%s", length ? " " : "", verb_name(m->verb));
        if (w->got_count + 1 < WORLD_MESSAGES_MAX)
            m = &w->got[++w->got_count];
    }
    return w->sent;
}

static void event_tell(struct world *w, const struct session_event *e, char *to, size_t size) {
    const char *name = e->code ? est_code_name(e->code) : "";
    unsigned long long number = e->number, epoch = e->epoch, ref = e->ref;
    switch (e->kind) {
    case SESSION_UP:
        snprintf(to, size, "UP");
        return;
    case SESSION_DOWN:
        snprintf(to, size, "DOWN %s", name);
        return;
    case SESSION_ANSWER:
        if (e->message->verb == VERB_ACCEPTED)
            snprintf(to, size, "ACCEPTED #%llu", number);
        else
            snprintf(to, size, "%s ref %llu", verb_name(e->message->verb), ref);
        return;
    case SESSION_REFUSED:
        if (e->epoch)
            snprintf(to, size, "REFUSED %s #%llu/%llu", name, number, epoch);
        else if (e->ref)
            snprintf(to, size, "REFUSED %s ref %llu", name, ref);
        else
            snprintf(to, size, "REFUSED %s id %u", name, e->id.bytes[15]);
        return;
    case SESSION_RESULT:
        snprintf(to, size, "RESULT #%llu", number);
        return;
    case SESSION_WORK:
        w->lease = e->lease;
        snprintf(to, size, "WORK #%llu/%llu", number, epoch);
        return;
    case SESSION_RECORDED:
        snprintf(to, size, "RECORDED #%llu/%llu", number, epoch);
        return;
    case SESSION_LOST:
        w->work = e->work;
        snprintf(to, size, "LOST %s #%llu/%llu", name, number, epoch);
        return;
    }
}

/* Everything since the last call of world_told. */
static void drain(struct world *w) {
    struct session_event event;
    if (w->told_is_read)
        w->told[0] = 0;
    w->told_is_read = false;
    while (session_next(w->session, w->now, &event)) {
        size_t at = strlen(w->told);
        if (at > 0)
            at += (size_t)snprintf(w->told + at, sizeof w->told - at, "; ");
        event_tell(w, &event, w->told + at, sizeof w->told - at);
        if (event.text.size)
            snprintf(w->text, sizeof w->text, "%.*s", (int)event.text.size, (const char *)event.text.data);
    }
}

const char *world_told(struct world *w) {
    drain(w);
    w->told_is_read = true;
    return w->told;
}

/* The frame is copied to where every byte beyond it is out of bounds. */
void world_deliver(struct world *w) {
    uint8_t *frame = malloc(w->said.size);
    assert_non_null(frame);
    memcpy(frame, w->said.data, w->said.size);
    est_slice slice = {frame, w->said.size};
    session_frame(w->session, w->now, slice);
    drain(w); /* before the frame goes */
    free(frame);
    buffer_clear(&w->said);
}

void world_pass_ms(struct world *w, int64_t ms) {
    w->now.us += ms * EST_US_PER_MS;
    session_tick(w->session, w->now);
}

est_id id_of(unsigned number) {
    est_id id = {{1}};
    for (int i = 0; i < 4; i++)
        id.bytes[15 - i] = (uint8_t)(number >> 8 * i);
    return id;
}

struct submit submit_of(unsigned number) {
    return (struct submit){
        .id = id_of(number), .type = slice_of("nosazi.bedehi"), .purpose = slice_of("permit")};
}
