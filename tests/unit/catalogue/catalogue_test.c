/* catalogue_test.c - a good little city, and the exact complaint about each way to break it.
 *
 * The city is a set of small files in a temporary folder. A broken case replaces one piece of text
 * in one of them and expects one complaint, at a line and column of that file.
 */
#include "catalogue.h"
#include "when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>
#include <cmocka.h>

/* --- The city --------------------------------------------------------------------------------- */

#define KEY_1 "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_2 "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static const struct file {
    const char *path, *text;
} files[] = {
    {"city/city.yaml", "city: {id: kuchak, title: {fa: کوچک, en: Kuchak}}\n"
                       "parcel: {parts: 3, district_part: 2, digits_max: 4, districts: {first: 1, last: 3}}\n"
                       "purposes:\n"
                       "  permit: {title: {fa: پروانه, en: Permit}}\n"
                       "  transfer: {title: {fa: انتقال, en: Transfer}}\n"},
    {"city/departments.yaml", "departments:\n"
                              "  memari: {title: {fa: معماری, en: Planning}}\n"
                              "  nosazi: {title: {fa: نوسازی, en: Renovation}}\n"
                              "  sabt: {title: {fa: ثبت, en: Registry}, outside: true}\n"
                              "  fava: {title: {fa: فاوا, en: Machines}}\n"},
    {"city/types/a.yaml", "types:\n"
                          "  nosazi.bedehi:\n"
                          "    title: {fa: بدهی, en: Debt}\n"
                          "    owner: memari\n"
                          "    answerer: nosazi\n"
                          "    operator: fava\n"
                          "    mode: automatic\n"
                          "    purposes: all\n"
                          "    target: 5 s\n"
                          "    statutory: 10 cd\n"
                          "    expires: 30 d\n"
                          "    silence: {inside: escalate, outside: deemed-approved}\n"
                          "    legal_basis: {title: t, article: \"7\", mark: V}\n"
                          "    outcomes: [positive, negative, no-record]\n"
                          "    reasons: {debt-open: {fa: ب, en: d}}\n"
                          "    request: {nz: {kind: nz}}\n"
                          "    reply: {debt: {kind: rial, title: {fa: بدهی, en: Debt}}}\n"},
    {"city/types/b.yaml", "types:\n"
                          "  sabt.malekiyat:\n"
                          "    title: {fa: مالک, en: Owner}\n"
                          "    owner: memari\n"
                          "    answerer: sabt\n"
                          "    operator: fava\n"
                          "    mode: visit\n"
                          "    purposes: [transfer]\n"
                          "    target: 1 wd\n"
                          "    expires: 60 d\n"
                          "    silence: fail-closed\n"
                          "    legal_basis: {title: t, mark: P}\n"
                          "    outcomes: [positive]\n"
                          "    request:\n"
                          "      plq: {kind: plq}\n"
                          "      use: {kind: enum, choices: [home, {shop: {fa: مغازه, en: Shop}}]}\n"
                          "    reply: {docs: {kind: doc, list: 3}, visit: {kind: visit}}\n"
                          "    confidential: true\n"},
    {"accounts.yaml",
     "accounts:\n"
     "  portal:\n"
     "    role: requester\n"
     "    title: The portal\n"
     "    asks: [{types: all, purposes: [permit]}, {types: [sabt.malekiyat], purposes: all}]\n"
     "    keys: [{public: \"" KEY_1 "\", from: 2026-01-01, until: 1405/10/11}]\n"
     "  nosazi-agent:\n"
     "    role: department\n"
     "    department: nosazi\n"
     "    districts: [1, 3]\n"
     "    keys: [{public: \"" KEY_2 "\"}]\n"
     "  sabt-agent: {role: department, department: sabt, answers: [sabt.malekiyat], keys: []}\n"
     "  duty: {role: operator, keys: []}\n"
     "  watch: {role: operator, level: observer, keys: []}\n"},
    {"broker.yaml", "catalogue: city\n"
                    "accounts: accounts.yaml\n"
                    "store: {directory: store, size_max: 1 GiB}\n"
                    "security: curve\n"
                    "key: broker.key\n"
                    "listen:\n"
                    "  requesters: \"tcp://0.0.0.0:7501\"\n"
                    "  departments: \"tcp://127.0.0.1:7502\"\n"
                    "  operators: \"ipc:///tmp/duty.sock\"\n"
                    "limits: {attempts_max: 5, lease: 30 s, retry_first: 250 ms, retry_max: 5 min}\n"},
};
enum { FILES = sizeof files / sizeof files[0] };

static char folder[] = "/tmp/catalogue-test-XXXXXX";
static char public_text[41], secret_text[41];
static struct complaints complaints;

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void file_write(const char *name, const char *text, size_t size, mode_t mode) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static void city_write(void) {
    for (size_t i = 0; i < FILES; i++)
        file_write(files[i].path, files[i].text, strlen(files[i].text), 0644);
}

static int set_up(void **state) {
    (void)state;
    char key[256];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(path_of("city"), 0755), 0);
    assert_int_equal(mkdir(path_of("city/types"), 0755), 0);
    assert_int_equal(mkdir(path_of("empty"), 0755), 0);
    assert_int_equal(zmq_curve_keypair(public_text, secret_text), 0);
    int size = snprintf(key, sizeof key, "public: \"%s\"\nsecret: \"%s\"\n", public_text, secret_text);
    file_write("broker.key", key, (size_t)size, 0600);
    city_write();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    static const char *const others[] = {"broker.key", "other.key", "city/types/c.yaml"};
    for (size_t i = 0; i < FILES; i++)
        unlink(path_of(files[i].path));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        unlink(path_of(others[i]));
    static const char *const folders[] = {"city/types", "city", "empty"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        rmdir(path_of(folders[i]));
    return rmdir(folder);
}

static int load(struct catalogue **ret) {
    memset(&complaints, 0, sizeof complaints);
    *ret = NULL;
    return catalogue_load(path_of("broker.yaml"), ret, &complaints);
}

static struct catalogue *load_good(void) {
    struct catalogue *catalogue;
    city_write();
    if (load(&catalogue) != 0)
        fail_msg("%s: %s", complaints.at[0].where, complaints.at[0].text);
    return catalogue;
}

enum { CITY, DEPARTMENTS, TYPES_A, TYPES_B, ACCOUNTS, BROKER };

