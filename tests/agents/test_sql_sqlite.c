/* test_sql_sqlite.c - the sql back end over a SQLite file, the smallest real database. */
#include "stand.h"
#include <pthread.h>
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[256], connection[512];

static const char *const tables[] = {
    "CREATE TABLE tax (nz TEXT, debt BIGINT, years TEXT, owner TEXT, open INTEGER, verdict TEXT, note TEXT, "
    "docs TEXT)",
    "INSERT INTO tax VALUES ('1-1-1-1-0-0-0', 9007199254740993, '1401,1402', 'شهروند نمونه', 1, 'Y', NULL, "
    "'[{\"id\":\"d1\",\"pages\":3}]')",
    "INSERT INTO tax VALUES ('2-1-1-1-0-0-0', 0, '', 'It''s ?; :nz', 0, 'N', 'debt-open', '[]')",
    "INSERT INTO tax VALUES ('3-1-1-1-0-0-0', NULL, NULL, NULL, NULL, '?', NULL, 'broken')",
    "INSERT INTO tax VALUES ('4-1-1-1-0-0-0', 4, '4', 'الف', 1, 'Y', NULL, '[]')",
    "INSERT INTO tax VALUES ('4-1-1-1-0-0-0', 5, '5', 'ب', NULL, 'Y', NULL, '[]')",
};

static int database_make(void **state) {
    (void)state;
    folder_make(folder, sizeof folder);
    snprintf(connection, sizeof connection, "Driver=SQLite3;Database=%s/tax.db;", folder);
    setenv("TAX_DB", connection + strlen("Driver=SQLite3;Database="), 1);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        database_run(connection, tables[i]);
    return 0;
}

static int database_drop(void **state) {
    (void)state;
    folder_remove(folder);
    return 0;
}

/* A file with one type `t` whose keys are given; its connection string comes from the environment. */
static char *file_of(const char *type) {
    static char text[8192];
    snprintf(text, sizeof text,
             "sql:\n  connection: \"Driver=SQLite3;Database=${TAX_DB}\"\n  query_timeout: 1 s\n  types:\n    "
             "t:\n%s",
             type);
    return text;
}

/* Opens, asks about one parcel, expects a verdict. */
static void ask(struct stand *stand, const char *type, const char *nz, est_verdict wanted) {
    stand_open(stand, folder, file_of(type));
    est_body_text(stand->request, "nz", nz);
    assert_int_equal(stand_ask(stand, "t"), wanted);
}

#define BY_NZ "FROM tax WHERE nz = :nz\"\n"

