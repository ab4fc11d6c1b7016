/* body_test.c - bodies against a type's fields: what is canonical, and every defect with its path. */
#include "catalogue.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct city city = {
    .name = "tehran",
    .parcel = {.parts = 7,
               .district_part = 1,
               .digits_max = 5,
               .district_first = 1,
               .district_last = 22,
               .hierarchy = true,
               .file_digits = 11},
    .districts_last = 22,
    .purposes = {"permit", "transfer"},
    .purposes_count = 2,
};

#define HEAD(name)                                                                                           \
    "{\"name\":\"" name "\",\"title\":{\"fa\":\"ن\",\"en\":\"t\"},\"owner\":\"o\",\"answerer\":\"a\","      \
    "\"operator\":\"p\",\"mode\":\"automatic\",\"purposes\":\"all\",\"target\":\"5 s\",\"expires\":\"30 "    \
    "d\","                                                                                                   \
    "\"silence\":\"escalate\",\"legal_basis\":{\"title\":\"t\",\"mark\":\"U\"},"

/* One optional field of every kind, so that each can be tried alone. */
static const char wide_definition[] = HEAD(
    "test.wide") "\"outcomes\":[\"positive\",\"negative\",\"no-record\"],"
                 "\"reasons\":{\"debt-open\":{\"fa\":\"ب\",\"en\":\"d\"},\"blocked\":{\"fa\":\"م\",\"en\":"
                 "\"b\"}},"
                 "\"request\":{"
                 "\"nz\":{\"kind\":\"nz\"},"
                 "\"nid\":{\"kind\":\"nid\",\"required\":false},\"lid\":{\"kind\":\"lid\",\"required\":false}"
                 ","
                 "\"pc\":{\"kind\":\"pc\",\"required\":false},\"fn\":{\"kind\":\"fn\",\"required\":false},"
                 "\"plq\":{\"kind\":\"plq\",\"required\":false},\"geo\":{\"kind\":\"geo\",\"required\":false}"
                 ","
                 "\"m2\":{\"kind\":\"m2\",\"required\":false,\"max\":1000},\"rial\":{\"kind\":\"rial\","
                 "\"required\":false},"
                 "\"n\":{\"kind\":\"int\",\"required\":false,\"min\":-5,\"max\":5},"
                 "\"b\":{\"kind\":\"bool\",\"required\":false},\"jd\":{\"kind\":\"jd\",\"required\":false},"
                 "\"use\":{\"kind\":\"enum\",\"required\":false,\"choices\":[\"home\",\"shop\"]},"
                 "\"doc\":{\"kind\":\"doc\",\"required\":false},\"visit\":{\"kind\":\"visit\",\"required\":"
                 "false},"
                 "\"text\":{\"kind\":\"text\",\"required\":false,\"min\":1,\"max\":5},"
                 "\"long\":{\"kind\":\"text\",\"required\":false},"
                 "\"bill\":{\"kind\":\"code\",\"required\":false,\"min\":1,\"max\":13},"
                 "\"docs\":{\"kind\":\"doc\",\"list\":3,\"required\":false},"
                 "\"areas\":{\"kind\":\"record\",\"list\":2,\"required\":false,\"fields\":{"
                 "\"use\":{\"kind\":\"enum\",\"choices\":[\"home\",\"shop\"]},\"m2\":{\"kind\":\"m2\"},"
                 "\"note\":{\"kind\":\"text\",\"required\":false}}}},"
                 "\"reply\":{\"debt\":{\"kind\":\"rial\"},\"years\":{\"kind\":\"int\",\"list\":3,"
                 "\"required\":false}}}";

#define SHA       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SHA_UPPER "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

static const char grouped_definition[] =
    HEAD("test.grouped") "\"outcomes\":[\"positive\"],\"one_of\":[[\"nid\",\"lid\"],[\"lid\",\"fn\",\"plq\"]],\"request\":{"
                         "\"n\":{\"kind\":\"int\"},\"nid\":{\"kind\":\"nid\",\"required\":false},"
                         "\"lid\":{\"kind\":\"lid\",\"required\":false},\"fn\":{\"kind\":\"fn\",\"required\":false},"
                         "\"plq\":{\"kind\":\"plq\",\"required\":false}},\"reply\":{\"n\":{\"kind\":\"int\"}}}";

/* What is required must not be empty; `note` and `ids` may be, and `maybe` is not required. */
static const char needy_definition[] =
    HEAD("test.needy") "\"outcomes\":[\"positive\",\"negative\",\"no-record\"],\"request\":{"
                       "\"name\":{\"kind\":\"text\"},\"note\":{\"kind\":\"text\",\"min\":0},"
                       "\"ref\":{\"kind\":\"code\",\"max\":8},"
                       "\"areas\":{\"kind\":\"record\",\"list\":2,\"fields\":{\"use\":{\"kind\":\"text\"}}},"
                       "\"tags\":{\"kind\":\"text\",\"list\":2},"
                       "\"ids\":{\"kind\":\"nid\",\"list\":{\"min\":0,\"max\":2}},"
                       "\"maybe\":{\"kind\":\"text\",\"required\":false},"
                       "\"from\":{\"kind\":\"jd\",\"required\":false},"
                       "\"to\":{\"kind\":\"jd\",\"required\":false,\"not_before\":\"from\"}},"
                       "\"reply\":{\"txt\":{\"kind\":\"text\"},\"docs\":{\"kind\":\"text\",\"list\":2}}}";

static const est_time now = {INT64_C(1767225600) * EST_US_PER_S}; /* 2026-01-01T00:00:00Z: 1404/10/11 in Tehran */
static struct ctype *wide, *needy, *grouped;
#define PHOTO     "{\"id\":\"1\",\"type\":\"t\",\"sha256\":\"" SHA "\"}"

static struct defects defects;
static struct buffer out;

static int set_up(void **state) {
    (void)state;
    buffer_init(&out);
    int bad = ctype_parse(slice_of(wide_definition), &city, &wide);
    bad = bad ? bad : ctype_parse(slice_of(grouped_definition), &city, &grouped);
    return bad ? bad : ctype_parse(slice_of(needy_definition), &city, &needy);
}

static int tear_down(void **state) {
    (void)state;
    ctype_free(&wide);
    ctype_free(&needy);
    ctype_free(&grouped);
    buffer_done(&out);
    return 0;
}

