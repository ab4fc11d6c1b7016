/* test_sql_postgres.c - the sql back end over a real PostgreSQL, which dies and comes back. */
#include "stand.h"
#include "postgres.h"
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct postgres server;
static char connection[512];

static const char *const tables[] = {
    "CREATE TABLE tax (nz text PRIMARY KEY, debt bigint, total numeric, whole numeric(18,0), paid boolean, "
    "owner text, until date, floors integer, bills jsonb, code char(1))",
    "INSERT INTO tax VALUES ('1-1-1-1-0-0-0', 9007199254740993, 1500.00, 123456789012345678, false, "
    "'شهروند «نمونه» تهران', '2025-03-21', 7, '[{\"no\": \"۱۲\", \"rial\": 5}]', 'N')",
    "INSERT INTO tax (nz, code) VALUES ('2-1-1-1-0-0-0', 'Y')",
};

static int server_open(void **state) {
    (void)state;
    postgres_open(&server);
    postgres_connection(&server, connection, sizeof connection);
    setenv("TAX_CONNECTION", connection, 1);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        database_run(connection, tables[i]);
    return 0;
}

static int server_close(void **state) {
    (void)state;
    postgres_close(&server);
    return 0;
}

static void open_type(struct stand *stand, const char *timeout, const char *type) {
    char text[4096];
    snprintf(text, sizeof text,
             "sql:\n  connection: ${TAX_CONNECTION}\n  query_timeout: %s\n  types:\n    t:\n%s", timeout,
             type);
    stand_open(stand, "/tmp", text);
}

static est_verdict ask(struct stand *stand, const char *nz) {
    est_body_text(stand->request, "nz", nz);
    return stand_ask(stand, "t");
}

#define ALL_OF_IT "      select: SELECT *, 'ثابت' AS fixed FROM tax WHERE nz = :nz::text\n"

static void every_sql_type_has_its_kind(void **state) {
    (void)state;
    struct stand s;
    open_type(&s, "5 s",
              ALL_OF_IT
              "      reply: {debt: debt, total: {column: total, kind: int}, as_text: total, whole: whole, "
              "paid: paid,\n"
              "              owner: owner, until: until, floors: floors, bills: {column: bills, json: true}, "
              "fixed: fixed}\n"
              "      outcome: {column: code, map: {Y: positive, N: negative}}\n      reason: debt-open\n");
    assert_int_equal(ask(&s, "1-1-1-1-0-0-0"), EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_NEGATIVE);
    assert_string_equal(s.out.reason, "debt-open");
    expect_int(&s, "debt", 9007199254740993);
    expect_int(&s, "total", 1500);
    expect_text(&s, "as_text", "1500.00");
    expect_int(&s, "whole", 123456789012345678);
    expect_bool(&s, "paid", false);
    expect_text(&s, "owner", "شهروند «نمونه» تهران");
    expect_text(&s, "until", "2025-03-21");
    expect_int(&s, "floors", 7);
    expect_json(&s, "bills", "[{\"no\":\"۱۲\",\"rial\":5}]");
    expect_text(&s, "fixed", "ثابت");
    stand_close(&s);
}

static void nulls_are_absent_fields(void **state) {
    (void)state;
    struct stand s;
    open_type(&s, "5 s", ALL_OF_IT);
    assert_int_equal(ask(&s, "2-1-1-1-0-0-0"), EST_VERDICT_ANSWER);
    expect_absent(&s, "debt");
    expect_absent(&s, "paid");
    expect_absent(&s, "owner");
    expect_text(&s, "nz", "2-1-1-1-0-0-0");
    stand_close(&s);
}

static void no_row_is_no_record(void **state) {
    (void)state;
    struct stand s;
    open_type(&s, "5 s", ALL_OF_IT);
    assert_int_equal(ask(&s, "' OR '1'='1"), EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_NO_RECORD);
    stand_close(&s);
}

