/* test_parts.c - keys, traces, times and tokens by themselves, and `estelam token` as people run it. */
#include "defect.h"
#include "gate.h"
#include "hooks.h"
#include "hookstore.h"
#include "key.h"
#include "line.h"
#include "problem.h"
#include "trace.h"
#include "view.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Defects -------------------------------------------------------------------------------- */

static void each_kind_of_defect_is_told_in_persian(void **state) {
    static const char fields_text[] =
        "[{'name':'nid','kind':'nid','title_fa':'کد ملی'},"
        " {'name':'m2','kind':'m2','title_fa':'مساحت','min':0,'max':9223372036854775807},"
        " {'name':'parking','kind':'int','min':-5,'max':100},"
        " {'name':'note','kind':'text','list':true,'items_max':20,'min':0,'max':64},"
        " {'name':'use','kind':'enum','choices':['home','other'],"
        "  'choice_titles':{'home':{'title_fa':'خانه','title_en':'Home'}}},"
        " {'name':'lid','kind':'lid','title_fa':'شناسه ملی','required':false},"
        " {'name':'bill','kind':'code','required':true,'min':1,'max':32},"
        " {'name':'areas','kind':'record','list':true,'items_min':1,'items_max':9},"
        " {'name':'geo','kind':'geo'},{'name':'to','kind':'jd','not_before':'from'},"
        " {'name':'plq','kind':'plq','title_fa':'پلاک ثبتی'},"
        " {'name':'trees','kind':'record','list':true,'items_max':9,'title_fa':'درخت‌ها',"
        "  'fields':[{'name':'cm','kind':'int','title_fa':'محیط','min':1,'max':2000}]}]";
    static const struct {
        const char *path, *kind, *says;
    } cases[] = {
        {"nid", "missing", "کد ملی: این فیلد لازم است و خالی است یا فرستاده نشده است"},
        {"nid", "duplicate", "کد ملی: این فیلد بیش از یک بار آمده است"},
        {"nid", "checksum", "کد ملی: رقم کنترل آن نمی‌خواند؛ رقم‌ها را بازبینی کنید"},
        {"nid", "format", "کد ملی: با قاعده کد ملی (ده رقم) نمی‌خواند"},
        {"m2", "range", "مساحت: باید دست‌کم ۰ باشد"},
        {"m2", "type", "مساحت: باید عدد صحیح باشد"},
        {"parking", "range", "باید از -۵ تا ۱۰۰ باشد"},
        {"note", "length", "حداکثر ۲۰ مورد پذیرفته است"},
        {"note", "type", "باید فهرست باشد"},
        {"note[3]", "length", "باید از ۰ تا ۶۴ نویسه باشد"},
        {"note[3]", "type", "باید متن باشد"},
        {"use", "choice", "باید یکی از این‌ها باشد: خانه (home)، other"},
        {"lid", "missing", "شناسه ملی: این فیلد یا یکی دیگر از گروهش لازم است"},
        {"bill", "missing", "این فیلد لازم است و خالی است یا فرستاده نشده است"},
        {"bill", "length", "باید از ۱ تا ۳۲ نویسه باشد"},
        {"bill", "type", "باید متن باشد تا صفرهای آغاز بماند"},
        {"areas", "length", "باید از ۱ تا ۹ مورد داشته باشد"},
        {"geo.coordinates[0]", "range",
         "جایی بیرون از شهر است؛ نخست طول و سپس عرض جغرافیایی، به درجه و به صورت متن"},
        {"to", "range", "نباید پیش از `from` باشد"},
        {"plq.main", "length", "پلاک ثبتی: طول آن پذیرفتنی نیست"},
        {"plq.zz", "unknown", "پلاک ثبتی: چنین فیلدی تعریف نشده است"},
        {"trees[2].cm", "range", "محیط: باید از ۱ تا ۲۰۰۰ باشد"},
        {"trees[2].frob", "unknown", "درخت‌ها: چنین فیلدی تعریف نشده است"},
        {"frob", "unknown", "چنین فیلدی تعریف نشده است"},
        {"", "format", "درست نوشته نشده است"},
        {"nid", "a-later-kind", "کد ملی: مقدار این فیلد پذیرفتنی نیست"},
    };
    (void)state;
    char text[sizeof fields_text];
    memcpy(text, fields_text, sizeof text);
    for (char *at = text; (at = strchr(at, '\''));)
        *at = '"';
    json_t *fields = json_loads(text, 0, NULL), *defects = json_array();
    assert_non_null(fields);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        json_array_append_new(defects, json_pack("{s:s, s:s}", "path", cases[i].path, "kind", cases[i].kind));
    defects_persian(defects, fields);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(
            json_string_value(json_object_get(json_array_get(defects, i), "text_fa")), cases[i].says);
    json_decref(defects);
    json_decref(fields);
}