static void pack_json(const char *text, struct buffer *ret) {
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s: %s", text, error.text);
    assert_true(json_to_msgpack(json, ret));
    json_decref(json);
}

static bool check_slice(est_slice body, unsigned *ret_district) {
    buffer_clear(&out);
    return ctype_check_request(wide, &city, now, body, &out, ret_district, &defects);
}

static bool check_json(const char *text) {
    struct buffer body;
    unsigned district = 0;
    buffer_init(&body);
    pack_json(text, &body);
    bool good = check_slice(buffer_slice(&body), &district);
    buffer_done(&body);
    return good;
}

static void assert_out(const char *expected) {
    json_t *json = json_from_msgpack(buffer_slice(&out));
    assert_non_null(json);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

/* Every body here is `nz` and one more field. */
static void each_kind_comes_out_canonical(void **state) {
    (void)state;
    static const char *const table[][2] = {
        {"\"nid\":\"۰49٩٣7۰۸9۹\"", "\"nid\":\"0499370899\""},
        {"\"lid\":\"۱۰۳۸۰۲۸۴۷۹۰\"", "\"lid\":\"10380284790\""},
        {"\"pc\":\"١١٩٣٦٥٣٤٧١\"", "\"pc\":\"1193653471\""},
        {"\"fn\":\"۲۲001840320\"", "\"fn\":\"22001840320\""},
        {"\"plq\":{\"sub\":\"٣\",\"main\":\"۱۲۳ فرعی\"}", "\"plq\":{\"main\":\"123 فرعی\",\"sub\":\"3\"}"},
        {"\"plq\":{\"main\":\"1\",\"section\":\"2\",\"subsection\":\"4\"}",
         "\"plq\":{\"main\":\"1\",\"section\":\"2\",\"subsection\":\"4\"}"},
        {"\"geo\":{\"coordinates\":[\"51.3890\",\"۳۵.۶۸۹۲\"],\"type\":\"Point\"}",
         "\"geo\":{\"type\":\"Point\",\"coordinates\":[513890000,356892000]}"},
        {"\"geo\":{\"type\":\"Point\",\"coordinates\":[513890000,\"-0.12345678901\"]}",
         "\"geo\":{\"type\":\"Point\",\"coordinates\":[513890000,-1234568]}"},
        {"\"geo\":{\"type\":\"MultiPoint\",\"coordinates\":[[\"180\",\"90\"],[\"-180\",\"-90\"]]}",
         "\"geo\":{\"type\":\"MultiPoint\",\"coordinates\":[[1800000000,900000000],[-1800000000,-900000000]]"
         "}"},
        {"\"geo\":{\"type\":\"LineString\",\"coordinates\":[[1000,2000],[3000,4000]]}",
         "\"geo\":{\"type\":\"LineString\",\"coordinates\":[[1000,2000],[3000,4000]]}"},
        {"\"geo\":{\"type\":\"Polygon\",\"coordinates\":[[[1000,1000],[2000,1000],[2000,2000],[\"0.0001\",\"0.0001\"]]]}",
         "\"geo\":{\"type\":\"Polygon\",\"coordinates\":[[[1000,1000],[2000,1000],[2000,2000],[1000,1000]]]}"},
        {"\"geo\":{\"type\":\"MultiLineString\",\"coordinates\":[[[1000,1000],[2000,1000]]]}",
         "\"geo\":{\"type\":\"MultiLineString\",\"coordinates\":[[[1000,1000],[2000,1000]]]}"},
        {"\"geo\":{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1000,1000],[2000,1000],[2000,2000],[1000,1000]]]]}",
         "\"geo\":{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1000,1000],[2000,1000],[2000,2000],[1000,1000]]]]}"},
        {"\"geo\":{\"type\":\"Point\",\"coordinates\":[0,181]}",
         "\"geo\":{\"type\":\"Point\",\"coordinates\":[0,181]}"},
        {"\"m2\":0", "\"m2\":0"},
        {"\"m2\":1000", "\"m2\":1000"},
        {"\"rial\":9223372036854775807", "\"rial\":9223372036854775807"},
        {"\"n\":-5", "\"n\":-5"},
        {"\"n\":5", "\"n\":5"},
        {"\"b\":false", "\"b\":false"},
        {"\"jd\":\"۱۴۰۳-۱۲-۳۰\"", "\"jd\":\"1403/12/30\""},
        {"\"use\":\"shop\"", "\"use\":\"shop\""},
        {"\"doc\":{\"sha256\":\"" SHA_UPPER "\",\"type\":\"plan\",\"id\":\"p-1\"}",
         "\"doc\":{\"id\":\"p-1\",\"type\":\"plan\",\"sha256\":\"" SHA "\"}"},
        {"\"visit\":{\"engineer_no\":\"۱۷\",\"at\":\"۱۴۰۴/۰۱/"
         "۳۱\",\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,2000]},"
         "\"photos\":[{\"id\":\"1\",\"type\":\"jpeg\",\"sha256\":\"" SHA "\"}]}",
         "\"visit\":{\"engineer_no\":\"17\",\"at\":\"1404/01/"
         "31\",\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,2000]},"
         "\"photos\":[{\"id\":\"1\",\"type\":\"jpeg\",\"sha256\":\"" SHA "\"}]}"},
        {"\"visit\":{\"engineer_no\":\"17\",\"at\":\"2026-01-01T01:00:00.250+03:30\",\"geo\":{\"type\":"
         "\"Point\","
         "\"coordinates\":[1000,2000]},\"photos\":[{\"id\":\"1\",\"type\":\"jpeg\",\"sha256\":\"" SHA "\"}]}",
         "\"visit\":{\"engineer_no\":\"17\",\"at\":\"2025-12-31T21:30:00Z\",\"geo\":{\"type\":\"Point\","
         "\"coordinates\":[1000,2000]},\"photos\":[{\"id\":\"1\",\"type\":\"jpeg\",\"sha256\":\"" SHA "\"}]}"},
        {"\"text\":\"متن ۱\"", "\"text\":\"متن ۱\""}, /* digits of free text stay as they were written */
        {"\"bill\":\"\u200f۱۲۳۴۵۰۰۰۱۰۱۱۹ \"", "\"bill\":\"1234500010119\""}, /* long only as it is typed */
        {"\"plq\":{\"main\":\"3467 \"}", "\"plq\":{\"main\":\"3467\"}"},
        {"\"docs\":[]", "\"docs\":[]"},
        {"\"areas\":[{\"m2\":1,\"note\":null,\"use\":\"home\"}]", "\"areas\":[{\"use\":\"home\",\"m2\":1}]"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char body[1024], expected[1024];
        snprintf(body, sizeof body, "{%s,\"nz\":\"۱-1-١-1-0-0-0\"}", table[i][0]);
        snprintf(expected, sizeof expected, "{\"nz\":\"1-1-1-1-0-0-0\",%s}", table[i][1]);
        if (!check_json(body))
            fail_msg("%s refused: %s: %s", body, defects.at[0].path, defects.at[0].text);
        assert_out(expected);
    }
}

struct refusal {
    const char *field, *path, *kind, *says;
};

static const struct refusal refusals[] = {
    {"\"nid\":\"1234567890\"", "nid", "checksum", "check digit"},
    {"\"nid\":1234567891", "nid", "type", "must be text, so that zeros in front are kept, not a number"},
    {"\"nid\":\"1111111111\"", "nid", "format", "repeated"},
    {"\"lid\":\"10380284792\"", "lid", "checksum", "check digit"},
    {"\"pc\":\"0423437584\"", "pc", "format", "never 0 or 2"},
    {"\"fn\":\"23001840320\"", "fn", "format", "district"},
    {"\"plq\":\"1/2\"", "plq", "type", "must be a map, not text"},
    {"\"plq\":{\"sub\":\"1\"}", "plq.main", "missing", "missing"},
    {"\"plq\":{\"main\":\"\"}", "plq.main", "length", "0 characters; 1 to 32"},
    {"\"plq\":{\"main\":\"1\",\"subsec\":\"1\"}", "plq.subsec", "unknown", "no such field"},
    {"\"plq\":{\"main\":7}", "plq.main", "type", "must be text, not a number"},
    {"\"geo\":[1,2]", "geo", "type", "must be a map, not a list"},
    {"\"geo\":{\"type\":\"Point\"}", "geo.coordinates", "missing", "missing"},
    {"\"geo\":{\"coordinates\":[1000,2000]}", "geo.type", "missing", "missing"},
    {"\"geo\":{\"type\":\"Circle\",\"coordinates\":[1000,2000]}", "geo.type", "choice", "Point, MultiPoint"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,2000],\"crs\":1}", "geo.crs", "unknown", "no such field"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,2000,3000]}", "geo.coordinates", "length", "exactly"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[1800000001,2000]}", "geo.coordinates[0]", "range",
     "-180 to 180"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,\"90.1\"]}", "geo.coordinates[1]", "range", "-90 to 90"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,\"35,6\"]}", "geo.coordinates[1]", "format", "decimal"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,\"35.\"]}", "geo.coordinates[1]", "format", "decimal"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,true]}", "geo.coordinates[1]", "type",
     "not true or false"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[51,2000]}", "geo.coordinates[0]", "range", "reads like degrees"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[2000,-180]}", "geo.coordinates[1]", "range",
     "reads like degrees"},
    {"\"geo\":{\"type\":\"Point\",\"coordinates\":[\"0.0000051\",0]}", "geo.coordinates[0]", "range",
     "reads like degrees"},
    {"\"geo\":{\"type\":\"LineString\",\"coordinates\":[[1000,2000]]}", "geo.coordinates", "length", "at least 2"},
    {"\"geo\":{\"type\":\"LineString\",\"coordinates\":[[1000,2000],3000]}", "geo.coordinates[1]", "type", "longitude"},
    {"\"geo\":{\"type\":\"Polygon\",\"coordinates\":[[[1000,1000],[2000,1000],[2000,2000],[1000,2000]]]}", "geo.coordinates[0]",
     "format", "a ring must end"},
    {"\"geo\":{\"type\":\"Polygon\",\"coordinates\":[[[1000,1000],[2000,1000],[1000,1000]]]}", "geo.coordinates[0]", "length",
     "at least 4"},
    {"\"geo\":{\"type\":\"MultiPolygon\",\"coordinates\":[]}", "geo.coordinates", "length", "empty"},
    {"\"geo\":{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1000,1000],[2000,1000],[2000],[1000,1000]]]]}",
     "geo.coordinates[0][0][2]", "length", "exactly"},
    {"\"m2\":-1", "m2", "range", "from 0 to 1000"},
    {"\"m2\":1001", "m2", "range", "from 0 to 1000"},
    {"\"m2\":\"12\"", "m2", "type", "must be a whole number, not text"},
    {"\"rial\":-1", "rial", "range", "from 0"},
    {"\"n\":6", "n", "range", "from -5 to 5"},
    {"\"n\":-6", "n", "range", "from -5 to 5"},
    {"\"b\":1", "b", "type", "must be true or false, not a number"},
    {"\"jd\":\"1404/12/30\"", "jd", "format", "Jalali"},
    {"\"jd\":\"2026-01-01\"", "jd", "format", "Jalali"},
    {"\"jd\":14041229", "jd", "type", "must be text"},
    {"\"use\":\"home \"", "use", "choice", "must be one of: home, shop"},
    {"\"doc\":{\"id\":\"1\",\"type\":\"t\",\"sha256\":\"" SHA "0\"}", "doc.sha256", "format",
     "64 hexadecimal"},
    {"\"doc\":{\"id\":\"1\",\"type\":\"t\",\"sha256\":"
     "\"g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}",
     "doc.sha256", "format", "64 hexadecimal"},
    {"\"doc\":{\"id\":\"1\",\"type\":\"t\"}", "doc.sha256", "missing", "missing"},
    {"\"visit\":{\"engineer_no\":\"1\",\"at\":\"yesterday\",\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,2000]"
     "},"
     "\"photos\":[" PHOTO "]}",
     "visit.at", "format", "2026-01-05T10:30:00+03:30"},
    {"\"visit\":{\"engineer_no\":\"1\",\"at\":\"1404/01/"
     "31\",\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,2000]}}",
     "visit.photos", "missing", "missing"},
    {"\"visit\":{\"engineer_no\":\"1\",\"at\":\"1404/01/"
     "31\",\"geo\":{\"type\":\"Point\",\"coordinates\":[1000,2000]},"
     "\"photos\":[{\"id\":\"1\",\"type\":\"t\"}]}",
     "visit.photos[0].sha256", "missing", "missing"},
    {"\"text\":\"\"", "text", "length", "0 characters; 1 to 5"},
    {"\"text\":\"شش حرف\"", "text", "length", "6 characters; 1 to 5"},
    {"\"text\":\"a\\u0007\"", "text", "format", "control"},
    {"\"bill\":\" \"", "bill", "length", "has 0 characters; 1 to 13"},
    {"\"bill\":\"12345000101190\"", "bill", "length", "has 14 characters; 1 to 13"},
    {"\"bill\":1234500010119", "bill", "type", "must be text, not a number"},
    {"\"text\":null,\"texts\":\"a\"", "texts", "unknown", "did you mean `text`?"},
    {"\"docs\":{}", "docs", "type", "must be a list, not a map"},
    {"\"docs\":[null]", "docs[0]", "type", "must be a map, not nil"},
    {"\"areas\":[{\"use\":\"home\",\"m2\":1},{\"use\":\"home\",\"m2\":1},{\"use\":\"home\",\"m2\":1}]",
     "areas", "length", "has 3 elements; at most 2"},
    {"\"areas\":[{\"use\":\"home\",\"m2\":1},{\"use\":\"home\",\"m2\":\"x\"}]", "areas[1].m2", "type",
     "whole number"},
};