/* `text` with the first `from` replaced. */
static char *text_with(const char *text, const char *from, const char *to) {
    const char *at = *from ? strstr(text, from) : text;
    if (!at)
        fail_msg("the file does not hold: %s", from);
    size_t head = (size_t)(at - text), tail = *from ? strlen(from) : strlen(text);
    char *whole = malloc(strlen(text) + strlen(to) + 1);
    assert_non_null(whole);
    sprintf(whole, "%.*s%s%s", (int)head, text, to, text + head + tail);
    return whole;
}

/* --- A good city ------------------------------------------------------------------------------ */

static void a_small_city_loads(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good();
    assert_string_equal(catalogue->city.name, "kuchak");
    assert_string_equal(catalogue->city.title_fa, "کوچک");
    assert_int_equal(catalogue->city.districts_last, 3);
    assert_int_equal(catalogue->city.parcel.parts, 3);
    assert_int_equal(city_purpose(&catalogue->city, slice_of("transfer")), 1);
    assert_int_equal(city_purpose(&catalogue->city, slice_of("court")), -1);
    assert_int_equal(catalogue->departments_count, 4);
    assert_true(catalogue_department(catalogue, slice_of("sabt"))->outside);
    assert_null(catalogue_department(catalogue, slice_of("sab")));
    assert_null(catalogue_department(catalogue, (est_slice){NULL, 0}));
    catalogue_free(&catalogue);
    assert_null(catalogue);
}

static void a_type_is_what_its_file_says(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good();
    const struct ctype *type = catalogue_type(catalogue, slice_of("nosazi.bedehi"));
    assert_non_null(type);
    assert_string_equal(type->department, "nosazi");
    assert_string_equal(type->owner, "memari");
    assert_string_equal(type->operator_, "fava");
    assert_int_equal(type->mode, MODE_AUTOMATIC);
    assert_int_equal(type->purposes, 3);
    assert_string_equal(type->target, "5 s");
    assert_string_equal(type->statutory, "10 cd");
    assert_int_equal(type->expires.us, 30ll * 86400 * EST_US_PER_S);
    assert_string_equal(type->silence, "inside escalate, outside deemed-approved");
    assert_string_equal(type->legal_article, "7");
    assert_string_equal(type->legal_mark, "V");
    assert_int_equal(type->outcomes,
                     1 << EST_OUTCOME_POSITIVE | 1 << EST_OUTCOME_NEGATIVE | 1 << EST_OUTCOME_NO_RECORD);
    assert_int_equal(type->reasons_count, 1);
    assert_string_equal(type->reasons[0], "debt-open");
    assert_string_equal(type->reason_titles[0].fa, "ب");
    assert_string_equal(type->reason_titles[0].en, "d");
    assert_int_equal(type->request.count, 1);
    assert_true(type->request.fields[0].required);
    assert_string_equal(type->reply.fields[0].title_fa, "بدهی");
    assert_false(type->confidential);
    assert_true(catalogue_type(catalogue, slice_of("sabt.malekiyat"))->confidential);
    assert_int_equal(catalogue_type(catalogue, slice_of("sabt.malekiyat"))->purposes, 2);
    assert_null(catalogue_type(catalogue, slice_of("nosazi")));
    assert_null(catalogue_type(catalogue, slice_of("")));
    catalogue_free(&catalogue);
}

