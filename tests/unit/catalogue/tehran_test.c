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
    return ctype_check_request(type, &tehran->city, buffer_slice(&body), &out, &district, &defects);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tehran_takes_no_question_that_asks_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