static void each_kind_names_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char body[1024];
        snprintf(body, sizeof body, "{\"nz\":\"1-1-1-1-0-0-0\",%s}", refusals[i].field);
        if (check_json(body))
            fail_msg("%s accepted", body);
        if (defects.count != 1 || strcmp(defects.at[0].path, refusals[i].path) != 0 ||
            strcmp(defects.at[0].kind, refusals[i].kind) != 0 ||
            !strstr(defects.at[0].text, refusals[i].says))
            fail_msg("%s: %zu, %s, %s, %s", body, defects.count, defects.at[0].path, defects.at[0].kind,
                     defects.at[0].text);
        assert_int_equal(out.size, 0);
    }
}

static void all_defects_come_at_once(void **state) {
    (void)state;
    static const char *const expected[][2] = {
        {"nid2", "unknown"}, {"nz", "missing"}, {"nid", "checksum"},    {"plq.main", "missing"},
        {"m2", "range"},     {"use", "choice"}, {"docs[1].id", "type"}, {"docs[1].sha256", "missing"},
    };
    assert_false(check_json("{\"nid\":\"1234567890\",\"nid2\":1,\"plq\":{},\"m2\":-4,\"use\":\"x\",\"docs\":["
                            "{\"id\":\"1\",\"type\":\"t\",\"sha256\":\"" SHA
                            "\"},{\"id\":1,\"type\":\"t\"}]}"));
    assert_int_equal(defects.count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_string_equal(defects.at[i].path, expected[i][0]);
        assert_string_equal(defects.at[i].kind, expected[i][1]);
    }
    assert_string_equal(defects.at[0].text, "the inquiry type has no such field; did you mean `nid`?");
}