/* What is lawful stays so: each of these stands beside a complaint in the table of broken files. */
static void types_within_the_rules_load(void **state) {
    (void)state;
    static const char *const good[][2] = {
        {"statutory: 10 cd", "statutory: 29 cd"},
        {"article: \"7\"", "date: \"1385\""},
        {"article: \"7\"", "date: ۱۳۸۵/۰۲/۱۱"},
        {"article: \"7\"", "date: \"2006-05-01\""},
        {"outside: deemed-approved}\n    legal_basis: {title: t, article: \"7\", mark: V}",
         "outside: fail-closed}\n    legal_basis: {title: t, article: \"7\", mark: P}"},
        {"[positive, negative, no-record]\n    reasons: {debt-open: {fa: ب, en: d}}", "[positive, no-record]"},
        {"nz: {kind: nz}", "nz: {kind: nz}, fn: {kind: fn, required: false}"},
        {"nz: {kind: nz}", "use: {kind: enum, choices: [تجاری, اداری]}"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct catalogue *catalogue;
        city_write();
        char *text = text_with(files[TYPES_A].text, good[i][0], good[i][1]);
        file_write(files[TYPES_A].path, text, strlen(text), 0644);
        free(text);
        if (load(&catalogue) != 0)
            fail_msg("%s: %s: %s", good[i][1], complaints.at[0].where, complaints.at[0].text);
        catalogue_free(&catalogue);
    }
}

/* An inquiry that began before there was a rule ends under the type it began with. */
static void a_stored_type_outlives_the_rules(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good();
    struct ctype *type = NULL;
    static const char *const lawless =
        "{\"name\":\"old.type\",\"title\":{\"fa\":\" \",\"en\":\"t\"},\"owner\":\"a\",\"answerer\":\"a\",\"operator\":\"a\","
        "\"mode\":\"visit\",\"purposes\":\"all\",\"target\":\"5 s\",\"expires\":\"1 s\",\"silence\":\"fail-closed\","
        "\"legal_basis\":{\"title\":\"t\",\"date\":\"1404/13/45\",\"mark\":\"P\"},\"outcomes\":[\"negative\"],"
        "\"request\":{\"fn\":{\"kind\":\"fn\"},\"use\":{\"kind\":\"enum\",\"choices\":[\"ي\",\"ی\"]}},\"reply\":{}}";
    assert_int_equal(ctype_parse(slice_of(lawless), &catalogue->city, &type), 0);
    assert_string_equal(type->name, "old.type");
    ctype_free(&type);
    catalogue_free(&catalogue);
}

static void kinds_tell_their_parts(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good();
    const struct ctype *type = catalogue_type(catalogue, slice_of("sabt.malekiyat"));
    struct schema plaque = field_parts(&type->request.fields[0]);
    assert_int_equal(plaque.count, 4);
    assert_string_equal(plaque.fields[0].name, "main");
    assert_int_equal(field_parts(&type->request.fields[1]).count, 0);
    assert_string_equal(field_kind_name(type->request.fields[1].kind), "enum");
    assert_null(field_kind_name(FIELD_SHA256));
    const struct field *use = &type->request.fields[1];
    assert_string_equal(use->choices[0], "home");
    assert_null(use->choice_titles[0].fa);
    assert_string_equal(use->choices[1], "shop");
    assert_string_equal(use->choice_titles[1].fa, "مغازه");
    assert_string_equal(use->choice_titles[1].en, "Shop");
    catalogue_free(&catalogue);
}

static void accounts_have_their_rights(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good();
    const struct account *portal = catalogue_account(catalogue, slice_of("portal"));
    assert_int_equal(portal->role, ROLE_REQUESTER);
    assert_int_equal(portal->grants_count, 2);
    assert_null(portal->grants[0].type);
    assert_int_equal(portal->grants[0].purposes, 1);
    assert_string_equal(portal->grants[1].type, "sabt.malekiyat");
    assert_int_equal(portal->grants[1].purposes, UINT32_MAX);
    assert_string_equal(portal->keys[0].text, KEY_1);
    assert_int_equal(portal->keys[0].from.us, 1767213000ll * EST_US_PER_S);
    assert_int_equal(portal->keys[0].until.us, 1798835400ll * EST_US_PER_S); /* to the end of the day, in Tehran */
    const struct account *agent = catalogue_account(catalogue, slice_of("nosazi-agent"));
    assert_string_equal(agent->department, "nosazi");
    assert_int_equal(agent->grants_count, 1);
    assert_string_equal(agent->grants[0].type, "nosazi.bedehi");
    assert_int_equal(agent->districts[0], 1 << 1 | 1 << 3);
    assert_int_equal(agent->keys[0].from.us, 0);
    const struct account *sabt = catalogue_account(catalogue, slice_of("sabt-agent"));
    assert_true(sabt->districts[0] == UINT64_MAX && sabt->districts[15] == UINT64_MAX);
    assert_int_equal(catalogue_account(catalogue, slice_of("duty"))->grants_count, 0);
    assert_int_equal(catalogue_account(catalogue, slice_of("duty"))->level, EST_LEVEL_OPERATOR);
    assert_int_equal(catalogue_account(catalogue, slice_of("watch"))->level, EST_LEVEL_OBSERVER);
    assert_int_equal(catalogue_account(catalogue, slice_of("portal"))->level, EST_LEVEL_NONE);
    assert_null(catalogue_account(catalogue, slice_of("nobody")));
    catalogue_free(&catalogue);
}

static void settings_come_from_broker_yaml(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good();
    const struct broker_settings *broker = &catalogue->broker;
    uint8_t key[32];
    assert_true(broker->curve);
    assert_string_equal(broker->store, path_of("store"));
    assert_int_equal(broker->store_size_max, 1ll << 30);
    assert_string_equal(broker->index, path_of("index")); /* beside the store, where nothing is said */
    assert_string_equal(broker->requesters.endpoint, "tcp://0.0.0.0:7501");
    assert_string_equal(broker->operators.endpoint, "ipc:///tmp/duty.sock");
    assert_int_equal(broker->attempts_max, 5);
    assert_int_equal(broker->lease_ms, 30000);
    assert_int_equal(broker->retry_first_ms, 250);
    assert_int_equal(broker->retry_max_ms, 300000);
    assert_int_equal(broker->inquiries_max, 0);
    assert_true(key_text_parse(slice_of(public_text), key));
    assert_memory_equal(broker->public_key, key, 32);
    assert_true(key_text_parse(slice_of(secret_text), key));
    assert_memory_equal(broker->secret_key, key, 32);
    catalogue_free(&catalogue);
}

static void a_folder_alone_has_no_accounts(void **state) {
    (void)state;
    struct catalogue *catalogue = NULL;
    city_write();
    memset(&complaints, 0, sizeof complaints);
    assert_int_equal(catalogue_load_city(path_of("city"), &catalogue, &complaints), 0);
    assert_int_equal(catalogue->types_count, 2);
    assert_int_equal(catalogue->accounts_count, 0);
    assert_null(catalogue->broker.store);
    catalogue_free(&catalogue);
}

static void definitions_make_the_same_types_again(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good();
    for (size_t i = 0; i < catalogue->types_count; i++) {
        const struct ctype *type = &catalogue->types[i];
        struct ctype *again = NULL;
        assert_int_equal(ctype_parse(slice_of(type->definition), &catalogue->city, &again), 0);
        assert_string_equal(again->definition, type->definition);
        assert_string_equal(again->name, type->name);
        assert_string_equal(again->department, type->department);
        assert_int_equal(again->purposes, type->purposes);
        assert_int_equal(again->request.count, type->request.count);
        ctype_free(&again);
    }
    catalogue_free(&catalogue);
}

static void layout_does_not_make_a_new_version(void **state) {
    (void)state;
    struct catalogue *catalogue = load_good(), *again;
    static const char *const changed =
        "# A remark.\ntypes: {nosazi.bedehi: {\"title\": {fa: \"بدهی\", en: Debt}, owner: memari, answerer: "
        "nosazi,\n"
        " operator: fava, mode: automatic, purposes: all, target: \"5 s\", statutory: 10 cd, expires: 30 "
        "d,\n"
        " silence: {inside: escalate, outside: deemed-approved}, legal_basis: {title: t, article: \"7\", "
        "mark: V},\n"
        " outcomes: [positive, negative, no-record], reasons: {debt-open: {fa: ب, en: d}},\n"
        " request: {nz: {kind: nz}}, reply: {debt: {kind: rial, title: {fa: بدهی, en: Debt}}}}}\n";
    file_write("city/types/a.yaml", changed, strlen(changed), 0644);
    assert_int_equal(load(&again), 0);
    assert_string_equal(catalogue_type(again, slice_of("nosazi.bedehi"))->definition,
                        catalogue_type(catalogue, slice_of("nosazi.bedehi"))->definition);
    catalogue_free(&again);
    catalogue_free(&catalogue);
}

/* --- Broken files ----------------------------------------------------------------------------- */

#define REQUEST "    request: {nz: {kind: nz}}\n"

static const struct broken {
    int file;
    const char *from, *to; /* "": the whole file */
    const char *where;     /* line:column */
    const char *says;
} broken[] = {
    /* city.yaml */
    {CITY, "city: {id", "citty: {id", "1:1", "`city` is missing"},
    {CITY, "id: kuchak", "id: Kuchak", "1:12", "`Kuchak` is no name for a city"},
    {CITY, "fa: کوچک, ", "", "1:27", "`fa` is missing in title"},
    {CITY, "en: Kuchak", "en: ~", "1:42", "`en` must be a text, not nothing"},
    {CITY, "parts: 3", "parts: 9", "2:17", "`parts` must be a whole number from 1 to 8"},
    {CITY, "parts: 3", "parts: \"3\"", "2:17", "without quotes"},
    {CITY, "district_part: 2", "district_part: 4", "2:35", "the code has only 3 parts"},
    {CITY, "digits_max", "digit_max", "2:38", "unknown key `digit_max`; did you mean `digits_max`?"},
    {CITY, "first: 1, last: 3", "first: 3, last: 1", "2:64", "the last district comes before the first"},
    {CITY, "digits_max: 4", "digits_max: 4, hierarchy: true", "2:64", "for codes of 7 parts"},
    {CITY, "digits_max: 4", "digits_max: 4, file_digits: 2", "2:66", "needs digits after its two"},
    {CITY, "last: 3}", "last: 300}, file_digits: 9", "2:100", "districts above 99"},
    {CITY, ", districts: {first: 1, last: 3}", "", "2:9", "`districts` is missing in parcel"},
    {CITY, "  permit: {title: {fa: پروانه, en: Permit}}\n  transfer: {title: {fa: انتقال, en: Transfer}}",
     "  {}", "4:3", "purposes are a map of 1 to 32"},
    {CITY, "  transfer:", "  Transfer:", "5:3", "`Transfer` is no name for a purpose"},
    {CITY, "  transfer:", "  all:", "5:3", "`all` means every purpose"},
    {CITY, "", "just text", "1:1", "must be a map of keys and values"},
    /* departments.yaml */
    {DEPARTMENTS, "departments:", "department:", "1:1", "did you mean `departments`?"},
    {DEPARTMENTS, "outside: true", "outside: yes", "4:51", "must be true or false"},
    {DEPARTMENTS, "  sabt: {title: {fa: ثبت, en: Registry}, outside: true}", "  sabt: 7", "4:9",
     "`sabt` must be a map of keys and values, not a plain value"},
    {DEPARTMENTS, "  sabt:", "  nosazi:", "4:3", "`nosazi` is there twice, first on line 3"},
    /* types */
    {TYPES_A, "    owner: memari\n", "", "3:5", "`owner` is missing in nosazi.bedehi; add it"},
    {TYPES_A, "    answerer: nosazi\n", "", "3:5", "`answerer` is missing in nosazi.bedehi; add it"},
    {TYPES_A, "    operator: fava\n", "", "3:5", "`operator` is missing in nosazi.bedehi; add it"},
    {TYPES_A, "answerer: nosazi", "answerer: nosaz", "5:15",
     "there is no department `nosaz`; did you mean `nosazi`?"},
    {TYPES_A, "owner: memari", "owner: qwerty", "4:12",
     "there is no department `qwerty`; add it to departments.yaml"},
    {TYPES_A, "mode: automatic", "mode: automatik", "7:11",
     "unknown word `automatik`; did you mean `automatic`?"},
    {TYPES_B, "confidential: true", "confidential: court", "18:19", "must be true or false"},
    {TYPES_A, "mode: automatic", "mode: robot", "7:11",
     "use one of: automatic, automatic-then-clerk, clerk, visit"},
    {TYPES_A, "purposes: all", "purposes: [permit, court]", "8:24", "the city has no purpose `court`"},
    {TYPES_A, "purposes: all", "purposes: [permit, permit]", "8:24", "`permit` is there twice"},
    {TYPES_A, "purposes: all", "purposes: []", "8:15", "purposes are `all` or a list"},
    {TYPES_A, "target: 5 s", "target: 5s", "9:13", "`5s` is no term"},
    {TYPES_A, "statutory: 10 cd", "statutory: ten days", "10:16", "`ten days` is no term"},
    {TYPES_A, "expires: 30 d", "expires: 30 wd", "11:14", "`expires` must be a time span"},
    {TYPES_A, "expires: 30 d", "expires: 0 d", "11:14", "at least 1 s"},
    {TYPES_A, "outside: deemed-approved", "outside: deemed", "12:42", "unknown word `deemed`"},
    {TYPES_A, "silence: {inside: escalate, outside: deemed-approved}", "silence: deemed", "12:14",
     "unknown word"},
    {TYPES_A, "inside: escalate, ", "", "12:14", "`inside` is missing in silence"},
    {TYPES_A, "article: \"7\"", "articel: \"7\"", "13:29", "unknown key `articel`; did you mean `article`?"},
    {TYPES_A, "mark: V", "mark: X", "13:49", "use one of: V, S, C, U, P"},
    {TYPES_A, ", mark: V", "", "13:18", "`mark` is missing in legal_basis"},
    {TYPES_A, "no-record]", "no-records]", "14:36", "unknown word `no-records`; did you mean `no-record`?"},
    {TYPES_A, "no-record]", "positive]", "14:36", "the outcome `positive` is there twice"},
    {TYPES_A, "[positive, negative, no-record]", "[]", "14:15", "outcomes are a list such as"},
    {TYPES_A, "reasons: {debt-open: {fa: ب, en: d}}", "reasons: {}", "15:14",
     "reasons are a map of 1 to 256"},
    {TYPES_A, "reasons: {debt-open", "reasons: {Debt", "15:15", "`Debt` is no name for a reason"},
    {TYPES_A, "fa: ب, en: d", "fa: ب", "15:26", "`en` is missing in debt-open"},
    {TYPES_A, "request: {nz: {kind: nz}}", "request: {}", "16:14", "an inquiry asks about something"},
    {TYPES_A, "kind: nz}}", "kind: nx}}", "16:26", "unknown word `nx`; did you mean `nz`?"},
    {TYPES_A, "{kind: nz}", "{}", "16:19", "`kind` is missing in nz"},
    {TYPES_A, "nz: {kind: nz}", "N-z: {kind: nz}", "16:15", "`N-z` is no name for a field"},
    {CITY, "purposes:\n", "bounds: {west: 50.8, south: 35.3, east: 51.9}\npurposes:\n", "3:9", "`north` is missing"},
    {CITY, "purposes:\n", "bounds: {west: 51.9, south: 35.3, east: 50.8, north: 36}\npurposes:\n", "3:9", "swap them"},
    {CITY, "purposes:\n", "bounds: {west: 1, south: 35, east: 2, north: 90.1}\npurposes:\n", "3:46", "from -90 to 90"},
    {CITY, "purposes:\n", "bounds: {west: x, south: 35, east: 2, north: 36}\npurposes:\n", "3:16", "from -180 to 180"},
    {CITY, "purposes:\n", "bounds: [1, 2, 3, 4]\npurposes:\n", "3:9", "map"},
    {TYPES_A, "{kind: nz}", "{kind: nz, anywhere: true}", "16:30", "`anywhere` is for kind geo, not for kind nz"},
#define GROUPS(groups, fields) "    one_of: " groups "\n    request: {" fields "}\n"
#define OPTIONAL(name)         name ": {kind: nid, required: false}"
    {TYPES_A, REQUEST, GROUPS("[]", "nz: {kind: nz}"), "16:13", "a list of 1 to 8 groups"},
    {TYPES_A, REQUEST, GROUPS("nz", "nz: {kind: nz}"), "16:13", "a list of 1 to 8 groups"},
    {TYPES_A, REQUEST, GROUPS("[nz, nid]", "nz: {kind: nz}"), "16:14", "two fields or more"},
    {TYPES_A, REQUEST, GROUPS("[[nid]]", OPTIONAL("nid")), "16:14", "two fields or more"},
    {TYPES_A, REQUEST, GROUPS("[[nid, lid]]", OPTIONAL("nid")), "16:20", "`lid` is no field of the request; did you mean `nid`?"},
    {TYPES_A, REQUEST, GROUPS("[[nid, nid]]", OPTIONAL("nid")), "16:20", "`nid` is there twice"},
    {TYPES_A, REQUEST, GROUPS("[[nid, nz]]", OPTIONAL("nid") ", nz: {kind: nz}"), "16:20", "`nz` is needed anyway"},
    {TYPES_A, "{kind: nz}", "{kind: nz, list: {min: 3, max: 2}}", "16:36", "min is above max"},
    {TYPES_A, "{kind: nz}", "{kind: nz, list: {min: 0}}", "16:36", "`max`"},
    {TYPES_A, "{kind: nz}", "{kind: nz, not_before: nz}", "16:30", "`not_before` is for kind jd, not for kind nz"},
    {TYPES_A, "{kind: nz}", "{kind: jd, not_before: to}, to: {kind: jd}", "16:42", "declared above this one"},
    {TYPES_A, "{kind: nz}", "{kind: code, max: 201}", "16:37", "from 0 to 200"},
    {TYPES_A, "{kind: nz}", "{kind: nz, min: 3}", "16:30",
     "`min` is for numbers, text and codes, not for kind nz"},
    {TYPES_A, "{kind: nz}", "{kind: enum}", "16:19", "`choices` is missing in nz"},
    {TYPES_A, "{kind: nz}", "{kind: enum, choices: [a, a]}", "16:45", "the choice `a` is there twice"},
    {TYPES_B, ", en: Shop", "", "16:48", "`en` is missing in shop"},
    {TYPES_B, "{shop: {fa: مغازه, en: Shop}}", "{shop: {fa: م, en: S}, flat: {fa: م, en: F}}", "16:41",
     "or one such word with its titles"},
    {TYPES_B, "{shop: {", "{home: {", "16:41", "the choice `home` is there twice"},
    {TYPES_A, "{kind: nz}", "{kind: enum, choices: []}", "16:41", "choices are a list of 1 to 64"},
    {TYPES_A, "{kind: nz}", "{kind: int, min: 2, max: 1}", "16:19", "min is above max"},
    {TYPES_A, "{kind: nz}", "{kind: text, max: 2001}", "16:37", "from 0 to 2000"},
    {TYPES_A, "{kind: nz}", "{kind: nz, list: 0}", "16:36", "`list` must be a whole number from 1 to 1000"},
    {TYPES_A, "{kind: nz}", "{kind: nz, required: no}", "16:40", "must be true or false"},
    {TYPES_A, "{kind: nz}", "{kind: record}", "16:19", "`fields` is missing in nz"},
    {TYPES_A, "{kind: nz}", "{kind: nz, fields: {a: {kind: nz}}}", "16:30", "`fields` is for kind record"},
    {TYPES_A, "{kind: nz}",
     "{kind: record, fields: {a: {kind: record, fields: {b: {kind: record, fields: {c: {kind: nz}}}}}}}",
     "16:96", "records stand in each other at most 3 deep"},
    {TYPES_A, "{kind: nz}", "{kind: record, list: 2, fields: {a: {kind: visit, list: 2}}}", "16:14",
     "nest deeper than 8"},
    {TYPES_A, "title: {fa: بدهی, en: Debt}}}", "title: {fa: بدهی}}}", "17:39", "`en` is missing in title"},
    {TYPES_A, "  nosazi.bedehi:\n", "  nosazi_bedehi:\n", "2:3", "`nosazi_bedehi` is no name for a type"},
    {TYPES_A, "    owner: memari\n", "    owner: memari\n    name: x\n", "5:5",
     "a type is named by its own key"},
    {TYPES_B, "silence: fail-closed", "silence: deemed-approved", "11:14",
     "a type that needs a visit is never deemed approved"},
    {TYPES_B, "mode: visit\n", "mode: clerk\n    silence: {inside: escalate, outside: deemed-approved}\n",
     "12:5", "`silence` is there twice"},
    {TYPES_B, "sabt.malekiyat:", "nosazi.bedehi:", "2:3",
     "the type `nosazi.bedehi` is declared already, in "},
    /* What the keys of a type ask of each other. */
    {TYPES_A, "operator: fava", "operator: memari", "6:15",
     "owner and operator are both `memari`; owner, answerer and operator are three bodies"},
    {TYPES_A, "answerer: nosazi", "answerer: memari", "5:15", "owner and answerer are both `memari`"},
    {TYPES_A, "operator: fava", "operator: nosazi", "6:15", "answerer and operator are both `nosazi`"},
    {TYPES_A, "    statutory: 10 cd\n", "", "11:14", "at the statutory date, and there is none; add `statutory`"},
    {TYPES_A, "mark: V", "mark: P", "13:49", "deemed approval by a law only, and mark P says there is none"},
    {TYPES_A, "statutory: 10 cd", "statutory: 30 cd", "11:14",
     "would end as expired before its statutory term of 30 cd is over; raise expires"},
    {TYPES_A, "statutory: 10 cd", "statutory: 1 mo", "11:14", "before its statutory term of 1 mo is over"},
    {TYPES_A, "target: 5 s", "target: 9999 mo", "11:14", "before its target term of 9999 mo is over"},
    {TYPES_A, "expires: 30 d", "expires: 1 s", "11:14", "before its target term of 5 s is over"},
    {TYPES_A, "    reasons: {debt-open: {fa: ب, en: d}}\n", "", "14:15",
     "a refusal has a cause; declare `reasons`, or take `negative` out"},
    {TYPES_A, "nz: {kind: nz}", "fn: {kind: fn}", "16:14",
     "no request can ever pass: `fn` is a required file number, and the city has none"},
    {TYPES_A, "debt: {kind: rial,", "all: {kind: record, fields: {fn: {kind: fn}}},  debt: {kind: rial,", "17:12",
     "no reply can ever pass: `fn`"},
    {TYPES_A, "article: \"7\"", "date: \"1404/13/45\"", "13:35", "`1404/13/45` is no date of a law"},
    {TYPES_A, "{fa: بدهی, en: Debt}\n", "{fa: بدهی, en: \"  \"}\n", "3:27", "this text is blank"},
    {TYPES_A, "{fa: ب, en: d}", "{fa: \"\\u200C \\u00A0\", en: d}", "15:31", "this text is blank"},
    {TYPES_B, "visit: {kind: visit}}", "visit: {kind: visit, required: false}}", "17:12",
     "add a required field of kind visit"},
    {TYPES_B, ", visit: {kind: visit}}", ", visits: {kind: visit, list: 2}}", "17:12",
     "add a required field of kind visit"},
    {TYPES_B, "[home, {shop: {fa: مغازه, en: Shop}}]", "[تجاري, خانه, تجاری]", "16:34", "look the same (ي and ی, ك and ک); remove one"},
    {TYPES_B, "[home, {shop: {fa: مغازه, en: Shop}}]", "[باغ‌شهر, باغشهر]", "16:34", "look the same"},
    /* accounts.yaml */
    {ACCOUNTS, "role: requester", "role: requestor", "3:11",
     "unknown word `requestor`; did you mean `requester`?"},
    {ACCOUNTS, "role: operator,", "role: operator, asks: [],", "13:26", "unknown key `asks`"},
    {ACCOUNTS, "level: observer", "level: chief", "14:34", "unknown word `chief`; use one of: observer, operator, administrator"},
    {ACCOUNTS, "{role: operator, keys: []}", "{role: department, level: operator, department: sabt, keys: []}", "13:28", "unknown key `level`"},
    {ACCOUNTS, "types: [sabt.malekiyat]", "types: [sabt.malekiat]", "5:55",
     "there is no inquiry type `sabt.malekiat`; did you mean `sabt.malekiyat`?"},
    {ACCOUNTS, "types: all,", "types: [],", "5:20", "types are `all` or a list"},
    {ACCOUNTS, "purposes: [permit]", "purposes: [permits]", "5:36",
     "no purpose `permits`; did you mean `permit`?"},
    {ACCOUNTS, "department: nosazi", "department: nosaz", "9:17", "there is no department `nosaz`"},
    {ACCOUNTS, "answers: [sabt.malekiyat]", "answers: [nosazi.bedehi]", "12:62",
     "`nosazi.bedehi` is answered by nosazi, not by sabt"},
    {ACCOUNTS, "districts: [1, 3]", "districts: [1, 4]", "10:20", "a whole number from 0 to 3"},
    {ACCOUNTS, "districts: [1, 3]", "districts: []", "10:16", "districts are `all` or a list"},
    {ACCOUNTS, "public: \"rq:", "public: \"rq ", "6:21", "this is no key of 40 Z85 characters"},
    {ACCOUNTS, KEY_2, KEY_1, "11:21", "this key is there twice"},
    {ACCOUNTS, "from: 2026-01-01", "from: 2026-02-30", "6:71", "`2026-02-30` is no date"},
    {ACCOUNTS, "until: 1405/10/11", "until: 2025-12-31", "6:90", "the key ends before it begins"},
    {ACCOUNTS, "{role: operator, keys: []}", "{role: operator}", "13:9", "`keys` is missing in duty"},
    {ACCOUNTS, "  duty:", "  Duty:", "13:3", "`Duty` is no name for an account"},
    /* broker.yaml */
    {BROKER, "security: curve", "security: plain", "7:15", "security: plain is for 127.0.0.1"},
    {BROKER, "security: curve", "security: none", "4:11", "unknown word `none`; use one of: plain, curve"},
    {BROKER, "key: broker.key\n", "", "1:1", "`key` is missing"},
    {BROKER, "key: broker.key", "key: absent.key", "5:6", "the key file cannot be read: No such file"},
    {BROKER, "size_max: 1 GiB", "size_max: 1 MiB", "3:37", "at least 16 MiB"},
    {BROKER, "tcp://127.0.0.1:7502", "tcp://127.0.0.1", "8:16", "tcp://address:port"},
    {BROKER, "tcp://127.0.0.1:7502", "tcp://127.0.0.1:75020", "8:16", "up to 65535"},
    {BROKER, "tcp://127.0.0.1:7502", "udp://127.0.0.1:7502", "8:16", "begins with tcp:// or ipc://"},
    {BROKER, "tcp://127.0.0.1:7502", "tcp://0.0.0.0:7501", "8:16",
     "requesters and departments have one endpoint"},
    {BROKER, "  operators: \"ipc:///tmp/duty.sock\"\n", "", "7:3", "`operators` is missing in listen"},
    {BROKER, "attempts_max: 5", "attempts_max: 0", "10:24", "from 1 to 255"},
    {BROKER, "attempts_max: 5", "attempts_max: 256", "10:24", "from 1 to 255"},
    {BROKER, "lease: 30 s", "lease: 1 ms", "10:34", "`lease` must be from 50 ms"},
    {BROKER, "retry_max: 5 min", "retry_max: 1 ms", "10:72", "retry_max is below retry_first"},
    {BROKER, "retry_first: 250 ms, retry_max: 5 min", "retry_first: 1 h", "10:53", "retry_first is above retry_max, which is 300000 ms"},
    {BROKER, "retry_first: 250 ms, retry_max: 5 min", "retry_max: 500 ms", "10:51", "retry_max is below retry_first, which is 1000 ms"},
    {BROKER, "catalogue: city\n", "", "1:1", "`catalogue` is missing"},
    {BROKER, "accounts: accounts.yaml\n", "", "1:1", "`accounts` is missing"},
    {BROKER, "store: {directory: store", "store: {direktory: store", "3:9", "unknown key `direktory`"},
    {BROKER, "security: curve", "index: {directory: store}\nsecurity: curve", "4:8", "a directory of its own"},
    {BROKER, "security: curve", "index: {enabled: perhaps}\nsecurity: curve", "4:18", ""},
    {BROKER, "security: curve", "index: {folder: here}\nsecurity: curve", "4:9", "unknown key `folder`"},
};

static bool complained(const char *where, const char *says) {
    for (size_t i = 0; i < complaints.kept; i++) {
        if (strcmp(complaints.at[i].where, where) == 0 && strstr(complaints.at[i].text, says))
            return true;
    }
    return false;
}

static void each_broken_file_is_named_with_line_and_column(void **state) {
    (void)state;
    unsigned failures = 0;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        const struct file *file = &files[broken[i].file];
        struct catalogue *catalogue;
        char where[256];
        city_write();
        char *text = text_with(file->text, broken[i].from, broken[i].to);
        file_write(file->path, text, strlen(text), 0644);
        free(text);
        snprintf(where, sizeof where, "%s/%s:%s", folder, file->path, broken[i].where);
        int result = load(&catalogue);
        /* Two where a misspelt key is also the lack of the right one; never an avalanche. */
        if (result == -EST_INPUT && !catalogue && complaints.count <= 2 && complained(where, broken[i].says))
            continue;
        failures++;
        print_error("%s -> %s: expected %s %s\n", broken[i].from, broken[i].to, where, broken[i].says);
        for (size_t k = 0; k < complaints.kept; k++)
            print_error("    %s: %s\n", complaints.at[k].where, complaints.at[k].text);
        catalogue_free(&catalogue);
    }
    assert_int_equal(failures, 0);
}

