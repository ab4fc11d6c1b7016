/* geo.c - GeoJSON geometries without real numbers.
 *
 * Coordinates are integers of 1e-7 degrees (about a centimetre) or decimal texts; both come out as
 * the integer, so that one place has one canonical form. Longitude comes first, as in GeoJSON.
 *
 * Two mistakes must not pass, for "no tunnel is near" would be the answer about a place that nobody meant:
 * latitude first, which the city's bounds show, and degrees as JSON's integers: where JavaScript has 51.0 it
 * writes 51, which here would be 51e-7 degrees.
 */
#include "body.h"

#include <string.h>

enum { DEGREE = 10000000, DECIMALS = 7, READS_LIKE_DEGREES = 180 };

/* How deep the coordinates nest; each line of positions has at least `min`; rings end where they begin. */
static const struct geometry {
    const char *name;
    int depth;
    size_t min;
    bool ring;
} geometries[] = {
    {"Point", 0, 0, false},  {"MultiPoint", 1, 1, false},      {"LineString", 1, 2, false},
    {"Polygon", 2, 4, true}, {"MultiLineString", 2, 2, false}, {"MultiPolygon", 3, 4, true},
};

struct position {
    int64_t longitude, latitude;
};

bool degrees_parse(est_slice text, int64_t *ret) {
    char folded[32];
    size_t size = ident_fold_digits(text, folded, sizeof folded - 1), at = 0, whole, fraction = 0;
    folded[size] = '\0';
    bool minus = folded[0] == '-';
    at += minus;
    whole = strspn(folded + at, "0123456789");
    int64_t value = 0;
    if (whole < 1 || whole > 3)
        return false;
    for (size_t i = 0; i < whole; i++)
        value = value * 10 + folded[at++] - '0';
    if (folded[at] == '.')
        fraction = strspn(folded + ++at, "0123456789");
    if (at + fraction != size || (fraction == 0 && folded[size ? size - 1 : 0] == '.'))
        return false;
    for (size_t i = 0; i < DECIMALS; i++)
        value = value * 10 + (i < fraction ? folded[at + i] - '0' : 0);
    if (fraction > DECIMALS && folded[at + DECIMALS] >= '5')
        value++;
    *ret = minus ? -value : value;
    return true;
}

static void coordinate_check(struct check *check, const struct path *path, struct cursor *cursor,
                             int64_t most, int64_t *ret) {
    enum kind kind = cursor_peek(cursor);
    est_slice text, skipped;
    bool good;
    if (kind == KIND_TEXT) {
        good = cursor_text(cursor, EST_BODY_MAX, &text) && degrees_parse(text, ret);
    } else if (kind == KIND_UINT || kind == KIND_INT) {
        struct cursor before = *cursor;
        good = cursor_int(cursor, ret);
        if (!good) { /* above 2^63-1 */
            *cursor = before;
            value_skip(cursor, &skipped);
        }
    } else {
        defect_type(check, path, "a decimal text of degrees or a whole number of 1e-7 degrees", cursor);
        return;
    }
    bool is_near_0 = good && *ret != 0 && *ret >= -READS_LIKE_DEGREES && *ret <= READS_LIKE_DEGREES;
    if (is_near_0 && !check->is_kept)
        defect_add(check, path, "range",
                   "reads like degrees, and a whole number counts 1e-7 of them; write a decimal text such as "
                   "\"51.389\", or 513890000");
    else if (good && *ret >= -most * DEGREE && *ret <= most * DEGREE)
        pack_int(check->out, *ret);
    else
        defect_add(check, path, good ? "range" : "format",
                   "must be degrees from -%d to %d, as a decimal text or a whole number of 1e-7 degrees",
                   (int)most, (int)most);
}

/* One position beyond the bounds tells it for the whole geometry. */
static void bounds_check(struct check *check, const struct path *path, const struct position *at) {
    const struct bounds *b = check->bounds;
    if (!b || (at->longitude >= b->west && at->longitude <= b->east && at->latitude >= b->south &&
               at->latitude <= b->north))
        return;
    defect_add(check, path, "range",
               "lies outside the city (longitude %.7g to %.7g, latitude %.7g to %.7g); is latitude first?",
               (double)b->west / DEGREE, (double)b->east / DEGREE, (double)b->south / DEGREE,
               (double)b->north / DEGREE);
    check->bounds = NULL;
}