static void nil_is_absent(void **state) {
    (void)state;
    assert_true(check_json("{\"nz\":\"1-1-1-1-0-0-0\",\"nid\":null,\"docs\":null}"));
    assert_out("{\"nz\":\"1-1-1-1-0-0-0\"}");
    assert_false(check_json("{\"nz\":null}"));
    assert_string_equal(defects.at[0].path, "nz");
    assert_string_equal(defects.at[0].kind, "missing");
}

static void a_repeated_field_is_a_defect(void **state) {
    (void)state;
    struct buffer body;
    unsigned district;
    buffer_init(&body);
    pack_map(&body, 2);
    for (int i = 0; i < 2; i++) {
        pack_cstr(&body, "nz");
        pack_cstr(&body, "1-1-1-1-0-0-0");
    }
    assert_false(check_slice(buffer_slice(&body), &district));
    assert_int_equal(defects.count, 1);
    assert_string_equal(defects.at[0].path, "nz");
    assert_string_equal(defects.at[0].kind, "duplicate");
    buffer_done(&body);
}

static void the_district_is_the_parcels(void **state) {
    (void)state;
    struct buffer body;
    unsigned district = 99;
    buffer_init(&body);
    pack_json("{\"fn\":\"05001840320\",\"nz\":\"22-1-1-1-0-0-0\"}", &body);
    assert_true(check_slice(buffer_slice(&body), &district));
    assert_int_equal(district, 22);
    buffer_done(&body);
}

/* What the wire layer refuses already, and what only a stranger's agent would send. */
static void broken_bytes_are_a_defect(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *kind;
    } table[] = {
        {"", 0, "type"},
        {"\x81", 1, "format"},
        {"\x90", 1, "type"},
        {"\x81\x01\x02", 3, "type"},
        {"\x81\xa2nz", 4, "format"},
        {"\x81\xa2nz\xa1\xff", 6, "format"},
        {"\x81\xa2nz\xcb\0\0\0\0\0\0\0\0", 13, "format"},
        {"\x81\xa2nz\xdd\xff\xff\xff\xff", 9, "format"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned district = 7;
        assert_false(check_slice((est_slice){table[i].bytes, table[i].size}, &district));
        assert_true(defects.count >= 1);
        assert_string_equal(defects.at[0].kind, table[i].kind);
        assert_int_equal(district, 7);
        assert_int_equal(out.size, 0);
    }
    struct buffer body;
    unsigned district;
    buffer_init(&body);
    pack_json("{\"nz\":\"1-1-1-1-0-0-0\"}", &body);
    pack_nil(&body);
    assert_false(check_slice(buffer_slice(&body), &district));
    assert_string_equal(defects.at[0].text, "there are bytes after the body's map");
    buffer_done(&body);
}

static void integers_above_int64_are_out_of_range(void **state) {
    (void)state;
    struct buffer body;
    unsigned district;
    buffer_init(&body);
    pack_map(&body, 3);
    pack_cstr(&body, "nz");
    pack_cstr(&body, "1-1-1-1-0-0-0");
    pack_cstr(&body, "rial");
    pack_uint(&body, UINT64_MAX);
    pack_cstr(&body, "n");
    pack_int(&body, INT64_MIN);
    assert_false(check_slice(buffer_slice(&body), &district));
    assert_int_equal(defects.count, 2);
    assert_string_equal(defects.at[0].kind, "range");
    assert_string_equal(defects.at[1].kind, "range");
    buffer_done(&body);
}