static void complaints_of_all_files_come_together(void **state) {
    (void)state;
    static const int touched[] = {CITY, DEPARTMENTS, TYPES_A, TYPES_B, ACCOUNTS, BROKER};
    static const char *const edits[][2] = {
        {"id: kuchak", "id: Kuchak"},      {"outside: true", "outside: 1"},
        {"target: 5 s", "target: 5"},      {"kind: enum", "kind: enumeration"},
        {"role: operator", "role: chief"}, {"size_max: 1 GiB", "size_max: 1"},
    };
    struct catalogue *catalogue;
    for (size_t i = 0; i < FILES; i++) {
        char *text = text_with(files[touched[i]].text, edits[i][0], edits[i][1]);
        file_write(files[i].path, text, strlen(text), 0644);
        free(text);
    }
    assert_int_equal(load(&catalogue), -EST_INPUT);
    assert_int_equal(complaints.count, 6);
}

/* As many as the record has numbers for are taken, and one more is the loader's complaint, not the broker's. */
static void departments_are_as_many_as_there_are_numbers(void **state) {
    (void)state;
    for (int more = 0; more < 2; more++) {
        char *text = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&text, &size);
        assert_non_null(file);
        fputs("departments:\n", file);
        for (int i = 0; i < DEPARTMENTS_EVER + more; i++)
            fprintf(file, "  d%d: {title: {fa: اداره, en: Department}}\n", i);
        assert_int_equal(fclose(file), 0);
        city_write();
        file_write(files[DEPARTMENTS].path, text, size, 0644);
        free(text);
        struct catalogue *catalogue;
        char where[256];
        assert_int_equal(load(&catalogue), -EST_INPUT); /* its types are of other departments */
        snprintf(where, sizeof where, "%s/%s:2:3", folder, files[DEPARTMENTS].path);
        assert_int_equal(complained(where, "1 to 511 names"), more);
    }
}