static void position_check(struct check *check, const struct path *path, struct cursor *cursor,
                           struct position *ret) {
    size_t count;
    est_slice skipped;
    if (cursor_peek(cursor) != KIND_ARRAY) {
        defect_type(check, path, "a list of longitude and latitude", cursor);
        return;
    }
    struct cursor before = *cursor;
    if (!cursor_array(cursor, EST_BODY_MAX, &count))
        return;
    if (count != 2) {
        *cursor = before;
        defect_add(check, path, "length", "a position has exactly a longitude and a latitude");
        value_skip(cursor, &skipped);
        return;
    }
    struct path first = {.up = path, .index = 0}, second = {.up = path, .index = 1};
    size_t defects = check->defects->count;
    pack_array(check->out, 2);
    coordinate_check(check, &first, cursor, 180, &ret->longitude);
    coordinate_check(check, &second, cursor, 90, &ret->latitude);
    if (check->defects->count == defects && !cursor->bad)
        bounds_check(check, path, ret);
}

/* A line or ring of positions. */
static void line_check(struct check *check, const struct path *path, const struct geometry *geometry,
                       struct cursor *cursor, size_t count) {
    struct position begin = {0, 0}, end = {0, 0};
    size_t before = check->defects->count;
    for (size_t i = 0; i < count && !cursor->bad; i++) {
        struct path here = {.up = path, .index = i};
        position_check(check, &here, cursor, i == 0 ? &begin : &end);
    }
    if (count < geometry->min)
        defect_add(check, path, "length", "has %zu positions; a %s needs at least %zu", count, geometry->name,
                   geometry->min);
    else if (geometry->ring && check->defects->count == before &&
             (begin.longitude != end.longitude || begin.latitude != end.latitude))
        defect_add(check, path, "format", "a ring must end at the position where it begins");
}

/* At most three levels: the table's, never the body's. */
static void coordinates_check(struct check *check, const struct path *path, const struct geometry *geometry,
                              int depth, struct cursor *cursor) {
    struct position point;
    size_t count;
    if (depth == 0) {
        position_check(check, path, cursor, &point);
        return;
    }
    if (cursor_peek(cursor) != KIND_ARRAY) {
        defect_type(check, path, "a list", cursor);
        return;
    }
    if (!cursor_array(cursor, EST_BODY_MAX, &count))
        return;
    pack_array(check->out, count);
    if (depth == 1) {
        line_check(check, path, geometry, cursor, count);
        return;
    }
    if (count == 0)
        defect_add(check, path, "length", "is empty");
    for (size_t i = 0; i < count && !cursor->bad; i++) {
        struct path here = {.up = path, .index = i};
        coordinates_check(check, &here, geometry, depth - 1, cursor);
    }
}

static const struct geometry *geometry_take(struct check *check, const struct path *path, est_slice value) {
    struct cursor cursor;
    est_slice name;
    cursor_init(&cursor, value);
    if (!text_take(check, path, "text", &cursor, &name))
        return NULL;
    for (size_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++) {
        if (slice_equal(name, slice_of(geometries[i].name)))
            return &geometries[i];
    }
    defect_add(check, path, "choice",
               "must be one of: Point, MultiPoint, LineString, Polygon, MultiLineString, MultiPolygon");
    return NULL;
}

void geo_check(struct check *check, const struct path *path, const struct field *field,
               struct cursor *cursor) {
    static const struct field parts[] = {{.name = "type"}, {.name = "coordinates"}};
    est_slice values[2];
    struct path paths[2] = {{path, {"type", 4}, 0}, {path, {"coordinates", 11}, 0}};
    if (!map_cut(check, path, parts, 2, cursor, values))
        return;
    for (int i = 0; i < 2; i++) {
        if (values[i].size == 0)
            defect_add(check, &paths[i], "missing", "the field is missing");
    }
    if (values[0].size == 0 || values[1].size == 0)
        return;
    const struct geometry *geometry = geometry_take(check, &paths[0], values[0]);
    if (!geometry)
        return;
    struct cursor coordinates;
    check->bounds = check->city != NULL && check->city->is_bounded && !field->anywhere && !check->is_kept ? &check->city->bounds : NULL;
    cursor_init(&coordinates, values[1]);
    pack_map(check->out, 2);
    pack_cstr(check->out, "type");
    pack_cstr(check->out, geometry->name);
    pack_cstr(check->out, "coordinates");
    coordinates_check(check, &paths[1], geometry, geometry->depth, &coordinates);
}