static void more_defects_than_room_are_counted(void **state) {
    (void)state;
    struct buffer body;
    unsigned district;
    buffer_init(&body);
    pack_map(&body, 101);
    pack_cstr(&body, "nz");
    pack_cstr(&body, "1-1-1-1-0-0-0");
    for (int i = 0; i < 100; i++) {
        char name[128];
        snprintf(name, sizeof name, "%0110d\x01", i);
        pack_cstr(&body, name);
        pack_nil(&body);
    }
    assert_false(check_slice(buffer_slice(&body), &district));
    assert_int_equal(defects.count, 100);
    assert_int_equal(defects.kept, EST_DEFECTS_MAX);
    assert_int_equal(strlen(defects.at[0].path), EST_DEFECT_PATH_MAX - 1);
    buffer_done(&body);
}

static void a_text_has_a_largest_size(void **state) {
    (void)state;
    for (int count = 2000; count <= 2001; count++) {
        struct buffer body;
        unsigned district;
        char text[4003];
        for (int i = 0; i < count; i++)
            memcpy(text + 2 * i, "م", 2);
        buffer_init(&body);
        pack_map(&body, 2);
        pack_cstr(&body, "nz");
        pack_cstr(&body, "1-1-1-1-0-0-0");
        pack_cstr(&body, "long");
        pack_text(&body, (est_slice){text, (size_t)count * 2});
        assert_int_equal(check_slice(buffer_slice(&body), &district), count == 2000);
        buffer_done(&body);
    }
    assert_string_equal(defects.at[0].kind, "length");
}

static void a_body_has_a_largest_size(void **state) {
    (void)state;
    unsigned district;
    char *bytes = calloc(1, EST_BODY_MAX + 1);
    assert_non_null(bytes);
    assert_false(check_slice((est_slice){bytes, EST_BODY_MAX + 1}, &district));
    assert_string_equal(defects.at[0].kind, "length");
    free(bytes);
}

/* What is stored has to pass the wire again: coordinates may take more bytes as integers than as
 * texts, and such a body would be refused by whoever it is sent to. */
static void a_canonical_body_has_a_largest_size(void **state) {
    (void)state;
    static const char definition[] =
        HEAD("test.long") "\"outcomes\":[\"positive\"],\"request\":{\"notes\":{\"kind\":\"text\",\"list\":20},"
                          "\"geo\":{\"kind\":\"geo\"}},\"reply\":{\"n\":{\"kind\":\"int\"}}}";
    char note[4000 + 1]; /* 2,000 letters */
    struct ctype *type = NULL;
    struct buffer body;
    unsigned district = 0;
    assert_int_equal(ctype_parse(slice_of(definition), &city, &type), 0);
    for (size_t i = 0; i < 4000; i += 2)
        memcpy(note + i, "م", 3);
    buffer_init(&body);
    pack_map(&body, 2);
    pack_cstr(&body, "notes");
    pack_array(&body, 15);
    for (int i = 0; i < 15; i++)
        pack_cstr(&body, note);
    pack_cstr(&body, "geo");
    pack_map(&body, 2);
    pack_cstr(&body, "type"), pack_cstr(&body, "MultiPoint");
    pack_cstr(&body, "coordinates");
    pack_array(&body, 1000);
    for (int i = 0; i < 1000; i++)
        pack_array(&body, 2), pack_cstr(&body, "5"), pack_cstr(&body, "5");
    assert_true(body.size <= EST_BODY_MAX);
    buffer_clear(&out);
    assert_false(ctype_check_request(type, &city, now, buffer_slice(&body), &out, &district, &defects));
    assert_int_equal(out.size, 0);
    assert_int_equal(defects.count, 1);
    assert_string_equal(defects.at[0].kind, "length");
    buffer_done(&body);
    ctype_free(&type);
}

static void a_good_body_is_appended(void **state) {
    (void)state;
    struct buffer body;
    unsigned district;
    buffer_init(&body);
    pack_json("{\"nz\":\"1-1-1-1-0-0-0\"}", &body);
    buffer_clear(&out);
    buffer_put(&out, "head", 4);
    assert_true(ctype_check_request(wide, &city, now, buffer_slice(&body), &out, &district, &defects));
    assert_int_equal(out.size, 4 + body.size);
    assert_memory_equal(out.data, "head", 4);
    assert_memory_equal(out.data + 4, body.data, body.size);
    assert_false(ctype_check_request(wide, &city, now, slice_of("x"), &out, &district, &defects));
    assert_int_equal(out.size, 4 + body.size);
    buffer_done(&body);
}

/* --- Replies ---------------------------------------------------------------------------------- */

static char valid_until[11];

static bool reply(enum est_outcome outcome, const char *reason, const char *until, const char *json) {
    struct buffer body;
    buffer_init(&body);
    buffer_clear(&out);
    if (json)
        pack_json(json, &body);
    bool good = ctype_check_reply(wide, &city, now, outcome, slice_of(reason), slice_of(until),
                                  buffer_slice(&body), &out, valid_until, &defects);
    buffer_done(&body);
    return good;
}

static void a_good_reply_is_canonical(void **state) {
    (void)state;
    assert_true(reply(EST_OUTCOME_POSITIVE, "", "۱۴۰۴-۱۲-۲۹", "{\"years\":[1400,1401],\"debt\":5}"));
    assert_string_equal(valid_until, "1404/12/29");
    assert_out("{\"debt\":5,\"years\":[1400,1401]}");
    assert_true(reply(EST_OUTCOME_NEGATIVE, "debt-open", "", "{\"debt\":5}"));
    assert_string_equal(valid_until, "");
}

/* The day counts whole, in Tehran: there it is 03:30 of 1404/10/11. */
static void an_answer_holds_until_today_or_later(void **state) {
    (void)state;
    assert_true(reply(EST_OUTCOME_POSITIVE, "", "1404/10/11", "{\"debt\":5}"));
    for (int i = 0; i < 2; i++) {
        assert_false(reply(EST_OUTCOME_POSITIVE, "", i ? "1404/10/10" : "۱۳۰۰-۰۱-۰۱", "{\"debt\":5}"));
        assert_int_equal(defects.count, 1);
        assert_string_equal(defects.at[0].path, "valid_until");
        assert_string_equal(defects.at[0].kind, "range");
    }
}