static void a_city_needs_types(void **state) {
    (void)state;
    struct catalogue *catalogue = NULL;
    memset(&complaints, 0, sizeof complaints);
    assert_int_equal(catalogue_load_city(path_of("empty"), &catalogue, &complaints), -EST_INPUT);
    assert_int_equal(complaints.count, 3); /* city.yaml, departments.yaml, types */
    assert_non_null(strstr(complaints.at[2].text, "a city needs at least one"));
    assert_int_equal(catalogue_load(path_of("nothing.yaml"), &catalogue, &complaints), -EST_INPUT);
    assert_null(catalogue);
}

static void plain_is_taken_on_loopback(void **state) {
    (void)state;
    struct catalogue *catalogue;
    city_write();
    const char *text =
        "catalogue: city\naccounts: accounts.yaml\nstore: {directory: store}\nsecurity: plain\n"
        "listen: {requesters: \"tcp://127.0.0.1:*\", departments: \"tcp://127.0.0.1:*\","
        " operators: \"tcp://[::1]:7503\"}\n";
    file_write("broker.yaml", text, strlen(text), 0644);
    assert_int_equal(load(&catalogue), 0);
    assert_false(catalogue->broker.curve);
    assert_int_equal(catalogue->broker.store_size_max, 64ll << 30);
    catalogue_free(&catalogue);
}