/* --- Idempotency keys ----------------------------------------------------------------------- */

static void a_uuid_is_the_id_and_any_other_key_always_the_same_one(void **state) {
    est_id a, b, c, d;
    char text[EST_ID_TEXT_SIZE];
    const char *why;
    (void)state;
    assert_true(key_id("0198C5A2-7d1e-7c3a-9f00-2b6d1c0a4e11", "portal", &a, &why));
    est_id_format(&a, text);
    assert_string_equal(text, "0198c5a2-7d1e-7c3a-9f00-2b6d1c0a4e11");
    assert_true(key_id("order-17", "portal", &a, &why));
    assert_true(key_id("\"order-17\"", "portal", &b, &why));
    assert_true(key_id("order-17", "notary", &c, &why));
    assert_true(key_id("order-18", "portal", &d, &why));
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
    assert_memory_not_equal(&a, &d, sizeof a);
    est_id_format(&a, text);
    assert_int_equal(text[14], '8');
    assert_non_null(strchr("89ab", text[19]));
    /* Fixed for ever: a key of today must name the same inquiry after an upgrade */
    assert_string_equal(text, "bf50d31d-e76c-8fa6-9563-8f37edb0b1ab");
}

static void what_is_no_key_is_told(void **state) {
    est_id id;
    const char *why;
    char longest[258];
    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[255] = '\0';
    assert_true(key_id(longest, "portal", &id, &why));
    longest[255] = 'a';
    longest[256] = '\0';
    static const char *const bad[] = {"",     "\"\"", "a b",
                                      "a\tb", "سلام", "00000000-0000-0000-0000-000000000000"};
    assert_false(key_id(longest, "portal", &id, &why));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(key_id(bad[i], "portal", &id, &why));
}

/* --- traceparent ---------------------------------------------------------------------------- */

static void a_traceparent_is_judged_by_the_standard(void **state) {
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", true},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", false},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", false},
        {"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", false},
        {"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(trace_is_good(rows[i].text), rows[i].good);
}

/* --- Times ---------------------------------------------------------------------------------- */

