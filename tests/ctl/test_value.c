/* test_value.c - FIELD=VALUE made into a body, with and without a catalogue that knows the kinds. */
#include "catalogue.h"
#include "value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct field INSIDE[] = {{.name = "floors", .kind = FIELD_INT},
                                      {.name = "main", .kind = FIELD_TEXT}};
static const struct field FIELDS[] = {
    {.name = "nz", .kind = FIELD_NZ},
    {.name = "m2", .kind = FIELD_M2},
    {.name = "open", .kind = FIELD_BOOL},
    {.name = "years", .kind = FIELD_INT, .list = true, .items_max = 9},
    {.name = "plq", .kind = FIELD_PLQ},
    {.name = "part", .kind = FIELD_RECORD, .fields = INSIDE, .fields_count = 2},
    {.name = "note", .kind = FIELD_TEXT},
};
static const struct schema SCHEMA = {FIELDS, sizeof FIELDS / sizeof FIELDS[0]};

static void expect(const struct schema *schema, const char *base, const char *const *arguments,
                   const char *wanted) {
    char why[VALUE_WHY_SIZE] = "";
    size_t count = 0;
    json_t *body = NULL;
    while (arguments[count])
        count++;
    int code = values_build(schema, base, arguments, count, &body, why);
    if (!wanted) {
        assert_int_equal(code, -EST_INPUT);
        assert_true(strlen(why) > 5);
        return;
    }
    if (code)
        fail_msg("refused: %s", why);
    char *text = json_dumps(body, JSON_COMPACT);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(body);
}

#define GIVEN(...) ((const char *const[]){__VA_ARGS__, NULL})

static void without_a_catalogue_text_is_text_and_json_is_json(void **state) {
    (void)state;
    expect(NULL, NULL,
           GIVEN("nz=1-1-1-1-0-0-0", "m2=12", "floors:=7", "open:=true", "years:=[1,2]", "s:=\"x\""),
           "{\"nz\":\"1-1-1-1-0-0-0\",\"m2\":\"12\",\"floors\":7,\"open\":true,\"years\":[1,2],\"s\":\"x\"}");
    expect(NULL, NULL, GIVEN("a=b:=c", "empty=", "eq=1=2"), "{\"a\":\"b:=c\",\"empty\":\"\",\"eq\":\"1=2\"}");
}

static void the_catalogue_decides_what_plain_text_means(void **state) {
    (void)state;
    expect(&SCHEMA, NULL, GIVEN("nz=1-1-1-1-0-0-0", "m2=۱۲۰", "open=yes", "note=12"),
           "{\"nz\":\"1-1-1-1-0-0-0\",\"m2\":120,\"open\":true,\"note\":\"12\"}");
    expect(&SCHEMA, NULL, GIVEN("m2=9223372036854775807", "open=خیر"),
           "{\"m2\":9223372036854775807,\"open\":false}");
    expect(&SCHEMA, NULL, GIVEN("m2:=120", "open:=false"), "{\"m2\":120,\"open\":false}");
}

static void what_does_not_fit_stays_text_for_the_broker_to_name(void **state) {
    (void)state;
    expect(&SCHEMA, NULL, GIVEN("m2=many", "open=perhaps", "unknown=1"),
           "{\"m2\":\"many\",\"open\":\"perhaps\",\"unknown\":\"1\"}");
    expect(&SCHEMA, NULL, GIVEN("m2=99999999999999999999"), "{\"m2\":\"99999999999999999999\"}");
}

static void lists_are_json_or_repeated_fields(void **state) {
    (void)state;
    expect(&SCHEMA, NULL, GIVEN("years=1401", "years=۱۴۰۲"), "{\"years\":[1401,1402]}");
    expect(&SCHEMA, NULL, GIVEN("years=[1,2]"), "{\"years\":[1,2]}");
}

static void dots_and_json_make_records(void **state) {
    (void)state;
    expect(NULL, NULL, GIVEN("plq.main=12", "plq.sub=3"), "{\"plq\":{\"main\":\"12\",\"sub\":\"3\"}}");
    expect(&SCHEMA, NULL, GIVEN("part.floors=3", "part.main=3"), "{\"part\":{\"floors\":3,\"main\":\"3\"}}");
    expect(&SCHEMA, NULL, GIVEN("plq={\"main\":\"1\"}"), "{\"plq\":{\"main\":\"1\"}}");
}

static void arguments_take_the_place_of_the_base(void **state) {
    (void)state;
    expect(NULL, "{\"a\":1,\"r\":{\"x\":1,\"y\":2}}", GIVEN("a=2", "r.y:=3"),
           "{\"a\":\"2\",\"r\":{\"x\":1,\"y\":3}}");
}

static void what_cannot_be_expressed_is_refused(void **state) {
    (void)state;
    expect(NULL, NULL, GIVEN("nothing"), NULL);
    expect(NULL, NULL, GIVEN("=x"), NULL);
    expect(NULL, NULL, GIVEN(":=1"), NULL);
    expect(NULL, NULL, GIVEN("a:=[1,"), NULL);
    expect(NULL, NULL, GIVEN("a:={\"k\":1,\"k\":2}"), NULL);
    expect(NULL, NULL, GIVEN("a=1", "a=2"), NULL);
    expect(NULL, NULL, GIVEN("a=1", "a.b=2"), NULL);
    expect(NULL, NULL, GIVEN("a.=1"), NULL);
    expect(NULL, NULL, GIVEN(".a=1"), NULL);
    expect(NULL, NULL, GIVEN("a..b=1"), NULL);
    expect(NULL, NULL, GIVEN("a=\xFF"), NULL);
    expect(NULL, NULL, GIVEN("\xFF=1"), NULL);
    expect(NULL, "[1]", GIVEN("a=1"), NULL);
    expect(NULL, "{\"a\":", GIVEN("a=1"), NULL);
    expect(&SCHEMA, NULL, GIVEN("years:=1", "years=2"), NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_catalogue_text_is_text_and_json_is_json),
        cmocka_unit_test(the_catalogue_decides_what_plain_text_means),
        cmocka_unit_test(what_does_not_fit_stays_text_for_the_broker_to_name),
        cmocka_unit_test(lists_are_json_or_repeated_fields),
        cmocka_unit_test(dots_and_json_make_records),
        cmocka_unit_test(arguments_take_the_place_of_the_base),
        cmocka_unit_test(what_cannot_be_expressed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