static void a_row_becomes_the_reply(void **state) {
    (void)state;
    struct stand s;
    ask(&s,
        "      select: \"SELECT * " BY_NZ
        "      reply: {debt: debt, owner: OWNER, open: {column: open, kind: bool},\n"
        "              years: {column: years, split: \",\", kind: int}, docs: {column: docs, json: true}}\n"
        "      legal_ref: ماده ۷۴\n",
        "1-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_POSITIVE);
    expect_int(&s, "debt", 9007199254740993);
    expect_text(&s, "owner", "شهروند نمونه");
    expect_bool(&s, "open", true);
    expect_json(&s, "years", "[1401,1402]");
    expect_json(&s, "docs", "[{\"id\":\"d1\",\"pages\":3}]");
    assert_string_equal(s.out.legal_ref, "ماده ۷۴");
    assert_string_equal(s.out.reason, "");
    stand_close(&s);
}

static void without_reply_every_column_is_the_field_of_its_name(void **state) {
    (void)state;
    struct stand s;
    ask(&s, "      select: \"SELECT debt, owner AS malek " BY_NZ, "1-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    expect_int(&s, "debt", 9007199254740993);
    expect_text(&s, "malek", "شهروند نمونه");
    expect_absent(&s, "owner");
    stand_close(&s);
}

static void no_row_is_no_record_unless_the_file_says_otherwise(void **state) {
    (void)state;
    struct stand s;
    ask(&s, "      select: \"SELECT * " BY_NZ, "9-9-9-9-0-0-0", EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_NO_RECORD);
    expect_absent(&s, "debt");
    stand_close(&s);
    ask(&s, "      select: \"SELECT * " BY_NZ "      no_row: need-visit\n", "9-9-9-9-0-0-0",
        EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_NEED_VISIT);
    stand_close(&s);
}

static void no_row_is_no_answer_where_the_inquiry_lacks_a_name(void **state) {
    (void)state;
    struct stand s;
    ask(&s, "      select: \"SELECT debt FROM tax WHERE nz = :nope\"\n", "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "t: the SELECT asks for :nope, which the inquiry does not have");
    stand_close(&s);
    ask(&s,
        "      select: \"SELECT debt FROM tax WHERE nz = :plq.main OR nz = :lid?\"\n      rows: {field: "
        "all}\n",
        "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, ":plq.main");
    stand_close(&s);
}

static void a_name_that_is_marked_may_lack(void **state) {
    (void)state;
    struct stand s;
    ask(&s, "      select: \"SELECT debt FROM tax WHERE nz = :nope?\"\n", "1-1-1-1-0-0-0",
        EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_NO_RECORD);
    stand_close(&s);
}

static void a_null_column_is_an_absent_field(void **state) {
    (void)state;
    struct stand s;
    ask(&s,
        "      select: \"SELECT debt, years, owner, open " BY_NZ
        "      reply: {debt: debt, years: {column: years, split: \",\"}, owner: owner}\n",
        "3-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    expect_absent(&s, "debt");
    expect_absent(&s, "years");
    expect_absent(&s, "owner");
    stand_close(&s);
}

static void an_absent_request_field_binds_null(void **state) {
    (void)state;
    struct stand s;
    ask(&s,
        "      select: \"SELECT debt FROM tax WHERE nz = :nz AND :permit IS NULL AND :plq.main IS NULL\"\n",
        "1-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_POSITIVE);
    stand_close(&s);
}

static void every_kind_of_request_field_is_bound_by_its_kind(void **state) {
    (void)state;
    static const uint8_t plq[] = {0x81, 0xa4, 'm', 'a', 'i', 'n', 0xcd, 0x04, 0xd2}; /* {main: 1234} */
    static const uint8_t list[] = {0x92, 0x01, 0xa1, 'x'};                           /* [1, "x"] */
    struct stand s;
    stand_open(
        &s, folder,
        file_of("      select: |\n        SELECT :plq.main + 1 AS main, :yes AS yes, :big - 1 AS big, :list "
                "AS list, :t AS t,\n"
                "               :purpose || :requester || :number || ':' || :district AS envelope, "
                "typeof(:none) AS nil\n"
                "      reply: {main: {column: main, kind: int}, yes: {column: yes, kind: bool}, big: "
                "{column: big, kind: int},\n"
                "              list: {column: list, json: true}, t: t, envelope: envelope, nil: nil}\n"));
    est_body_raw(s.request, "plq", (est_slice){plq, sizeof plq});
    est_body_raw(s.request, "list", (est_slice){list, sizeof list});
    est_body_bool(s.request, "yes", true);
    est_body_int(s.request, "big", INT64_MAX);
    est_body_text(s.request, "t", "کد'); DROP TABLE tax; --");
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_ANSWER);
    expect_int(&s, "main", 1235);
    expect_bool(&s, "yes", true);
    expect_int(&s, "big", INT64_MAX - 1);
    expect_json(&s, "list", "[1,\"x\"]");
    expect_text(&s, "t", "کد'); DROP TABLE tax; --");
    expect_text(&s, "envelope", "permitportal17:5");
    expect_text(&s, "nil", "null");
    stand_close(&s);
}

static void more_than_one_row_is_a_retry(void **state) {
    (void)state;
    struct stand s;
    ask(&s, "      select: \"SELECT debt " BY_NZ, "4-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "more than one row");
    stand_close(&s);
}

static void rows_become_a_list_of_records_where_asked(void **state) {
    (void)state;
    struct stand s;
    ask(&s,
        "      select: \"SELECT debt, owner, open FROM tax WHERE nz = :nz ORDER BY debt\"\n"
        "      reply: {rial: debt, who: owner, open: {column: open, kind: bool}}\n      rows: {field: "
        "bills}\n",
        "4-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    expect_json(&s, "bills", "[{\"rial\":4,\"who\":\"الف\",\"open\":true},{\"rial\":5,\"who\":\"ب\"}]");
    stand_close(&s);
}

static void rows_have_a_limit(void **state) {
    (void)state;
    struct stand s;
    const char *type =
        "      select: \"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < :n) "
        "SELECT x FROM c\"\n      reply: {x: {column: x, kind: int}}\n      rows: {field: all}\n";
    stand_open(&s, folder, file_of(type));
    est_body_int(s.request, "n", 1000);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_ANSWER);
    est_body_int(s.request, "n", 1001);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    expect_remark(&s, "more than 1000 rows");
    stand_close(&s);
}

static void a_reply_that_cannot_be_sent_says_why(void **state) {
    (void)state;
    struct stand s;
    stand_open(&s, folder,
               file_of("      select: \"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < "
                       ":n) SELECT x, x AS b, x AS c, x AS d FROM c\"\n      rows: {field: all}\n"));
    est_body_int(s.request, "n", 819);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_ANSWER);
    est_body_int(s.request, "n", 820);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    expect_remark(&s, "t: the reply cannot be sent: it has more than 4096 items");
    stand_close(&s);
    ask(&s, "      select: \"SELECT debt AS n, owner AS n " BY_NZ, "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "t: the reply cannot be sent: a map has a key twice");
    stand_close(&s);
    ask(&s, "      select: \"SELECT debt AS n, owner AS n " BY_NZ "      rows: {field: all}\n",
        "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "t: the reply cannot be sent: a map has a key twice");
    stand_close(&s);
    ask(&s,
        "      select: \"SELECT '[[[[[[[1]]]]]]]' AS j " BY_NZ
        "      reply: {j: {column: j, json: true}}\n      rows: {field: all}\n",
        "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "t: the reply cannot be sent: nested too deep");
    stand_close(&s);
}

static void check_finds_two_columns_that_would_be_one_field(void **state) {
    (void)state;
    struct stand s;
    stand_open(&s, folder,
               file_of("      select: SELECT debt AS n, nz AS n FROM tax\n"
                       "    u:\n      select: SELECT debt AS n, nz AS n FROM tax\n      reply: {a: n}\n"));
    s.backend->class->check(s.backend, s.yaml);
    assert_int_equal(s.complaints.count, 1);
    expect_complaint(&s, "agent.yaml:6:", "the column \"n\" twice");
    stand_close(&s);
}

#define JUDGED                                                                                               \
    "      select: \"SELECT verdict, note " BY_NZ "      reply: {v: verdict}\n"                              \
    "      outcome: {column: verdict, map: {Y: positive, N: negative}}\n      reason: {column: note}\n"

static void outcome_and_reason_come_from_columns(void **state) {
    (void)state;
    struct stand s;
    ask(&s, JUDGED, "1-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_POSITIVE);
    assert_string_equal(s.out.reason, "");
    stand_close(&s);
    ask(&s, JUDGED, "2-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_NEGATIVE);
    assert_string_equal(s.out.reason, "debt-open");
    stand_close(&s);
}

static void an_outcome_outside_its_map_is_a_retry(void **state) {
    (void)state;
    struct stand s;
    ask(&s, JUDGED, "3-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "column verdict");
    stand_close(&s);
}

static void what_does_not_fit_is_a_retry_that_names_the_column_and_not_the_data(void **state) {
    (void)state;
    struct stand s;
    ask(&s, "      select: \"SELECT owner " BY_NZ "      reply: {o: {column: owner, kind: int}}\n",
        "4-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "column owner: not a whole number");
    assert_null(strstr(s.out.remark, "الف"));
    stand_close(&s);
    ask(&s, "      select: \"SELECT docs " BY_NZ "      reply: {d: {column: docs, json: true}}\n",
        "3-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "column docs: not JSON");
    stand_close(&s);
    ask(&s,
        "      select: \"SELECT debt, owner || owner || owner AS o " BY_NZ "      valid_until: {column: o}\n",
        "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
    expect_remark(&s, "column o: a text that is too long");
    stand_close(&s);
}

static void a_long_text_is_read_whole_and_one_too_long_is_a_retry(void **state) {
    (void)state;
    struct stand s;
    const char *type = "      select: \"SELECT replace(printf('%.*c', :n, 'x'), 'x', 'سل') AS long\"\n";
    static const int sizes[] = {1, 1023, 1024, 1025, 4095, 8192, 15000};
    stand_open(&s, folder, file_of(type));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        est_slice all, text;
        est_body_int(s.request, "n", sizes[i]);
        assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_ANSWER);
        assert_int_equal(est_body_slice(s.out.body, &all), 0);
        assert_true(est_field_text(all, "long", &text));
        assert_int_equal(text.size, 4 * sizes[i]);
        for (int at = 0; at < sizes[i]; at++)
            assert_memory_equal((const char *)text.data + 4 * at, "سل", 4);
    }
    est_body_int(s.request, "n", EST_BODY_MAX / 4 + 1);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    expect_remark(&s, "larger than");
    est_body_int(s.request, "n", 300 * 1024);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    stand_close(&s);
}

static void a_type_without_select_is_refused(void **state) {
    (void)state;
    struct stand s;
    stand_open(&s, folder, file_of("      select: \"SELECT 1 AS x\"\n"));
    assert_int_equal(stand_ask(&s, "other"), EST_VERDICT_REFUSE);
    expect_remark(&s, "other");
    stand_close(&s);
}

static void a_query_that_runs_for_ever_is_cancelled_at_the_timeout(void **state) {
    (void)state;
    struct stand s;
    stand_open(&s, folder,
               file_of("      select: \"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
                       "SELECT count(*) AS n FROM c\"\n"));
    int64_t start = stand_now_ms();
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    assert_in_range(stand_now_ms() - start, 900, 20000);
    expect_remark(&s, "ran longer than 1 s");
    stand_close(&s);
}

static void *lease_end_soon(void *stand) {
    (void)stand;
    stand_lease_ended = true;
    return NULL;
}

static void the_end_of_the_lease_cancels_the_query(void **state) {
    (void)state;
    struct stand s;
    pthread_t thread;
    char *file = file_of("      select: \"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
                         "SELECT count(*) AS n FROM c\"\n");
    memcpy(strstr(file, "1 s\n"), "9 s\n", 4);
    stand_open(&s, folder, file);
    assert_int_equal(pthread_create(&thread, NULL, lease_end_soon, &s), 0);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    assert_null(strstr(s.out.remark, "ran longer"));
    pthread_join(thread, NULL);
    stand_close(&s);
}

static void a_database_that_is_not_there_is_a_retry(void **state) {
    (void)state;
    struct stand s;
    stand_open(&s, folder,
               "sql:\n  connection: \"Driver=SQLite3;NoCreat=1;Database=/nonexistent/x.db\"\n"
               "  query_timeout: 1 s\n  types: {t: {select: SELECT 1 AS x}}\n");
    stand_told = 0;
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    assert_true(stand_told > 0);
    stand_close(&s);
}

static void a_broken_statement_is_a_retry_with_its_sqlstate_and_told_in_full(void **state) {
    (void)state;
    struct stand s;
    stand_open(&s, folder, file_of("      select: \"SELECT missing FROM tax\"\n"));
    stand_told = 0;
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    expect_remark(&s, "SQLSTATE HY000");
    assert_int_equal(stand_told, 1);
    stand_close(&s);
}

static void a_select_cannot_change_anything(void **state) {
    (void)state;
    struct stand s;
    ask(&s, "      select: \"WITH x AS (SELECT 1) DELETE FROM tax WHERE nz = :nz\"\n", "1-1-1-1-0-0-0",
        EST_VERDICT_RETRY);
    stand_close(&s);
    ask(&s, "      select: \"WITH x AS (SELECT 1) DELETE FROM tax WHERE nz = :nz RETURNING nz\"\n",
        "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
    stand_close(&s);
    ask(&s, "      select: \"SELECT debt " BY_NZ, "1-1-1-1-0-0-0", EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_POSITIVE);
    stand_close(&s);
}

static void ask_again(struct stand *stand, const char *nz, est_verdict wanted) {
    est_body_text(stand->request, "nz", nz);
    assert_int_equal(stand_ask(stand, "t"), wanted);
}

static void a_table_made_anew_is_read_by_its_new_columns(void **state) {
    (void)state;
    struct stand s;
    database_run(connection, "CREATE TABLE moved (n BIGINT, m BIGINT, nz TEXT)");
    database_run(connection, "INSERT INTO moved VALUES (0, 500, 'p')");
    ask(&s, "      select: \"SELECT * FROM moved WHERE nz = :nz\"\n      reply: {n: n}\n", "p",
        EST_VERDICT_ANSWER);
    expect_int(&s, "n", 0);
    database_run(connection, "DROP TABLE moved");
    database_run(connection, "CREATE TABLE moved (m BIGINT, n BIGINT, nz TEXT)");
    database_run(connection, "INSERT INTO moved VALUES (500, 0, 'p')");
    ask_again(&s, "p", EST_VERDICT_ANSWER);
    expect_int(&s, "n", 0);
    database_run(connection, "DROP TABLE moved");
    database_run(connection, "CREATE TABLE moved (m BIGINT, n TEXT, nz TEXT, more TEXT)");
    database_run(connection, "INSERT INTO moved VALUES (500, 'none', 'p', 'x')");
    ask_again(&s, "p", EST_VERDICT_ANSWER);
    expect_text(&s, "n", "none");
    database_run(connection, "DROP TABLE moved");
    database_run(connection, "CREATE TABLE moved (m BIGINT, nz TEXT)");
    database_run(connection, "INSERT INTO moved VALUES (500, 'p')");
    ask_again(&s, "p", EST_VERDICT_RETRY);
    expect_remark(&s, "the database refused the query");
    database_run(connection, "ALTER TABLE moved ADD COLUMN n BIGINT DEFAULT 7");
    ask_again(&s, "p", EST_VERDICT_ANSWER);
    expect_int(&s, "n", 7);
    database_run(connection, "DROP TABLE moved");
    stand_close(&s);
}

static void a_file_that_was_replaced_is_opened_anew(void **state) {
    (void)state;
    struct stand s;
    char old[600], new[600], other[700];
    snprintf(old, sizeof old, "%s/night.db", folder);
    snprintf(new, sizeof new, "%s/new.db", folder);
    snprintf(other, sizeof other, "Driver=SQLite3;Database=%s", old);
    database_run(other, "CREATE TABLE t (nz TEXT, n BIGINT)");
    database_run(other, "INSERT INTO t VALUES ('p', 1)");
    snprintf(other, sizeof other, "Driver=SQLite3;Database=%s", new);
    database_run(other, "CREATE TABLE t (nz TEXT, n BIGINT)");
    database_run(other, "INSERT INTO t VALUES ('p', 2)");
    setenv("TAX_DB", old, 1);
    ask(&s, "      select: \"SELECT n FROM t WHERE nz = :nz\"\n", "p", EST_VERDICT_ANSWER);
    expect_int(&s, "n", 1);
    assert_int_equal(rename(new, old), 0);
    ask_again(&s, "p", EST_VERDICT_ANSWER);
    expect_int(&s, "n", 2);
    assert_int_equal(remove(old), 0);
    ask_again(&s, "p", EST_VERDICT_RETRY); /* the driver makes an empty one */
    stand_close(&s);
    setenv("TAX_DB", connection + strlen("Driver=SQLite3;Database="), 1);
}

/* Holds the file as an import does; unlocked by its end. */
static SQLHENV locker_environment;
static SQLHDBC locker;
static void database_lock(const char *how) {
    SQLHSTMT run;
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &locker_environment);
    SQLSetEnvAttr(locker_environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, locker_environment, &locker);
    assert_true(SQL_SUCCEEDED(SQLDriverConnect(locker, NULL, (SQLCHAR *)connection, SQL_NTS, NULL, 0, NULL,
                                               SQL_DRIVER_NOPROMPT)));
    SQLAllocHandle(SQL_HANDLE_STMT, locker, &run);
    assert_true(SQL_SUCCEEDED(SQLExecDirect(run, (SQLCHAR *)how, SQL_NTS)));
    SQLFreeHandle(SQL_HANDLE_STMT, run);
}

static void database_unlock(void) {
    SQLEndTran(SQL_HANDLE_DBC, locker, SQL_ROLLBACK);
    SQLDisconnect(locker);
    SQLFreeHandle(SQL_HANDLE_DBC, locker);
    SQLFreeHandle(SQL_HANDLE_ENV, locker_environment);
}

/* With 1 s of query_timeout: a second for the connection's first look, one for the query. */
static void a_locked_file_is_a_retry_at_the_timeout_that_says_so(void **state) {
    (void)state;
    struct stand s;
    for (int is_first = 0; is_first < 2; is_first++) {
        stand_open(&s, folder, file_of("      select: \"SELECT debt " BY_NZ));
        if (is_first)
            ask_again(&s, "1-1-1-1-0-0-0", EST_VERDICT_ANSWER);
        database_lock("BEGIN EXCLUSIVE");
        int64_t start = stand_now_ms();
        ask_again(&s, "1-1-1-1-0-0-0", EST_VERDICT_RETRY);
        assert_in_range(stand_now_ms() - start, 900, 20000);
        expect_remark(&s, "t: another program has locked the database");
        database_unlock();
        ask_again(&s, "1-1-1-1-0-0-0", EST_VERDICT_ANSWER);
        stand_close(&s);
    }
}

static void check_finds_what_only_the_database_knows(void **state) {
    (void)state;
    struct stand s;
    stand_open(&s, folder,
               file_of("      select: \"SELECT missing FROM tax\"\n"
                       "    u:\n      select: SELECT debt FROM tax\n      reply: {a: debts}\n"
                       "    v:\n      select: SELECT debt FROM tax\n"
                       "    w:\n      select: SELECT debt FROM tax\n      reply: {debt: nocol}\n"
                       "      outcome: {column: zz}\n      reason: {column: yy}\n"));
    s.backend->class->check(s.backend, s.yaml);
    assert_int_equal(s.complaints.count, 5);
    expect_complaint(&s, "agent.yaml:6:", "no such column");
    expect_complaint(&s, "agent.yaml:9:", "no column \"debts\"");
    expect_complaint(&s, "agent.yaml:14:", "no column \"nocol\"");
    expect_complaint(&s, "agent.yaml:15:", "no column \"zz\"");
    expect_complaint(&s, "agent.yaml:16:", "no column \"yy\"");
    stand_close(&s);
}

struct asker {
    struct stand *stand;
    int wrong;
};

/* Asks the shared back end by itself: stand_ask is for one thread. */
static void *ask_often(void *argument) {
    struct asker *asker = argument;
    est_body *request = est_body_new();
    est_answer out = {.body = est_body_new()};
    est_body_text(request, "nz", "1-1-1-1-0-0-0");
    est_inquiry in = {.number = 1, .type = slice_of("t"), .purpose = slice_of("permit")};
    est_body_slice(request, &in.body);
    for (int i = 0; i < 100; i++) {
        est_slice all;
        int64_t debt = 0;
        est_body_clear(out.body);
        est_verdict verdict = asker->stand->backend->class->answer(asker->stand->backend, &in, &out);
        if (verdict != EST_VERDICT_ANSWER || est_body_slice(out.body, &all) ||
            !est_field_int(all, "debt", &debt) || debt != 9007199254740993)
            asker->wrong++;
    }
    est_body_free(&out.body);
    est_body_free(&request);
    return NULL;
}

static void more_threads_than_connections_all_get_their_answers(void **state) {
    (void)state;
    struct stand s;
    struct asker askers[8];
    pthread_t threads[8];
    stand_open(&s, folder, file_of("      select: \"SELECT debt " BY_NZ));
    for (size_t i = 0; i < 8; i++) {
        askers[i] = (struct asker){&s, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].wrong, 0);
    }
    stand_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_becomes_the_reply),
        cmocka_unit_test(without_reply_every_column_is_the_field_of_its_name),
        cmocka_unit_test(no_row_is_no_record_unless_the_file_says_otherwise),
        cmocka_unit_test(no_row_is_no_answer_where_the_inquiry_lacks_a_name),
        cmocka_unit_test(a_name_that_is_marked_may_lack),
        cmocka_unit_test(a_null_column_is_an_absent_field),
        cmocka_unit_test(an_absent_request_field_binds_null),
        cmocka_unit_test(every_kind_of_request_field_is_bound_by_its_kind),
        cmocka_unit_test(more_than_one_row_is_a_retry),
        cmocka_unit_test(rows_become_a_list_of_records_where_asked),
        cmocka_unit_test(rows_have_a_limit),
        cmocka_unit_test(a_reply_that_cannot_be_sent_says_why),
        cmocka_unit_test(check_finds_two_columns_that_would_be_one_field),
        cmocka_unit_test(outcome_and_reason_come_from_columns),
        cmocka_unit_test(an_outcome_outside_its_map_is_a_retry),
        cmocka_unit_test(what_does_not_fit_is_a_retry_that_names_the_column_and_not_the_data),
        cmocka_unit_test(a_long_text_is_read_whole_and_one_too_long_is_a_retry),
        cmocka_unit_test(a_type_without_select_is_refused),
        cmocka_unit_test(a_query_that_runs_for_ever_is_cancelled_at_the_timeout),
        cmocka_unit_test(the_end_of_the_lease_cancels_the_query),
        cmocka_unit_test(a_database_that_is_not_there_is_a_retry),
        cmocka_unit_test(a_broken_statement_is_a_retry_with_its_sqlstate_and_told_in_full),
        cmocka_unit_test(a_select_cannot_change_anything),
        cmocka_unit_test(a_table_made_anew_is_read_by_its_new_columns),
        cmocka_unit_test(a_file_that_was_replaced_is_opened_anew),
        cmocka_unit_test(a_locked_file_is_a_retry_at_the_timeout_that_says_so),
        cmocka_unit_test(check_finds_what_only_the_database_knows),
        cmocka_unit_test(more_threads_than_connections_all_get_their_answers),
    };
    return cmocka_run_group_tests(tests, database_make, database_drop);
}