static void no_record_needs_no_fields(void **state) {
    (void)state;
    assert_true(reply(EST_OUTCOME_NO_RECORD, "", "", NULL));
    assert_out("{}");
    assert_true(reply(EST_OUTCOME_NO_RECORD, "", "", "{}"));
    assert_false(reply(EST_OUTCOME_NO_RECORD, "", "", "{\"debt\":\"x\"}"));
    assert_false(reply(EST_OUTCOME_POSITIVE, "", "", "{}"));
    assert_string_equal(defects.at[0].path, "debt");
    assert_string_equal(defects.at[0].kind, "missing");
}

static void a_reply_keeps_to_its_type(void **state) {
    (void)state;
    memcpy(valid_until, "unchanged", 10);
    assert_false(reply(EST_OUTCOME_CONDITIONAL, "", "", "{\"debt\":5}"));
    assert_string_equal(defects.at[0].path, "outcome");
    assert_false(reply((enum est_outcome)77, "", "", "{\"debt\":5}"));
    assert_string_equal(defects.at[0].path, "outcome");
    assert_false(reply(EST_OUTCOME_NEGATIVE, "", "", "{\"debt\":5}"));
    assert_string_equal(defects.at[0].path, "reason");
    assert_string_equal(defects.at[0].kind, "missing");
    assert_false(reply(EST_OUTCOME_NEGATIVE, "debt_open", "", "{\"debt\":5}"));
    assert_string_equal(defects.at[0].text,
                        "the inquiry type declares no such reason; did you mean `debt-open`?");
    assert_false(reply(EST_OUTCOME_POSITIVE, "", "1404/12/30", "{\"debt\":5}"));
    assert_string_equal(defects.at[0].path, "valid_until");
    assert_false(reply(EST_OUTCOME_CONDITIONAL, "x", "y", "{\"dept\":5}"));
    assert_int_equal(defects.count, 5);
    assert_string_equal(valid_until, "unchanged");
}

/* --- What is required ------------------------------------------------------------------------- */

static bool comes_again_to(const struct ctype *type, const char *sent, const char *stored) {
    struct buffer one, other;
    buffer_init(&one);
    buffer_init(&other);
    pack_json(sent, &one);
    pack_json(stored, &other);
    bool same = ctype_same_request(type, &city, buffer_slice(&one), buffer_slice(&other), &defects);
    buffer_done(&one);
    buffer_done(&other);
    return same;
}

static bool asks(const struct ctype *type, const char *json) {
    struct buffer body;
    unsigned district;
    buffer_init(&body);
    buffer_clear(&out);
    pack_json(json, &body);
    bool good = ctype_check_request(type, &city, now, buffer_slice(&body), &out, &district, &defects);
    buffer_done(&body);
    return good;
}

#define NEEDED(name, ref, areas, tags)                                                                       \
    "\"name\":" name ",\"note\":\"\",\"ref\":" ref ",\"areas\":" areas ",\"tags\":" tags ",\"ids\":[]"
#define GOOD_NEEDS NEEDED("\"a\"", "\"1\"", "[{\"use\":\"b\"}]", "[\"c\"]")

static void what_is_required_is_not_empty(void **state) {
    (void)state;
    static const char *const blanks[] = {"\"\"", "\" \"", "\"\u00a0\\n\"", "\"\u200f\u200c\""};
    static const char *const paths[][2] = {{"name", "missing"},         {"ref", "missing"},
                                           {"areas[0].use", "missing"}, {"areas[1].use", "missing"},
                                           {"tags[0]", "missing"}};
    assert_true(asks(needy, "{" GOOD_NEEDS "}"));
    assert_true(asks(needy, "{" GOOD_NEEDS ",\"maybe\":\" \"}"));
    for (int i = 0; i < 4; i++) {
        char body[512];
        snprintf(body, sizeof body, "{" NEEDED("%s", "%s", "[{\"use\":%s},{\"use\":%s}]", "[%s]") "}", blanks[i],
                 blanks[i], blanks[i], blanks[i], blanks[i]);
        assert_false(asks(needy, body));
        assert_int_equal(defects.count, 5);
        for (int k = 0; k < 5; k++) {
            assert_string_equal(defects.at[k].path, paths[k][0]);
            assert_string_equal(defects.at[k].kind, paths[k][1]);
        }
    }
    assert_false(asks(needy, "{" NEEDED("\"a\"", "\"1\"", "[]", "[]") "}"));
    assert_int_equal(defects.count, 2);
    assert_string_equal(defects.at[0].path, "areas");
    assert_string_equal(defects.at[0].kind, "length");
    assert_string_equal(defects.at[0].text, "has 0 elements; at least 1 are needed");
    assert_string_equal(defects.at[1].path, "tags");
}

static void of_each_group_one_is_there(void **state) {
    (void)state;
    assert_true(asks(grouped, "{\"n\":1,\"lid\":\"10380284790\"}"));
    assert_true(asks(grouped, "{\"n\":1,\"nid\":\"0499370899\",\"plq\":{\"main\":\"1\"}}"));
    assert_true(asks(grouped, "{\"plq\":{\"main\":\"1\",\"sub\":\"2\"},\"nid\":\"0499370899\",\"n\":1}"));
    assert_false(asks(grouped, "{\"n\":1,\"nid\":\"0499370899\"}"));
    assert_int_equal(defects.count, 1);
    assert_string_equal(defects.at[0].path, "lid");
    assert_string_equal(defects.at[0].kind, "missing");
    assert_string_equal(defects.at[0].text, "one of these must be there: lid, fn, plq");
    assert_false(asks(grouped, "{\"n\":\"x\",\"nid\":null}")); /* with every other defect */
    assert_int_equal(defects.count, 3);
    assert_false(asks(grouped, "{\"n\":1,\"nid\":\"1\",\"fn\":\"22001840320\"}")); /* wrong is not absent */
    assert_int_equal(defects.count, 1);
    assert_string_equal(defects.at[0].path, "nid");
    assert_false(asks(grouped, "[]"));
    assert_int_equal(defects.count, 1);
    assert_true(comes_again_to(grouped, "{\"n\":1,\"nid\":null}", "{\"n\":1}"));
}