static void request_fields_are_bound_by_their_kind(void **state) {
    (void)state;
    struct stand s;
    open_type(
        &s, "5 s",
        "      select: \"SELECT nz FROM tax WHERE owner = :owner AND floors = :floors AND debt = :debt AND "
        "paid = :paid AND (:none::text IS NULL) AND :district = 5\"\n");
    est_body_text(s.request, "owner", "شهروند «نمونه» تهران");
    est_body_int(s.request, "floors", 7);
    est_body_int(s.request, "debt", 9007199254740993);
    est_body_bool(s.request, "paid", false);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_ANSWER);
    expect_text(&s, "nz", "1-1-1-1-0-0-0");
    stand_close(&s);
}

static void a_slow_query_is_a_retry_at_its_timeout(void **state) {
    (void)state;
    struct stand s;
    open_type(&s, "1 s", "      select: SELECT pg_sleep(:seconds) AS nothing, 1 AS one\n");
    int64_t start = stand_now_ms();
    est_body_int(s.request, "seconds", 60);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_RETRY);
    expect_remark(&s, "ran longer than 1 s");
    expect_remark(&s, "57014");
    assert_in_range(stand_now_ms() - start, 900, 20000);
    est_body_int(s.request, "seconds", 0);
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_ANSWER); /* the connection lives on */
    expect_int(&s, "one", 1);
    stand_close(&s);
}

static void a_select_cannot_change_anything(void **state) {
    (void)state;
    struct stand s;
    open_type(
        &s, "5 s",
        "      select: WITH gone AS (DELETE FROM tax RETURNING nz) SELECT nz FROM gone WHERE nz = :nz\n");
    assert_int_equal(ask(&s, "1-1-1-1-0-0-0"), EST_VERDICT_RETRY);
    expect_remark(&s, "25006"); /* read_only_sql_transaction */
    stand_close(&s);
    open_type(&s, "5 s", ALL_OF_IT);
    assert_int_equal(ask(&s, "1-1-1-1-0-0-0"), EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_POSITIVE);
    stand_close(&s);
}

static void a_data_error_gives_its_sqlstate_and_not_the_data(void **state) {
    (void)state;
    struct stand s;
    open_type(&s, "5 s", "      select: SELECT debt FROM tax WHERE floors = CAST(:nz AS integer)\n");
    assert_int_equal(ask(&s, "personal"), EST_VERDICT_RETRY);
    expect_remark(&s, "22P02");
    assert_null(strstr(s.out.remark, "personal"));
    est_body_text(s.request, "nz", "7");
    assert_int_equal(stand_ask(&s, "t"), EST_VERDICT_ANSWER);
    stand_close(&s);
}