/* --- Tehran ----------------------------------------------------------------------------------- */

/* What the law says of silence is known for a permit asked of the utilities; of the rest it is not. */
static void tehran_takes_silence_for_consent_only_where_the_domain_does(void **state) {
    (void)state;
    static const char *const deemed[] = {"abfa.harim", "bargh.harim", "gas.harim", "senfi.mahal"};
    struct catalogue *catalogue = NULL;
    size_t found = 0;
    memset(&complaints, 0, sizeof complaints);
    assert_int_equal(catalogue_load_city(DEPLOY "/tehran", &catalogue, &complaints), 0);
    uint32_t permit = UINT32_C(1) << city_purpose(&catalogue->city, slice_of("permit"));
    for (size_t i = 0; i < catalogue->types_count; i++) {
        const struct ctype *type = &catalogue->types[i];
        if (!strstr(type->silence, "deemed-approved"))
            continue;
        assert_true(found < 4);
        assert_string_equal(type->name, deemed[found++]);
        assert_string_equal(type->legal_mark, "U");
        if (strstr(type->name, ".harim"))
            assert_int_equal(type->purposes, permit);
    }
    assert_int_equal(found, 4);
    catalogue_free(&catalogue);
}

/* --- Keys and days ---------------------------------------------------------------------------- */

