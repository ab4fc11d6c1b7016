/* subject.c - see subject.h. The walk is as deep as the schema, whatever the body nests. */
#include "subject.h"

struct walk {
    void (*each)(void *, enum field_kind, est_slice);
    void *arg;
};

static void map_walk(const struct walk *, const struct schema *, struct cursor *);

static const struct field *field_find(const struct schema *schema, est_slice name) {
    for (size_t i = 0; i < schema->count; i++)
        if (slice_equal(name, slice_of(schema->fields[i].name)))
            return &schema->fields[i];
    return NULL;
}

static void value_walk(const struct walk *w, const struct field *field, struct cursor *c) {
    est_slice text;
    struct schema parts = field_parts(field);
    if ((field->kind == FIELD_NZ || field->kind == FIELD_NID) && cursor_peek(c) == KIND_TEXT) {
        if (cursor_text(c, IDENT_MAX, &text))
            w->each(w->arg, field->kind, text);
    } else if (parts.count > 0 && cursor_peek(c) == KIND_MAP) {
        map_walk(w, &parts, c);
    } else {
        cursor_value(c, &text);
    }
}

static void field_walk(const struct walk *w, const struct field *field, struct cursor *c) {
    size_t count;
    if (!field->list || cursor_peek(c) != KIND_ARRAY) {
        value_walk(w, field, c);
        return;
    }
    if (cursor_array(c, EST_ITEMS_MAX, &count))
        for (size_t i = 0; i < count && !c->bad; i++)
            value_walk(w, field, c);
}

static void map_walk(const struct walk *w, const struct schema *schema, struct cursor *c) {
    size_t pairs;
    est_slice name, skipped;
    if (!cursor_map(c, EST_ITEMS_MAX, &pairs))
        return;
    for (size_t i = 0; i < pairs && cursor_text(c, EST_BODY_MAX, &name); i++) {
        const struct field *field = field_find(schema, name);
        if (field)
            field_walk(w, field, c);
        else
            cursor_value(c, &skipped);
    }
}

void subject_each(const struct schema *schema, est_slice body,
                  void (*each)(void *, enum field_kind, est_slice), void *arg) {
    struct walk walk = {each, arg};
    struct cursor cursor;
    cursor_init(&cursor, body);
    cursor.text_is_good = true; /* the broker looked through it before it took it */
    map_walk(&walk, schema, &cursor);
}
