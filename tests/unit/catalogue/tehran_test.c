/* tehran_test.c - what Tehran's files promise to whoever asks and answers: bodies that must not pass, and
 * those that must.
 */
#include "catalogue.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct catalogue *tehran;
static struct defects defects;
static const est_time now = {INT64_C(1767225600) * EST_US_PER_S}; /* 2026-01-01T00:00:00Z: 1404/10/11 in Tehran */
static struct buffer body, out;

static int set_up(void **state) {
    (void)state;
    static struct complaints complaints;
    buffer_init(&body);
    buffer_init(&out);
    return catalogue_load_city(DEPLOY "/tehran", &tehran, &complaints);
}

static int tear_down(void **state) {
    (void)state;
    catalogue_free(&tehran);
    buffer_done(&body);
    buffer_done(&out);
    return 0;
}

static const struct ctype *type_and_body(const char *name, const char *text) {
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s: %s", text, error.text);
    buffer_clear(&body);
    buffer_clear(&out);
    assert_true(json_to_msgpack(json, &body));
    json_decref(json);
    const struct ctype *type = catalogue_type(tehran, slice_of(name));
    assert_non_null(type);
    return type;
}

static bool asks(const char *name, const char *text) {
    unsigned district;
    const struct ctype *type = type_and_body(name, text);
    return ctype_check_request(type, &tehran->city, now, buffer_slice(&body), &out, &district, &defects);
}

/* A defect at `path`, or none where it is NULL. */
static void assert_told(bool good, const char *what, const char *path, const char *kind) {
    const est_defect *first = &defects.at[0];
    if (good != !path)
        fail_msg("%s: %s", what, good ? "accepted" : first->text);
    if (path && (defects.count != 1 || strcmp(first->path, path) != 0 || strcmp(first->kind, kind) != 0))
        fail_msg("%s: %zu, %s, %s, %s", what, defects.count, first->path, first->kind, first->text);
}

#define POINT "{\"type\":\"Point\",\"coordinates\":[\"51.4\",\"35.8\"]}"
#define SHA   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NZ    "\"nz\":\"1-1-1-1-0-0-0\""

static const struct question {
    const char *type, *body;
    const char *path, *kind; /* NULL: it is taken */
} questions[] = {
    {"shahrsazi.tafkik", "{\"nz\":[],\"geo\":" POINT ",\"parts\":2}", "nz", "length"},
    {"daramad.sodur", "{" NZ ",\"plan\":{\"id\":\"1\",\"type\":\"plan\",\"sha256\":\"" SHA "\"},\"areas\":[]}", "areas",
     "length"},
    {"fazasabz.ghat", "{" NZ ",\"trees\":[],\"reason\":\"dry\"}", "trees", "length"},
    {"fazasabz.ghat", "{" NZ ",\"trees\":[{\"species\":\"x\",\"cm\":9}],\"reason\":\" \"}", "reason", "missing"},
    {"sabt.malekiyat", "{\"plq\":{\"main\":\"3467\"}}", "nid", "missing"},
    {"sabt.malekiyat", "{\"plq\":{\"main\":\"3467\"},\"nid\":null}", "nid", "missing"},
    {"sabt.malekiyat", "{\"plq\":{\"main\":\"3467\"},\"lid\":\"10380284790\"}", NULL, NULL},
    {"sabt.malekiyat", "{\"nid\":\"0499370899\",\"plq\":{\"main\":\"3467\"}}", NULL, NULL},
    {"archive.savabegh", "{}", "nz", "missing"},
    {"archive.savabegh", "{\"fn\":\"22001840320\"}", NULL, NULL},
    {"senfi.mahal", "{" NZ ",\"pc\":\"1193653471\",\"isic\":\"4711\",\"m2\":9}", "nid", "missing"},
    {"ghazai.estelam", "{\"court_ref\":\"1\",\"txt\":\"x\"}", "nz", "missing"},
    {"ghazai.estelam", "{" NZ ",\"court_ref\":\"\",\"txt\":\"x\"}", "court_ref", "missing"},
    {"ghazai.estelam", "{" NZ ",\"court_ref\":\"1\",\"txt\":\"\"}", "txt", "missing"},
    {"mali.pardakht", "{\"bill\":\"1\",\"pay_id\":\"\u200f\"}", "pay_id", "missing"},
    {"traffic.ensedad", "{\"geo\":" POINT ",\"from\":\"1404/12/29\",\"to\":\"1300/01/01\"}", "to", "range"},
    {"traffic.ensedad", "{\"geo\":" POINT ",\"from\":\"1404/12/29\",\"to\":\"1404/12/29\"}", NULL, NULL},
    {"nezarat.khalaf", "{" NZ "}", NULL, NULL}, /* there may be no permit at all */
};

static void tehran_takes_no_question_that_asks_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        assert_told(asks(questions[i].type, questions[i].body), questions[i].body, questions[i].path,
                    questions[i].kind);
}