static void key_texts_are_z85_of_32_bytes(void **state) {
    (void)state;
    uint8_t key[32], zmq_key[32];
    assert_true(key_text_parse(slice_of(KEY_1), key));
    assert_non_null(zmq_z85_decode(zmq_key, KEY_1));
    assert_memory_equal(key, zmq_key, 32);
    assert_false(key_text_parse(slice_of(""), key));
    assert_false(key_text_parse((est_slice){KEY_1, 39}, key));
    assert_false(key_text_parse(slice_of("rq rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"), key));
    assert_false(key_text_parse(slice_of("#####>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"), key)); /* above 2^32 */
}

static void assert_key_file(const char *text, mode_t mode, const char *says) {
    uint8_t public_key[32], secret_key[32];
    const char *why = "";
    file_write("other.key", text, strlen(text), mode);
    assert_int_equal(key_file_load(path_of("other.key"), public_key, secret_key, &why), -EST_INPUT);
    if (!strstr(why, says))
        fail_msg("another reason: %s", why);
}

static void key_files_are_checked(void **state) {
    (void)state;
    char text[256], wrong[256];
    const char *why = NULL;
    uint8_t public_key[32];
    snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", public_text, secret_text);
    assert_key_file(text, 0640, "chmod 600");
    assert_key_file(text, 0604, "chmod 600");
    snprintf(wrong, sizeof wrong, "public: \"%s\"\nsecret: \"%s\"\n", KEY_1, secret_text);
    assert_key_file(wrong, 0600, "do not belong together");
    snprintf(wrong, sizeof wrong, "public: \"%s\"\n", public_text);
    assert_key_file(wrong, 0600, "`secret:` is absent");
    assert_key_file("public: x\n", 0600, "`public:` is not a key");
    assert_key_file("- x\n", 0600, "only");
    assert_key_file("a: [\n", 0600, "is no YAML; restore it");
    assert_key_file("", 0600, "is empty; restore it");
    file_write("other.key", wrong, strlen(wrong), 0644);
    assert_int_equal(key_file_load(path_of("other.key"), public_key, NULL, &why),
                     0); /* public halves may be read */
    assert_int_equal(key_file_load(path_of("absent.key"), public_key, NULL, &why), -EST_INPUT);
    assert_non_null(strstr(why, "No such file or directory; restore it from your backup, or"));
    assert_int_equal(key_file_load(folder, public_key, NULL, &why), -EST_INPUT);
    assert_non_null(strstr(why, "this is no file"));
}