static bool replies(enum est_outcome outcome, const char *json) {
    struct buffer body;
    char until[11];
    buffer_init(&body);
    buffer_clear(&out);
    pack_json(json, &body);
    bool good = ctype_check_reply(needy, &city, now, outcome, slice_of(""), slice_of(""), buffer_slice(&body), &out,
                                  until, &defects);
    buffer_done(&body);
    return good;
}

static void an_answer_that_says_something_fills_what_is_required(void **state) {
    (void)state;
    assert_true(replies(EST_OUTCOME_POSITIVE, "{\"txt\":\"a\",\"docs\":[\"b\"]}"));
    assert_false(replies(EST_OUTCOME_POSITIVE, "{\"txt\":\" \",\"docs\":[]}"));
    assert_int_equal(defects.count, 2);
    assert_false(replies(EST_OUTCOME_NEGATIVE, "{\"txt\":\"\",\"docs\":[\"\"]}"));
    assert_int_equal(defects.count, 2);
    assert_true(replies(EST_OUTCOME_NO_RECORD, "{\"txt\":\" \",\"docs\":[]}"));
}

static void an_end_does_not_come_before_its_beginning(void **state) {
    (void)state;
    assert_true(asks(needy, "{" GOOD_NEEDS ",\"from\":\"1404/12/29\",\"to\":\"۱۴۰۴/۱۲/۲۹\"}"));
    assert_true(asks(needy, "{" GOOD_NEEDS ",\"to\":\"1300/01/01\"}"));
    assert_false(asks(needy, "{" GOOD_NEEDS ",\"from\":\"۱۴۰۴/۱۲/۲۹\",\"to\":\"1300/01/01\"}"));
    assert_int_equal(defects.count, 1);
    assert_string_equal(defects.at[0].path, "to");
    assert_string_equal(defects.at[0].kind, "range");
    assert_string_equal(defects.at[0].text, "comes before `from`");
    assert_false(asks(needy, "{" GOOD_NEEDS ",\"from\":7,\"to\":\"1300/01/01\"}"));
    assert_int_equal(defects.count, 1);
    assert_string_equal(defects.at[0].path, "from");
}

/* --- Bodies that come again ------------------------------------------------------------------- */

static bool comes_again(const char *sent, const char *stored) {
    return comes_again_to(wide, sent, stored);
}

#define NZ "\"nz\":\"1-1-1-1-0-0-0\""

static void a_body_that_comes_again_matches_what_is_stored(void **state) {
    (void)state;
    assert_true(comes_again("{" NZ "}", "{" NZ "}"));
    assert_true(comes_again("{\"m2\":4,\"nid\":null,\"nz\":\"۱-1-1-1-0-0-0\"}", "{" NZ ",\"m2\":4}"));
    assert_false(comes_again("{" NZ ",\"m2\":4}", "{" NZ ",\"m2\":5}"));
    assert_false(comes_again("{" NZ ",\"m2\":4}", "{" NZ "}"));
}

/* A broker that was upgraded over open inquiries has bodies which it would store otherwise now, or refuse. */
static void a_body_stored_before_a_rule_came_in_still_matches(void **state) {
    (void)state;
    static const char *const table[] = {
        "{" NZ ",\"plq\":{\"main\":\"3467 \"}}",
        "{" NZ ",\"plq\":{\"main\":\" \",\"sub\":\"\u200f۷\"}}",
        "{" NZ ",\"bill\":\" \"}",
        "{" NZ ",\"geo\":{\"type\":\"Point\",\"coordinates\":[51,36]}}",
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char sent[256]; /* not byte by byte what is stored */
        snprintf(sent, sizeof sent, "{\"nid\":null,%s", table[i] + 1);
        assert_true(comes_again(sent, table[i]));
    }
    static const char empty[] = "{\"name\":\"\",\"note\":\"\",\"ref\":\" \",\"areas\":[],\"tags\":[\" \"],\"ids\":[],"
                                "\"from\":\"1404/12/29\",\"to\":\"1300/01/01\"}";
    static const char resent[] = "{\"to\":\"۱۳۰۰/۰۱/۰۱\",\"name\":\"\",\"note\":\"\",\"ref\":\"\",\"areas\":[],\"tags\":[\" \"],"
                                 "\"ids\":[],\"from\":\"1404/12/29\"}";
    assert_false(asks(needy, empty));
    assert_true(comes_again_to(needy, resent, empty));
    assert_true(comes_again("{\"plq\":{\"main\":\"۳۴۶۷ \"}," NZ "}", "{" NZ ",\"plq\":{\"main\":\"3467 \"}}"));
    assert_false(comes_again("{" NZ ",\"plq\":{\"main\":\"3468\"}}", "{" NZ ",\"plq\":{\"main\":\"3467 \"}}"));
}

static void an_answer_that_comes_again_matches_what_is_stored(void **state) {
    (void)state;
    static const char *const dates[][2] = {{"", ""}, {"1404/01/31", "1404/01/31"}, {"۱۴۰۴-۰۱-۳۱", "1404/01/31"}};
    struct buffer body, stored;
    buffer_init(&body);
    buffer_init(&stored);
    pack_json("{\"years\":[1400],\"debt\":5}", &body);
    pack_json("{\"debt\":5,\"years\":[1400]}", &stored);
    est_slice one = buffer_slice(&body), other = buffer_slice(&stored);
    for (int i = 0; i < 3; i++)
        assert_true(ctype_same_reply(wide, &city, slice_of(dates[i][0]), one, slice_of(dates[i][1]), other, &defects));
    assert_false(ctype_same_reply(wide, &city, slice_of("1404/01/30"), one, slice_of("1404/01/31"), other, &defects));
    assert_false(ctype_same_reply(wide, &city, slice_of(""), one, slice_of("1404/01/31"), other, &defects));
    assert_true(ctype_same_reply(wide, &city, slice_of(""), (est_slice){NULL, 0}, slice_of(""),
                                 (est_slice){"\x80", 1}, &defects));
    assert_false(ctype_same_reply(wide, &city, slice_of(""), (est_slice){NULL, 0}, slice_of(""), other, &defects));
    buffer_done(&body);
    buffer_done(&stored);
}

/* --- Hostile bodies --------------------------------------------------------------------------- */

static unsigned next_random(unsigned *random) {
    *random = *random * 1103515245u + 12345u;
    return *random >> 8;
}

