/* filter.c - filters as people type them.
 *
 * The first byte says whether the city's parcel rule is known; the rest is the filter.
 */
#include "fuzz.h"
#include "codec.h"
#include "filter.h"

#include <string.h>

static const struct parcel_rule tehran = {.parts = 7,
                                          .district_part = 1,
                                          .digits_max = 5,
                                          .district_first = 1,
                                          .district_last = 22,
                                          .hierarchy = true,
                                          .file_digits = 11};

static void values_look(const struct filter *f) {
    for (size_t t = 0; t < f->terms_count; t++) {
        const struct filter_term *term = &f->terms[t];
        CLAIM(term->field < FILTER_FIELDS && term->count > 0 && term->first + term->count <= f->values_count,
              "a term without a field or values");
        for (size_t v = term->first; v < term->first + term->count; v++) {
            const struct filter_value *value = &f->values[v];
            const char *text = value->text.data;
            CLAIM(value->text.size > 0 && text[value->text.size] == '\0', "a value without text");
            CLAIM(value->from.us < value->until.us, "an empty stretch of time");
        }
    }
}

static bool values_equal(const struct filter *a, const struct filter *b) {
    if (a->terms_count != b->terms_count || a->values_count != b->values_count)
        return false;
    for (size_t t = 0; t < a->terms_count; t++)
        if (a->terms[t].field != b->terms[t].field || a->terms[t].negated != b->terms[t].negated ||
            a->terms[t].first != b->terms[t].first || a->terms[t].count != b->terms[t].count)
            return false;
    for (size_t v = 0; v < a->values_count; v++) {
        const struct filter_value *x = &a->values[v], *y = &b->values[v];
        if (!slice_equal(x->text, y->text) || x->number != y->number || x->from.us != y->from.us ||
            x->until.us != y->until.us || x->prefix != y->prefix || memcmp(&x->id, &y->id, sizeof x->id) != 0)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct filter once, again;
    char why[FILTER_WHY_SIZE] = "", text[FILTER_CANONICAL_MAX + 1], second[FILTER_CANONICAL_MAX + 1];
    if (size == 0 || size > FILTER_TEXT_MAX + 1)
        return 0;
    const struct parcel_rule *rule = data[0] & 1 ? &tehran : NULL;
    int rc = filter_parse((est_slice){data + 1, size - 1}, rule, &once, why);
    CLAIM(rc == 0 || rc == -EST_INVALID_FIELD, "a code of its own");
    if (rc) {
        CLAIM(why[0] && memchr(why, 0, sizeof why), "refused without a reason");
        return 0;
    }
    values_look(&once);
    size_t written = filter_format(&once, text);
    CLAIM(written <= FILTER_CANONICAL_MAX && utf8_is_valid((est_slice){text, written}),
          "canonical text is no text");
    CLAIM(filter_parse((est_slice){text, written}, rule, &again, why) == 0,
          "its own canonical text is refused");
    CLAIM(values_equal(&once, &again), "the canonical text means something else");
    CLAIM(filter_format(&again, second) == written && memcmp(text, second, written) == 0,
          "two canonical texts");
    return 0;
}