/* Who obeyed the advice to make another would cut off everybody who has the public half of this one. */
static void key_that_is_there_is_never_to_be_made_anew(void **state) {
    (void)state;
    static const char *const texts[] = {"", "a: [\n", "- x\n", "public: x\n"};
    enum { NOBODY = 65534 };
    uint8_t public_key[32], secret_key[32];
    const char *why = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        file_write("other.key", texts[i], strlen(texts[i]), 0600);
        assert_int_equal(key_file_load(path_of("other.key"), public_key, secret_key, &why), -EST_INPUT);
        assert_null(strstr(why, "key new"));
    }
    file_write("other.key", "public: x\n", 10, 0);
    pid_t child = fork();
    if (child == 0) {
        if (chmod(folder, 0755) != 0 || (geteuid() == 0 && seteuid(NOBODY) != 0))
            _exit(2);
        int rc = key_file_load(path_of("other.key"), public_key, secret_key, &why);
        bool is_said = rc < 0 && strstr(why, "Permission denied; run as the user it belongs to, or chown it");
        _exit(is_said && !strstr(why, "key new") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(remove(path_of("other.key")), 0); /* the next test writes it */
}

static void days_and_instants_are_read(void **state) {
    (void)state;
    static const char *const days[] = {"2025-03-21", "1404/01/01", "۱۴۰۴-۰۱-۰۱", "1404/1/1", "۱۴۰۴/۱/۱", "٢٠٢٥-٠٣-٢١"};
    static const char *const bad[] = {"2025-3-21", "1404/1", "1404/1/", "1404/1-1", "1404/001/1", "1404/1/1/",
                                      "2025-02-29",
                                      "2025/03/21",
                                      "2025-03-21T00:00:00",
                                      "2025-03-21T24:00:00Z",
                                      "2025-03-21T00:00:00+3:30",
                                      "",
                                      "2025-03-21 00:00:00Z",
                                      "2025-03-21T00:00:00.Z"};
    est_time day;
    char text[WHEN_MAX];
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        assert_true(when_parse_day(slice_of(days[i]), &day));
        assert_int_equal(day.us, 1742515200ll * EST_US_PER_S);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(when_canonical(slice_of(bad[i]), text));
        assert_false(when_parse_day(slice_of(bad[i]), &day));
    }
    assert_int_equal(when_tomorrow_here((est_time){0}).us, (86400 - 12600) * EST_US_PER_S);
    assert_int_equal(when_tomorrow_here((est_time){-12600 * EST_US_PER_S - 1}).us, -12600 * EST_US_PER_S);
    assert_int_equal(when_tomorrow_here((est_time){-12600 * EST_US_PER_S}).us, (86400 - 12600) * EST_US_PER_S);
    assert_true(when_canonical(slice_of("2024-02-29T01:02:03-23:59"), text));
    assert_string_equal(text, "2024-03-01T01:01:03Z");
    assert_true(when_canonical(slice_of("۲۰۲۶-۰۱-۰۵t۱۰:۳۰:۰۰.۹۹۹+03:30"), text));
    assert_string_equal(text, "2026-01-05T07:00:00Z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_city_loads),
        cmocka_unit_test(a_type_is_what_its_file_says),
        cmocka_unit_test(types_within_the_rules_load),
        cmocka_unit_test(a_stored_type_outlives_the_rules),
        cmocka_unit_test(kinds_tell_their_parts),
        cmocka_unit_test(accounts_have_their_rights),
        cmocka_unit_test(settings_come_from_broker_yaml),
        cmocka_unit_test(a_folder_alone_has_no_accounts),
        cmocka_unit_test(definitions_make_the_same_types_again),
        cmocka_unit_test(layout_does_not_make_a_new_version),
        cmocka_unit_test(each_broken_file_is_named_with_line_and_column),
        cmocka_unit_test(complaints_of_all_files_come_together),
        cmocka_unit_test(departments_are_as_many_as_there_are_numbers),
        cmocka_unit_test(a_city_needs_types),
        cmocka_unit_test(plain_is_taken_on_loopback),
        cmocka_unit_test(tehran_takes_silence_for_consent_only_where_the_domain_does),
        cmocka_unit_test(key_texts_are_z85_of_32_bytes),
        cmocka_unit_test(key_files_are_checked),
        cmocka_unit_test(key_that_is_there_is_never_to_be_made_anew),
        cmocka_unit_test(days_and_instants_are_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
