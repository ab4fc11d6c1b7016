/* body.c - bodies checked against the types of Tehran's catalogue.
 *
 * The first line says against what, the rest is msgpack:
 *
 *     nosazi.bedehi request
 *     nosazi.bedehi negative debt-open 1404/01/01
 *
 * A type that the catalogue does not have stands for one that it has, so that changed names are
 * no lost work. What is accepted is canonical: checked again it comes out with the same bytes. What is
 * refused leaves nothing behind and has defects that may be sent.
 */
#include "fuzz.h"
#include "catalogue.h"

#include <string.h>

static struct catalogue *tehran;

static void tehran_load(void) {
    static struct complaints complaints;
    if (!tehran)
        catalogue_load_city(FUZZ_DEPLOY "/tehran", &tehran, &complaints);
    CLAIM(tehran, "Tehran's catalogue does not load");
}

static const struct ctype *type_pick(est_slice name) {
    const struct ctype *type = catalogue_type(tehran, name);
    size_t sum = 0;
    for (size_t i = 0; i < name.size; i++)
        sum = sum * 31 + ((const uint8_t *)name.data)[i];
    return type ? type : &tehran->types[sum % tehran->types_count];
}

/* What is checked, and what came of it. */
struct run {
    const struct ctype *type;
    bool is_request;
    uint64_t outcome;
    est_slice reason, valid_until;

    struct buffer out;
    unsigned district;
    char date[11];
    struct defects defects;
};

static struct run run_read(est_slice line) {
    struct run run = {.type = type_pick(fuzz_word(&line))};
    est_slice word = fuzz_word(&line);
    run.is_request = fuzz_is(word, "request");
    run.outcome = est_outcome_parse(word);
    run.reason = fuzz_word(&line);
    run.valid_until = line;
    return run;
}

static const est_time now = {INT64_C(1767225600) * EST_US_PER_S}; /* 1404/10/11 */

/* The output begins with a byte of somebody else's. */
static bool run_check(struct run *run, est_slice body) {
    buffer_init(&run->out);
    pack_nil(&run->out);
    if (run->is_request)
        return ctype_check_request(run->type, &tehran->city, now, body, &run->out, &run->district, &run->defects);
    return ctype_check_reply(run->type, &tehran->city, now, run->outcome, run->reason, run->valid_until, body,
                             &run->out, run->date, &run->defects);
}

static est_slice run_body(const struct run *run) {
    return (est_slice){run->out.data + 1, run->out.size - 1};
}

static bool text_is_sound(const char *text, size_t room) {
    size_t size = strnlen(text, room);
    return size < room && utf8_is_valid((est_slice){text, size});
}

static void refusal_is_told(const struct run *run) {
    const struct defects *defects = &run->defects;
    CLAIM(run->out.size == 1, "a refused body left bytes behind");
    CLAIM(defects->count > 0 && defects->kept > 0, "a body was refused without a defect");
    CLAIM(defects->kept <= EST_DEFECTS_MAX && defects->kept <= defects->count,
          "more defects than there is room");
    for (size_t i = 0; i < defects->kept; i++) {
        const est_defect *d = &defects->at[i];
        CLAIM(d->kind[0] && d->text[0], "a defect says nothing");
        CLAIM(text_is_sound(d->path, sizeof d->path) && text_is_sound(d->kind, sizeof d->kind) &&
                  text_is_sound(d->text, sizeof d->text),
              "a defect cannot be sent");
    }
}

static void output_is_canonical(const struct run *run) {
    struct cursor c;
    est_slice value;
    cursor_init(&c, run_body(run));
    CLAIM(run->defects.count == 0, "an accepted body has defects");
    CLAIM(cursor_value(&c, &value) && cursor_left(&c) == 0, "the canonical body is not one value");
    CLAIM(run_body(run).size <= EST_BODY_MAX, "the canonical body is larger than a body may be");
    struct run again = *run;
    memset(&again.defects, 0, sizeof again.defects);
    if (!run->is_request)
        again.valid_until = slice_of(run->date);
    CLAIM(run_check(&again, run_body(run)), "the canonical body is refused");
    CLAIM(slice_equal(run_body(run), run_body(&again)), "the canonical body changes when checked again");
    CLAIM(again.district == run->district, "the district changes when checked again");
    CLAIM(strcmp(again.date, run->date) == 0, "the date changes when checked again");
    buffer_done(&again.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    est_slice body = {data, size};
    tehran_load();
    struct run run = run_read(fuzz_line(&body));
    if (run_check(&run, body))
        output_is_canonical(&run);
    else
        refusal_is_told(&run);
    buffer_done(&run.out);
    return 0;
}