/* A canonical body is a fixed point: it is accepted, and comes out as it went in. */
static void assert_fixed_point(est_slice canonical) {
    struct buffer again;
    unsigned district;
    buffer_init(&again);
    assert_true(ctype_check_request(wide, &city, now, canonical, &again, &district, &defects));
    assert_int_equal(again.size, canonical.size);
    assert_memory_equal(again.data, canonical.data, canonical.size);
    buffer_done(&again);
}

static void mutated_bodies_never_crash(void **state) {
    (void)state;
    struct buffer body;
    unsigned random = 4711, district;
    buffer_init(&body);
    pack_json(
        "{\"nz\":\"1-1-1-1-0-0-0\",\"plq\":{\"main\":\"۱\"},\"geo\":{\"type\":\"Polygon\",\"coordinates\":"
        "[[[1000,1000],[2000,1000],[2000,2000],[1000,1000]]]},\"n\":-3,\"b\":true,\"docs\":[{\"id\":\"1\",\"type\":\"t\",\"sha256\":"
        "\"" SHA "\"}],\"areas\":[{\"use\":\"home\",\"m2\":1,\"note\":\"متن\"}],\"jd\":\"1404/01/01\"}",
        &body);
    assert_true(check_slice(buffer_slice(&body), &district));
    for (size_t size = 0; size < body.size; size++) {
        uint8_t *copy = malloc(size + 1); /* exact, so that a sanitizer sees one byte too far */
        assert_non_null(copy);
        memcpy(copy, body.data, size);
        assert_false(check_slice((est_slice){copy, size}, &district));
        free(copy);
    }
    for (int round = 0; round < 100000; round++) {
        uint8_t *copy = malloc(body.size);
        assert_non_null(copy);
        memcpy(copy, body.data, body.size);
        for (unsigned edits = 1 + next_random(&random) % 3; edits > 0; edits--)
            copy[next_random(&random) % body.size] = (uint8_t)next_random(&random);
        if (check_slice((est_slice){copy, body.size}, &district))
            assert_fixed_point(buffer_slice(&out));
        else
            assert_true(defects.count > 0 && out.size == 0);
        free(copy);
    }
    buffer_done(&body);
}

static void definitions_come_back_the_same(void **state) {
    (void)state;
    struct ctype *again = NULL;
    assert_string_equal(wide->definition, wide_definition);
    assert_int_equal(ctype_parse(slice_of(wide->definition), &city, &again), 0);
    assert_string_equal(again->definition, wide->definition);
    assert_int_equal(again->request.count, wide->request.count);
    ctype_free(&again);
    assert_null(again);
    assert_int_equal(ctype_parse(slice_of("{\"name\":\"x\"}"), &city, &again), -EST_INPUT);
    assert_int_equal(ctype_parse(slice_of(""), &city, &again), -EST_INPUT);
    assert_null(again);
}

static void a_purpose_given_up_since_does_not_break_a_stored_type(void **state) {
    (void)state;
    struct city smaller = city;
    struct ctype *type = NULL;
    char text[sizeof wide_definition + 64];
    const char *at = strstr(wide_definition, "\"all\"");
    snprintf(text, sizeof text, "%.*s[\"permit\",\"transfer\"]%s", (int)(at - wide_definition),
             wide_definition, at + 5);
    smaller.purposes_count = 1;
    assert_int_equal(ctype_parse(slice_of(text), &city, &type), 0);
    assert_int_equal(type->purposes, 3);
    ctype_free(&type);
    assert_int_equal(ctype_parse(slice_of(text), &smaller, &type), 0);
    assert_int_equal(type->purposes, 1);
    ctype_free(&type);
}

static void a_body_comes_out_the_same_without_a_city_whatever_its_rule_was(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "{\"nz\":\"1-1-1-1-0-0-0\"}", "{\"nz\":\"۲۲-۱-۱-۱-۰-۰-۰\",\"fn\":\"01001840320\",\"nid\":\"0499370899\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct buffer body, here, anywhere;
        unsigned district;
        buffer_init(&body), buffer_init(&here), buffer_init(&anywhere);
        pack_json(bodies[i], &body);
        assert_true(ctype_check_request(wide, &city, now, buffer_slice(&body), &here, &district, &defects));
        assert_true(ctype_check_request(wide, NULL, now, buffer_slice(&body), &anywhere, &district, &defects));
        assert_true(slice_equal(buffer_slice(&here), buffer_slice(&anywhere)));
        buffer_done(&body), buffer_done(&here), buffer_done(&anywhere);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_comes_out_canonical),
        cmocka_unit_test(each_kind_names_what_is_wrong),
        cmocka_unit_test(all_defects_come_at_once),
        cmocka_unit_test(nil_is_absent),
        cmocka_unit_test(a_repeated_field_is_a_defect),
        cmocka_unit_test(the_district_is_the_parcels),
        cmocka_unit_test(broken_bytes_are_a_defect),
        cmocka_unit_test(integers_above_int64_are_out_of_range),
        cmocka_unit_test(more_defects_than_room_are_counted),
        cmocka_unit_test(a_text_has_a_largest_size),
        cmocka_unit_test(a_body_has_a_largest_size),
        cmocka_unit_test(a_canonical_body_has_a_largest_size),
        cmocka_unit_test(a_good_body_is_appended),
        cmocka_unit_test(a_good_reply_is_canonical),
        cmocka_unit_test(an_answer_holds_until_today_or_later),
        cmocka_unit_test(no_record_needs_no_fields),
        cmocka_unit_test(a_reply_keeps_to_its_type),
        cmocka_unit_test(what_is_required_is_not_empty),
        cmocka_unit_test(of_each_group_one_is_there),
        cmocka_unit_test(an_answer_that_says_something_fills_what_is_required),
        cmocka_unit_test(an_end_does_not_come_before_its_beginning),
        cmocka_unit_test(a_body_that_comes_again_matches_what_is_stored),
        cmocka_unit_test(a_body_stored_before_a_rule_came_in_still_matches),
        cmocka_unit_test(an_answer_that_comes_again_matches_what_is_stored),
        cmocka_unit_test(a_body_comes_out_the_same_without_a_city_whatever_its_rule_was),
        cmocka_unit_test(mutated_bodies_never_crash),
        cmocka_unit_test(definitions_come_back_the_same),
        cmocka_unit_test(a_purpose_given_up_since_does_not_break_a_stored_type),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
