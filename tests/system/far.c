/* far.c - a client of the public API whose events are kept, whole, until a test asks for them. */
#include "harness.h"
#include "registry.h"

#include <stdlib.h>
#include <string.h>

struct note {
    est_event event;
    char *bytes; /* what the event's slices point into */
    bool taken;
};

/* --- Opening --------------------------------------------------------------------------------------- */

est_options far_options(struct town *town, const char *account, unsigned results) {
    const struct town_account *a = town_account(town, account);
    return (est_options){.endpoints = {town->endpoints[a->door]},
                         .server_key = town->options.plain ? NULL : town->server.public_key,
                         .public_key = a->key.public_key,
                         .secret_key = a->key.secret_key,
                         .account = a->name,
                         .software = "system test",
                         .window = EST_WINDOW_MAX,
                         .results = results,
                         .reconnect_first = {10 * EST_US_PER_MS},
                         .reconnect_max = {100 * EST_US_PER_MS}};
}

struct far *far_open_with(const est_options *options) {
    struct far *far = calloc(1, sizeof *far);
    assert_non_null(far);
    fars_add(far);
    assert_int_equal(est_client_open(options, &far->client), 0);
    return far;
}

struct far *far_open(struct town *town, const char *account, unsigned results) {
    est_options options = far_options(town, account, results);
    struct far *far = far_open_with(&options);
    far_wait(far, EST_EVENT_CONNECTED);
    return far;
}

void far_close(struct far **at) {
    struct far *far = *at;
    *at = NULL;
    if (!far)
        return;
    fars_remove(far);
    est_client_close(&far->client);
    for (size_t i = 0; i < far->count; i++) {
        free(far->notes[i]->bytes);
        free(far->notes[i]);
    }
    free(far->notes);
    free(far);
}

/* --- Events ---------------------------------------------------------------------------------------- */

static void event_copy(struct note *note, const est_event *event) {
    note->event = *event;
    est_event *e = &note->event;
    est_slice *const slices[] = {&e->text,        &e->tracking, &e->account, &e->type,   &e->department,
                                 &e->purpose,     &e->case_id,  &e->holder,  &e->reason, &e->legal_ref,
                                 &e->valid_until, &e->signer,   &e->request, &e->body,   &e->rows};
    size_t size = 1;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        size += slices[i]->size;
    char *at = note->bytes = malloc(size);
    assert_non_null(at);
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        if (slices[i]->size > 0)
            memcpy(at, slices[i]->data, slices[i]->size);
        slices[i]->data = at;
        at += slices[i]->size;
    }
}

bool far_poll(struct far *far, int timeout_ms) {
    est_event event;
    bool any = false;
    while (est_client_poll(far->client, any ? 0 : timeout_ms, &event)) {
        if (far->count == far->capacity) {
            far->capacity = far->capacity * 2 + 64;
            far->notes = realloc(far->notes, far->capacity * sizeof *far->notes);
            assert_non_null(far->notes);
        }
        struct note *note = calloc(1, sizeof *note);
        assert_non_null(note);
        event_copy(note, &event);
        far->notes[far->count++] = note;
        any = true;
    }
    return any;
}

static bool fits(const struct note *note, const struct want *want) {
    const est_event *e = &note->event;
    return !note->taken && e->kind == want->kind &&
           (!want->id || memcmp(want->id, &e->id, sizeof e->id) == 0) &&
           (!want->ref || want->ref == e->ref) && (!want->number || want->number == e->number);
}

static const est_event *note_take(struct far *far, const struct want *want, size_t *from) {
    for (; *from < far->count; (*from)++) {
        struct note *note = far->notes[*from];
        if (!fits(note, want))
            continue;
        note->taken = true;
        return &note->event;
    }
    return NULL;
}

void far_forget(struct far *far) {
    size_t kept = 0;
    for (size_t i = 0; i < far->count; i++) {
        struct note *note = far->notes[i];
        if (!note->taken) {
            far->notes[kept++] = note;
            continue;
        }
        free(note->bytes);
        free(note);
    }
    far->count = kept;
}

static void late(const struct far *far, const struct want *want) {
    const est_event *last = far->count ? &far->notes[far->count - 1]->event : &(est_event){0};
    fail_msg("no event of kind %d came in time; the last one was of kind %d, %s: %.*s", (int)want->kind,
             (int)last->kind, est_code_name(last->code), (int)last->text.size, (const char *)last->text.data);
}

const est_event *far_peek(struct far *far, struct want want) {
    size_t from = 0;
    return note_take(far, &want, &from);
}

const est_event *far_take(struct far *far, struct want want) {
    int64_t until = now_ms() + WAIT_MS;
    const est_event *event;
    size_t from = 0;
    while (!(event = note_take(far, &want, &from))) {
        int64_t left = until - now_ms();
        if (left <= 0)
            late(far, &want);
        far_poll(far, (int)left);
    }
    return event;
}

/* --- What tests ask most ---------------------------------------------------------------------------- */

void far_ask(struct far *far, const char *type, const char *parcel, const char *note, const est_id *id,
             est_time deadline) {
    est_body *body = est_body_new();
    assert_non_null(body);
    est_body_text(body, "nz", parcel);
    if (note)
        est_body_text(body, "note", note);
    est_submit submit = {.id = *id, .type = type, .purpose = "permit", .deadline = deadline};
    assert_int_equal(est_body_slice(body, &submit.body), 0);
    assert_int_equal(est_client_submit(far->client, &submit), 0);
    est_body_free(&body);
}

void far_ack(struct far *far, uint64_t number) {
    assert_int_equal(est_client_ack(far->client, number), 0);
    while (far_status(far, NULL, number)->acked.us == 0)
        continue;
}

uint64_t far_submit(struct far *far, const char *type, const char *parcel, est_id *ret_id) {
    est_id id;
    est_id_new(&id);
    far_ask(far, type, parcel, NULL, &id, (est_time){0});
    uint64_t number = far_wait(far, EST_EVENT_ACCEPTED, .id = &id)->number;
    if (ret_id)
        *ret_id = id;
    return number;
}

const est_event *far_status(struct far *far, const est_id *id, uint64_t number) {
    uint64_t ref = ++far->ref;
    assert_int_equal(est_client_status(far->client, ref, id, number, false), 0);
    return far_wait(far, EST_EVENT_STATUS, .ref = ref);
}

uint64_t far_stat(struct far *far, const char *name) {
    uint64_t ref = ++far->ref;
    assert_int_equal(est_client_stats(far->client, ref), 0);
    const est_event *event = far_wait(far, EST_EVENT_STATS, .ref = ref);
    est_stat_row row;
    for (size_t i = 0; est_row_stat(event, i, &row); i++)
        if (text_is(row.name, name))
            return row.value;
    return 0;
}

void far_stat_wait(struct far *far, const char *name, uint64_t least) {
    int64_t until = now_ms() + WAIT_MS;
    uint64_t value;
    while ((value = far_stat(far, name)) < least)
        if (now_ms() > until)
            fail_msg("%s stays at %llu", name, (unsigned long long)value);
}

bool text_is(est_slice text, const char *is) {
    return text.size == strlen(is) && memcmp(text.data, is, text.size) == 0;
}

bool text_has(est_slice text, const char *part) {
    return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}
