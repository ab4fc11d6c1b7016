/* stand.c - see stand.h. */
#define _XOPEN_SOURCE 700
#include "stand.h"
#include "json.h"
#include "clock.h"
#include <ftw.h>
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* psqlodbc forgets a little of its own with some connections that died; that is not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:psqlodbcw.so\n";
}

atomic_bool stand_lease_ended;
atomic_int stand_told;

static bool lease_ended(const est_inquiry *inquiry) {
    (void)inquiry;
    return stand_lease_ended;
}

static void told(const char *sentence) {
    (void)sentence;
    stand_told++;
}

struct backend_room stand_room = {.workers = 4, .is_over = lease_ended, .tell = told};

bool stand_try(struct stand *stand, const char *folder, const char *yaml) {
    char path[4200];
    memset(stand, 0, sizeof *stand);
    stand_lease_ended = false;
    snprintf(path, sizeof path, "%s/agent.yaml", folder);
    stand->out.body = est_body_new();
    stand->request = est_body_new();
    if (yaml_open_text(slice_of(yaml), "agent.yaml", &stand->complaints, &stand->yaml))
        return false;
    struct backend_file file = {path, stand->yaml, &stand->complaints};
    stand->backend = backend_open(&file, yaml_root(stand->yaml), &stand_room);
    return stand->backend && !stand->complaints.count;
}

void stand_open(struct stand *stand, const char *folder, const char *yaml) {
    if (!stand_try(stand, folder, yaml))
        fail_msg("%s: %s", stand->complaints.at[0].where, stand->complaints.at[0].text);
}

void stand_close(struct stand *stand) {
    backend_close(&stand->backend);
    yaml_close(&stand->yaml);
    est_body_free(&stand->out.body);
    est_body_free(&stand->request);
}

est_verdict stand_ask(struct stand *stand, const char *type) {
    est_inquiry in = {.number = 17,
                      .epoch = 1,
                      .type = slice_of(type),
                      .purpose = slice_of("permit"),
                      .requester = slice_of("portal"),
                      .version = 1,
                      .district = 5,
                      .attempt = 1,
                      .received = {1700000000 * EST_US_PER_S}};
    est_body *body = stand->out.body;
    memset(&stand->out, 0, sizeof stand->out);
    stand->out.body = body;
    est_body_clear(body);
    assert_int_equal(est_body_slice(stand->request, &in.body), 0);
    est_verdict verdict = stand->backend->class->answer(stand->backend, &in, &stand->out);
    est_body_clear(stand->request);
    if (verdict != EST_VERDICT_ANSWER)
        print_message("(%s)\n", stand->out.remark);
    return verdict;
}

static est_slice answer_of(const struct stand *stand) {
    est_slice all = {0};
    assert_int_equal(est_body_slice(stand->out.body, &all), 0);
    return all;
}

void expect_text(const struct stand *stand, const char *name, const char *value) {
    est_slice text = {0};
    assert_true(est_field_text(answer_of(stand), name, &text));
    assert_int_equal(text.size, strlen(value));
    assert_memory_equal(text.data, value, text.size);
}

void expect_int(const struct stand *stand, const char *name, int64_t value) {
    int64_t number = 0;
    assert_true(est_field_int(answer_of(stand), name, &number));
    assert_true(number == value);
}

void expect_bool(const struct stand *stand, const char *name, bool value) {
    bool truth = !value;
    assert_true(est_field_bool(answer_of(stand), name, &truth));
    assert_int_equal(truth, value);
}

void expect_absent(const struct stand *stand, const char *name) {
    est_slice raw;
    assert_false(est_field_raw(answer_of(stand), name, &raw));
}

void expect_json(const struct stand *stand, const char *name, const char *wanted) {
    est_slice raw = {0};
    assert_true(est_field_raw(answer_of(stand), name, &raw));
    json_t *json = json_from_msgpack(raw);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(json);
}

void expect_remark(const struct stand *stand, const char *part) {
    if (!strstr(stand->out.remark, part))
        fail_msg("\"%s\" is not in \"%s\"", part, stand->out.remark);
}

void expect_complaint(const struct stand *stand, const char *where, const char *part) {
    for (size_t i = 0; i < stand->complaints.kept; i++)
        if (strstr(stand->complaints.at[i].where, where) && strstr(stand->complaints.at[i].text, part))
            return;
    fail_msg("no complaint at %s with \"%s\"; the first is %s: %s", where, part,
             stand->complaints.at[0].where, stand->complaints.at[0].text);
}

char *folder_make(char *ret_path, size_t size) {
    const char *base = getenv("TMPDIR");
    snprintf(ret_path, size, "%s/estelam-agent-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(ret_path));
    return ret_path;
}

static int entry_remove(const char *path, const struct stat *about, int flag, struct FTW *walk) {
    (void)about, (void)flag, (void)walk;
    return remove(path);
}

void folder_remove(const char *path) {
    nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void file_write(const char *folder, const char *name, const char *text, unsigned mode) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

void database_run(const char *connection, const char *statement) {
    SQLHENV environment;
    SQLHDBC handle;
    SQLHSTMT run;
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
    SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &handle);
    SQLRETURN code =
        SQLDriverConnect(handle, NULL, (SQLCHAR *)connection, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(code))
        fail_msg("no connection: %s", connection);
    SQLAllocHandle(SQL_HANDLE_STMT, handle, &run);
    code = SQLExecDirect(run, (SQLCHAR *)statement, SQL_NTS);
    if (!SQL_SUCCEEDED(code) && code != SQL_NO_DATA) {
        SQLCHAR state[6] = "", text[500] = "";
        SQLGetDiagRec(SQL_HANDLE_STMT, run, 1, state, NULL, text, sizeof text, NULL);
        fail_msg("%s: %s", statement, (char *)text);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, run);
    SQLDisconnect(handle);
    SQLFreeHandle(SQL_HANDLE_DBC, handle);
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
}

int64_t stand_now_ms(void) {
    return clock_now().us / EST_US_PER_MS;
}