static void a_connection_cut_while_idle_costs_nothing(void **state) {
    (void)state;
    struct stand s;
    open_type(&s, "5 s", ALL_OF_IT);
    assert_int_equal(ask(&s, "1-1-1-1-0-0-0"), EST_VERDICT_ANSWER);
    database_run(connection, "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity "
                             "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
    assert_int_equal(ask(&s, "1-1-1-1-0-0-0"), EST_VERDICT_ANSWER);
    expect_int(&s, "debt", 9007199254740993);
    stand_close(&s);
}

static void a_server_that_dies_is_a_retry_and_its_return_is_noticed(void **state) {
    (void)state;
    struct stand s;
    int64_t deadline = stand_now_ms() + 40000;
    open_type(&s, "1 s", ALL_OF_IT); /* for so long each asks for a server that is not there */
    while (ask(&s, "1-1-1-1-0-0-0") != EST_VERDICT_ANSWER)
        assert_true(stand_now_ms() < deadline);
    postgres_kill(&server);
    assert_int_equal(ask(&s, "1-1-1-1-0-0-0"), EST_VERDICT_RETRY);
    assert_int_equal(ask(&s, "1-1-1-1-0-0-0"), EST_VERDICT_RETRY);
    expect_remark(&s, "cannot be reached");
    postgres_start(&server);
    deadline = stand_now_ms() + 40000;
    while (ask(&s, "1-1-1-1-0-0-0") != EST_VERDICT_ANSWER)
        assert_true(stand_now_ms() < deadline);
    expect_int(&s, "debt", 9007199254740993);
    stand_close(&s);
}

static void *sleep_ask(void *argument) {
    struct stand *shared = argument;
    est_body *request = est_body_new();
    est_answer out = {.body = est_body_new()};
    est_inquiry in = {.number = 1, .type = slice_of("t")};
    est_body_slice(request, &in.body);
    est_verdict verdict = shared->backend->class->answer(shared->backend, &in, &out);
    est_body_free(&out.body);
    est_body_free(&request);
    return verdict == EST_VERDICT_ANSWER ? argument : NULL;
}

static void workers_query_at_the_same_time(void **state) {
    (void)state;
    struct stand s;
    pthread_t threads[4];
    open_type(&s, "20 s", "      select: SELECT pg_sleep(2) AS nothing, 1 AS one\n");
    int64_t start = stand_now_ms();
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sleep_ask, &s), 0);
    for (size_t i = 0; i < 4; i++) {
        void *answered = NULL;
        pthread_join(threads[i], &answered);
        assert_non_null(answered);
    }
    assert_true(stand_now_ms() - start < 4 * 2000); /* which one after the other would take at least */
    stand_close(&s);
}

static void check_prepares_every_statement(void **state) {
    (void)state;
    struct stand s;
    open_type(&s, "5 s",
              ALL_OF_IT "    u:\n      select: SELECT missing FROM tax\n"
                        "    v:\n      select: SELECT debt FROM tax\n      reason: {column: why}\n");
    s.backend->class->check(s.backend, s.yaml);
    assert_int_equal(s.complaints.count, 2);
    expect_complaint(&s, "agent.yaml:8:", "42703");
    expect_complaint(&s, "agent.yaml:11:", "no column \"why\"");
    stand_close(&s);
}

static void a_table_made_anew_is_read_by_its_new_columns(void **state) {
    (void)state;
    struct stand s;
    database_run(connection, "CREATE TABLE moved (n bigint, m bigint, nz text)");
    database_run(connection, "INSERT INTO moved VALUES (0, 500, 'p')");
    open_type(&s, "5 s", "      select: SELECT * FROM moved WHERE nz = :nz::text\n      reply: {n: n}\n");
    assert_int_equal(ask(&s, "p"), EST_VERDICT_ANSWER);
    expect_int(&s, "n", 0);
    database_run(connection, "DROP TABLE moved");
    database_run(connection, "CREATE TABLE moved (m bigint, n bigint, nz text)");
    database_run(connection, "INSERT INTO moved VALUES (500, 0, 'p')");
    if (ask(&s, "p") != EST_VERDICT_ANSWER) /* the server may refuse the old statement once */
        assert_int_equal(ask(&s, "p"), EST_VERDICT_ANSWER);
    expect_int(&s, "n", 0);
    stand_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sql_type_has_its_kind),
        cmocka_unit_test(nulls_are_absent_fields),
        cmocka_unit_test(no_row_is_no_record),
        cmocka_unit_test(request_fields_are_bound_by_their_kind),
        cmocka_unit_test(a_slow_query_is_a_retry_at_its_timeout),
        cmocka_unit_test(a_select_cannot_change_anything),
        cmocka_unit_test(a_data_error_gives_its_sqlstate_and_not_the_data),
        cmocka_unit_test(a_connection_cut_while_idle_costs_nothing),
        cmocka_unit_test(workers_query_at_the_same_time),
        cmocka_unit_test(check_prepares_every_statement),
        cmocka_unit_test(a_server_that_dies_is_a_retry_and_its_return_is_noticed),
        cmocka_unit_test(a_table_made_anew_is_read_by_its_new_columns),
    };
    return cmocka_run_group_tests(tests, server_open, server_close);
}