static void times_go_both_ways(void **state) {
    static const char *const bad[] = {"",
                                      "2026-11-25",
                                      "2026-11-25T10:00:00",
                                      "2026-02-30T10:00:00Z",
                                      "2026-11-25T25:00:00Z",
                                      "2026-11-25T10:00:00+3:30",
                                      "2026-11-25T10:00:00.Z",
                                      "2026-11-25T10:00:00Zx",
                                      " 2026-11-25T10:00:00Z"};
    est_time time;
    char text[VIEW_TIME_SIZE];
    (void)state;
    assert_true(view_time_parse("2026-11-25T13:30:00.123456+03:30", &time));
    view_time_format(time, text);
    assert_string_equal(text, "2026-11-25T10:00:00.123456Z");
    assert_true(view_time_parse("2026-11-25T10:00:00.5Z", &time));
    assert_int_equal(time.us % EST_US_PER_S, 500000);
    assert_true(view_time_parse("2026-11-25t10:00:00.5z", &time)); /* RFC 3339, 5.6 */
    assert_true(view_time_parse("1970-01-01T00:00:00Z", &time));
    assert_int_equal(time.us, 0);
    assert_true(view_time_parse("1969-12-31T23:59:59.5Z", &time));
    assert_int_equal(time.us, -500000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(view_time_parse(bad[i], &time));
}

/* --- Pauses between the attempts of a webhook ------------------------------------------------- */

static void a_pause_is_a_tenth_more_or_less_however_long(void **state) {
    static const struct account_config standard = {0},
                                       ours = {.retries = {{20000}, {40 * 86400 * EST_US_PER_S}},
                                               .retries_count = 2};
    const struct {
        const struct account_config *account;
        uint32_t attempts;
        double us;
    } rows[] = {{&standard, 1, 5e6}, {&standard, 10, 86400e6}, {&ours, 1, 20e3}, {&ours, 2, 40 * 86400e6}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double least = 2, most = 0;
        for (int n = 0; n < 10000; n++) {
            double share = (double)hooks_pause(rows[i].account, rows[i].attempts) / rows[i].us;
            least = share < least ? share : least;
            most = share > most ? share : most;
        }
        assert_true(least >= 0.9 && least < 0.92);
        assert_true(most <= 1.1 && most > 1.08);
    }
    assert_int_equal(hooks_pause(&standard, 11), -1);
    assert_int_equal(hooks_pause(&ours, 3), -1);
}

static void the_pauses_are_those_of_the_readme(void **state) {
    static const double s = 1e6, min = 60e6, h = 3600e6;
    const double pauses[] = {5 * s, 5 * min, 30 * min, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h, 24 * h};
    const struct account_config standard = {0};
    (void)state;
    for (uint32_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        double share = (double)hooks_pause(&standard, i + 1) / pauses[i];
        if (share < 0.9 || share > 1.1)
            fail_msg("after attempt %u: %f times what the README says", i + 1, share);
    }
}

/* --- Messages of webhooks on disk --------------------------------------------------------------- */

static int record_count(void *arg, const struct hook_record *record) {
    (void)record;
    ++*(int *)arg;
    return 0;
}

static void put(struct hookstore *store, const struct hook_record *record, bool is_new) {
    assert_int_equal(hookstore_begin(store), 0);
    assert_int_equal(hookstore_put_new(store, record), is_new ? 0 : -EST_CONFLICT);
    assert_int_equal(hookstore_commit(store), 0);
}

static void expect_message(struct hookstore *store, const struct hook_record *wanted) {
    struct hook_record found;
    void *payload;
    assert_int_equal(hookstore_get(store, wanted, &found, &payload), 0);
    assert_string_equal(found.account, wanted->account);
    assert_int_equal(found.attempts, wanted->attempts);
    assert_int_equal(found.payload.size, wanted->payload.size);
    assert_memory_equal(payload, wanted->payload.data, wanted->payload.size);
    free(payload);
}

/* Two accounts may have the same id, and a broker whose store was restored gives numbers again. */
static void a_message_is_known_by_number_id_and_account(void **state) {
    struct hook_record all[] = {
        {.number = 7, .id = {{1}}, .account = "portal", .payload = slice_of("first")},
        {.number = 7, .id = {{2}}, .account = "portal", .payload = slice_of("another")},
        {.number = 7, .id = {{1}}, .account = "notary", .payload = slice_of("of another account")},
    };
    char folder[] = "/tmp/estelam-hookstore-XXXXXX", command[64];
    struct hookstore *store = NULL;
    int count = 0;
    void *payload;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(hookstore_open(folder, &store), 0);
    for (size_t i = 0; i < 3; i++)
        put(store, &all[i], true);
    assert_int_equal(hookstore_begin(store), 0);
    assert_int_equal(hookstore_drop(store, &all[0]), 0);
    all[1].attempts = 3;
    assert_int_equal(hookstore_put(store, &all[1]), 0);
    assert_int_equal(hookstore_commit(store), 0);
    hookstore_close(&store);
    assert_int_equal(hookstore_open(folder, &store), 0);
    assert_int_equal(hookstore_get(store, &all[0], &(struct hook_record){0}, &payload), -EST_NOT_FOUND);
    put(store, &all[1], false);
    put(store, &all[2], false);
    put(store, &all[0], true);
    put(store, &all[0], false);
    for (size_t i = 0; i < 3; i++)
        expect_message(store, &all[i]);
    assert_int_equal(hookstore_each(store, record_count, &count), 0);
    assert_int_equal(count, 3);
    hookstore_close(&store);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* --- A line --------------------------------------------------------------------------------- */

static int refused_send(struct ask *ask, est_client *client, uint64_t ref) {
    (void)ask, (void)client, (void)ref;
    return -EST_INPUT;
}

static int told[2];
static void code_keep(struct ask *ask, const est_event *event) {
    (void)ask;
    told[0] = event->code;
    told[1] = (int)event->layer;
}

/* Where the broker is does not matter: the library refuses before anything is sent. */
static void a_command_that_the_library_refuses_is_the_gateways_fault(void **state) {
    struct config config = {.requesters = {"tcp://127.0.0.1:1"},
                            .limits = {.broker = 60000000, .waiting = 8}};
    struct account_config account = {.name = "portal", .role = ROLE_REQUESTER_BIT};
    struct ask ask = {.send = refused_send, .done = code_keep};
    struct line *line = NULL;
    (void)state;
    assert_int_equal(line_open(&config, &account, &line), 0);
    line_ask(line, &ask); /* taken up before the line looks whether it shall stop */
    assert_int_equal(line_start(line), 0);
    line_stop(line);
    line_close(&line);
    assert_int_equal(told[0], GW_GATEWAY_FAULT);
    assert_int_equal(told[1], problem_of(GW_GATEWAY_FAULT)->layer);
    assert_int_equal(problem_of(told[0])->status, 500);
}

/* --- estelam token -------------------------------------------------------------------------- */

static char path[128];

static int file_setup(void **state) {
    char folder[] = "/tmp/estelam-tokens-XXXXXX";
    (void)state;
    snprintf(path, sizeof path, "%s/tokens.yaml", mkdtemp(folder));
    return sodium_init() < 0 ? -1 : 0;
}

/* The first line it printed, kept until the next call; its status in *ret. */
static const char *token_run(int *ret, const char *const *words) {
    static char line[256];
    const char *argv[16] = {PROGRAMS "/estelam", "token"};
    size_t count = 2;
    while (*words)
        argv[count++] = *words++;
    argv[count++] = "--file";
    argv[count++] = path;
    struct child *child = child_start(argv);
    const char *said = child_line(child, "");
    snprintf(line, sizeof line, "%s", said ? said : "");
    *ret = child_wait(child);
    return line;
}
#define TOKEN(ret, ...) token_run(ret, (const char *const[]){__VA_ARGS__, NULL})

static void a_token_is_shown_once_and_kept_as_a_hash(void **state) {
    struct complaints complaints = {0};
    struct tokens tokens;
    struct stat about;
    char secret[64], id[TOKEN_ID_SIZE];
    int status;
    (void)state;
    snprintf(secret, sizeof secret, "%s",
             TOKEN(&status, "new", "--account", "portal", "--scopes", "submit,read", "--title", "درگاه",
                   "--expires", "+90 d"));
    assert_int_equal(status, 0);
    assert_int_equal(strlen(secret), TOKEN_SECRET_SIZE - 1);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    FILE *file = fopen(path, "r");
    char text[4096] = "";
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_null(strstr(text, secret + 4));
    assert_int_equal(tokens_load(path, &complaints, &tokens), 0);
    const struct token *token = tokens_find(&tokens, (est_slice){secret, strlen(secret)});
    assert_non_null(token);
    assert_string_equal(token->account, "portal");
    assert_string_equal(token->title, "درگاه");
    assert_int_equal(token->scopes, SCOPE_submit | SCOPE_read);
    assert_true(token->expires.us > token->created.us);
    secret[10] ^= 1;
    assert_null(tokens_find(&tokens, (est_slice){secret, strlen(secret)}));
    snprintf(id, sizeof id, "%s", token->id);
    tokens_done(&tokens);
    assert_string_equal(TOKEN(&status, "revoke", id), id);
    assert_int_equal(status, 0);
    assert_int_equal(tokens_load(path, &complaints, &tokens), 0);
    assert_true(tokens.at[0].revoked.us > 0);
    tokens_done(&tokens);
}

/* Root makes a token for a gateway that runs as another user. */
static void a_tokens_file_keeps_its_owner(void **state) {
    struct stat about;
    int status;
    (void)state;
    if (geteuid() != 0)
        skip();
    TOKEN(&status, "new", "--account", "portal", "--scopes", "read");
    assert_int_equal(chown(path, 65534, 65534), 0);
    TOKEN(&status, "new", "--account", "portal", "--scopes", "read");
    assert_int_equal(status, 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_uid, 65534);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void wrong_words_make_no_token(void **state) {
    struct stat before, after;
    int status;
    (void)state;
    assert_int_equal(stat(path, &before), 0);
    TOKEN(&status, "new", "--account", "portal", "--scopes", "submit,frob");
    assert_int_equal(status, 2);
    TOKEN(&status, "new", "--account", "portal", "--scopes", "");
    assert_int_equal(status, 2);
    TOKEN(&status, "new", "--account", "portal", "--scopes", "read", "--expires", "2020-01-01");
    assert_int_equal(status, 2);
    TOKEN(&status, "new", "--scopes", "read");
    assert_int_equal(status, 2);
    TOKEN(&status, "revoke", "000000000000");
    assert_int_equal(status, 1);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static int file_teardown(void **state) {
    char command[256];
    (void)state;
    snprintf(command, sizeof command, "%s", path);
    remove(path);
    snprintf(command, sizeof command, "%s.lock", path);
    remove(command);
    *strrchr(path, '/') = '\0';
    return remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_is_the_id_and_any_other_key_always_the_same_one),
        cmocka_unit_test(what_is_no_key_is_told),
        cmocka_unit_test(a_traceparent_is_judged_by_the_standard),
        cmocka_unit_test(times_go_both_ways),
        cmocka_unit_test(a_pause_is_a_tenth_more_or_less_however_long),
        cmocka_unit_test(the_pauses_are_those_of_the_readme),
        cmocka_unit_test(a_message_is_known_by_number_id_and_account),
        cmocka_unit_test(a_command_that_the_library_refuses_is_the_gateways_fault),
        cmocka_unit_test(each_kind_of_defect_is_told_in_persian),
        GATE_CLAIM(a_token_is_shown_once_and_kept_as_a_hash),
        GATE_CLAIM(a_tokens_file_keeps_its_owner),
        GATE_CLAIM(wrong_words_make_no_token),
    };
    return cmocka_run_group_tests(tests, file_setup, file_teardown);
}