#define PLACE(coordinates) "{\"geo\":{\"type\":" coordinates "},\"depth\":9}"

/* "Not in the protected zone" must not be said about a place that nobody meant. */
static const struct question places[] = {
    {"metro.harim", PLACE("\"Point\",\"coordinates\":[\"51.43\",\"35.80\"]"), NULL, NULL},
    {"metro.harim", PLACE("\"Point\",\"coordinates\":[514300000,358000000]"), NULL, NULL},
    {"metro.harim", PLACE("\"Point\",\"coordinates\":[\"35.80\",\"51.43\"]"), "geo.coordinates", "range"},
    {"metro.harim", PLACE("\"Point\",\"coordinates\":[358000000,514300000]"), "geo.coordinates", "range"},
    {"metro.harim", PLACE("\"Point\",\"coordinates\":[51,\"35.80\"]"), "geo.coordinates[0]", "range"},
    {"metro.harim", PLACE("\"Point\",\"coordinates\":[\"0\",\"0\"]"), "geo.coordinates", "range"},
    {"metro.harim", PLACE("\"LineString\",\"coordinates\":[[\"51.43\",\"35.80\"],[\"52.43\",\"35.80\"],[\"53\",\"36\"]]"),
     "geo.coordinates[1]", "range"}, /* told once */
};

static void a_place_outside_tehran_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        assert_told(asks(places[i].type, places[i].body), places[i].body, places[i].path, places[i].kind);
    asks("metro.harim", PLACE("\"Point\",\"coordinates\":[\"35.80\",\"51.43\"]"));
    assert_string_equal(defects.at[0].text, "lies outside the city (longitude 50.8 to 51.9, latitude 35.3 to 36.1); is "
                                            "latitude first?");
    asks("metro.harim", PLACE("\"Point\",\"coordinates\":[51,36]"));
    assert_int_equal(defects.count, 2);
    assert_non_null(strstr(defects.at[0].text, "reads like degrees"));
}

static bool answers(const char *name, enum est_outcome outcome, const char *text) {
    char until[11];
    const struct ctype *type = type_and_body(name, text);
    return ctype_check_reply(type, &tehran->city, now, outcome, slice_of(""), slice_of(""), buffer_slice(&body), &out,
                             until, &defects);
}

static void an_answers_place_lies_in_tehran_unless_it_may_be_anywhere(void **state) {
    (void)state;
#define SWAPPED "{\"type\":\"Point\",\"coordinates\":[\"35.80\",\"51.43\"]}"
    static const char masir[] = "{\"objects\":[{\"geo\":" SWAPPED ",\"depth\":2}],\"stand_by\":true}";
    assert_told(answers("tasisat.masir", EST_OUTCOME_POSITIVE, masir), masir, "objects[0].geo.coordinates", "range");
    static const char neshani[] = "{\"exists\":true,\"geo\":" SWAPPED "}"; /* another town's */
    assert_told(answers("post.neshani", EST_OUTCOME_POSITIVE, neshani), neshani, NULL, NULL);
}

#define VISIT(engineer, at, photos)                                                                          \
    "{\"vis\":{\"engineer_no\":\"" engineer "\",\"at\":\"" at "\",\"geo\":" POINT ",\"photos\":[" photos             \
    "]},\"conform\":true}"
#define PHOTO "{\"id\":\"p\",\"type\":\"jpeg\",\"sha256\":\"" SHA "\"}"

static const struct question visits[] = {
    {"naser.gozaresh", VISIT("10-300-00001", "1404/10/11", PHOTO), NULL, NULL},
    {"naser.gozaresh", VISIT("10-300-00001", "2025-12-31T10:30:00+03:30", PHOTO), NULL, NULL},
    {"naser.gozaresh", VISIT(" ", "1404/10/11", PHOTO), "vis.engineer_no", "length"},
    {"naser.gozaresh", VISIT("10-300-00001", "1404/10/12", PHOTO), "vis.at", "range"},
    {"naser.gozaresh", VISIT("10-300-00001", "2026-01-02T00:00:00+03:30", PHOTO), "vis.at", "range"},
    {"naser.gozaresh", VISIT("10-300-00001", "1498/12/29", PHOTO), "vis.at", "range"},
    {"naser.gozaresh", VISIT("10-300-00001", "1404/10/11", ""), "vis.photos", "length"},
};

static void a_visit_is_proved_by_who_when_and_photos(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof visits / sizeof visits[0]; i++)
        assert_told(answers(visits[i].type, EST_OUTCOME_POSITIVE, visits[i].body), visits[i].body, visits[i].path,
                    visits[i].kind);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tehran_takes_no_question_that_asks_nothing),
        cmocka_unit_test(a_place_outside_tehran_is_refused),
        cmocka_unit_test(a_visit_is_proved_by_who_when_and_photos),
        cmocka_unit_test(an_answers_place_lies_in_tehran_unless_it_may_be_anywhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
