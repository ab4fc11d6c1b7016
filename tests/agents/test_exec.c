/* test_exec.c - the exec back end with small shell programs, every way they can end. */
#include "stand.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 };
static char folder[256];

static int folder_open(void **state) {
    (void)state;
    folder_make(folder, sizeof folder);
    return 0;
}

static int folder_close(void **state) {
    (void)state;
    folder_remove(folder);
    return 0;
}

/* Opens the back end over a program whose shell text is given. */
static void open_program(struct stand *stand, const char *keys, const char *script) {
    char text[1024], whole[8192];
    snprintf(whole, sizeof whole, "#!/bin/sh\n%s\n", script);
    file_write(folder, "program.sh", whole, 0700);
    snprintf(text, sizeof text, "exec:\n  command: [./program.sh, argument]\n%s", keys);
    stand_open(stand, folder, text);
}

static est_verdict ask(struct stand *stand) {
    est_body_text(stand->request, "nz", "1-1-1-1-0-0-0");
    return stand_ask(stand, "metro.harim");
}

/* Opens, asks once, expects a verdict; the stand stays open. */
static void ask_once(struct stand *stand, const char *keys, const char *script, est_verdict wanted) {
    open_program(stand, keys, script);
    assert_int_equal(ask(stand), wanted);
}

/* Waits until the process of a pid file is gone. */
static void expect_gone(const char *name) {
    char path[512];
    int pid = 0;
    int64_t deadline = stand_now_ms() + DEADLINE_MS;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    while (!kill(pid, 0)) {
        assert_true(stand_now_ms() < deadline);
        poll(NULL, 0, 10);
    }
}

/* --- once ---------------------------------------------------------------------------------------- */

static void exit_0_is_an_answer(void **state) {
    (void)state;
    struct stand s;
    ask_once(
        &s, "",
        "cat >/dev/null; echo '{\"outcome\":\"negative\",\"reason\":\"in-zone\",\"legal_ref\":\"ماده ۱\","
        "\"valid_until\":\"1404/12/"
        "29\",\"signer\":\"مترو\",\"body\":{\"in_zone\":true,\"depth\":9007199254740993,"
        "\"conditions\":[\"الف\",\"ب\"],\"none\":null,\"rec\":{\"a\":-1}}}'",
        EST_VERDICT_ANSWER);
    assert_int_equal(s.out.outcome, EST_OUTCOME_NEGATIVE);
    assert_string_equal(s.out.reason, "in-zone");
    assert_string_equal(s.out.legal_ref, "ماده ۱");
    assert_string_equal(s.out.valid_until, "1404/12/29");
    assert_string_equal(s.out.signer, "مترو");
    expect_bool(&s, "in_zone", true);
    expect_int(&s, "depth", 9007199254740993);
    expect_json(&s, "conditions", "[\"الف\",\"ب\"]");
    expect_json(&s, "rec", "{\"a\":-1}");
    stand_close(&s);
}

static void the_inquiry_comes_as_one_line_of_json(void **state) {
    (void)state;
    struct stand s;
    ask_once(&s, "", "cat >seen; echo '{\"outcome\":\"positive\"}'", EST_VERDICT_ANSWER);
    char path[512], seen[2048] = "";
    snprintf(path, sizeof path, "%s/seen", folder); /* the program runs in the file's folder */
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(seen, 1, sizeof seen - 1, file) > 0);
    fclose(file);
    assert_string_equal(
        seen, "{\"number\":17,\"type\":\"metro.harim\",\"version\":1,\"purpose\":\"permit\","
              "\"district\":5,\"requester\":\"portal\",\"attempt\":1,\"case\":\"\",\"trace\":\"\","
              "\"received\":\"2023-11-14T22:13:20Z\",\"due\":null,\"body\":{\"nz\":\"1-1-1-1-0-0-0\"}}\n");
    stand_close(&s);
}

static void every_exit_code_has_its_verdict(void **state) {
    (void)state;
    static const struct {
        const char *script;
        est_verdict verdict;
        const char *remark;
    } ways[] = {
        {"echo 'قطع شبکه' >&2; echo more >&2; exit 75", EST_VERDICT_RETRY, "قطع شبکه"},
        {"exit 75", EST_VERDICT_RETRY, "no reason"},
        {"echo 'not ours' >&2; exit 65", EST_VERDICT_REFUSE, "not ours"},
        {"exit 65", EST_VERDICT_REFUSE, "no reason"},
        {"echo oops >&2; exit 1", EST_VERDICT_RETRY, "exited with 1: oops"},
        {"exit 3", EST_VERDICT_RETRY, "exited with 3"},
        {"kill -9 $$", EST_VERDICT_RETRY, "signal 9"},
        {"exit 0", EST_VERDICT_RETRY, "no answer"},
        {"printf '\\377\\033x' >&2; exit 75", EST_VERDICT_RETRY, "??x"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct stand s;
        ask_once(&s, "", ways[i].script, ways[i].verdict);
        expect_remark(&s, ways[i].remark);
        assert_null(strstr(s.out.remark, "more"));
        assert_true(utf8_is_valid(slice_of(s.out.remark)));
        stand_close(&s);
    }
}

static void output_that_is_no_answer_is_a_retry(void **state) {
    (void)state;
    static const struct {
        const char *output, *remark;
    } bad[] = {
        {"not json", "not one JSON object"},
        {"[1]", "not a JSON object"},
        {"{\"outcome\":\"positive\"}{}", "not one JSON object"},
        {"{\"outcome\":\"maybe\"}", "outcome"},
        {"{\"outcome\":1}", "outcome"},
        {"{}", "needs one of"},
        {"{\"outcome\":\"positive\",\"retry\":\"x\"}", "needs one of"},
        {"{\"outcome\":\"positive\",\"resaon\":\"x\"}", "unknown key \"resaon\""},
        {"{\"outcome\":\"positive\",\"outcome\":\"negative\"}", "not one JSON object"},
        {"{\"outcome\":\"positive\",\"reason\":7}", "\"reason\" is not a text"},
        {"{\"outcome\":\"positive\",\"valid_until\":\"1404/12/291\"}",
         "\"valid_until\" is not a text of at most 10"},
        {"{\"outcome\":\"positive\",\"body\":[]}", "\"body\" cannot be sent: not an object"},
        {"{\"outcome\":\"positive\",\"body\":{\"a\":[{\"b\":1},{\"b\":1.5}]}}",
         "\"body\" cannot be sent: a[1].b: a real number"},
        {"{\"outcome\":\"positive\",\"reason\":\"\\u0000\"}", "not one JSON object"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct stand s;
        char script[512];
        snprintf(script, sizeof script, "cat <<'E'\n%s\nE", bad[i].output);
        ask_once(&s, "", script, EST_VERDICT_RETRY);
        expect_remark(&s, bad[i].remark);
        stand_close(&s);
    }
}

static void a_body_that_cannot_be_sent_says_why(void **state) {
    (void)state;
    struct stand s;
    ask_once(&s, "",
             "cat >/dev/null; printf '{\"outcome\":\"positive\",\"body\":{\"all\":[0'; for i in $(seq 900); do "
             "printf ',{\"a\":1,\"b\":1,\"c\":1,\"d\":1}'; done; echo ']}}'",
             EST_VERDICT_RETRY);
    expect_remark(&s, "the program's \"body\" cannot be sent: it has more than 4096 items");
    stand_close(&s);
    ask_once(&s, "", "cat >/dev/null; echo '{\"outcome\":\"positive\",\"body\":{\"a\":[[[[[[[1]]]]]]]}}'",
             EST_VERDICT_ANSWER);
    stand_close(&s);
    ask_once(&s, "", "cat >/dev/null; echo '{\"outcome\":\"positive\",\"body\":{\"a\":[[[[[[[[1]]]]]]]]}}'",
             EST_VERDICT_RETRY);
    expect_remark(&s, "a level too many");
    stand_close(&s);
}

static void a_body_larger_than_the_protocol_takes_is_a_retry(void **state) {
    (void)state;
    struct stand s;
    ask_once(&s, "",
             "printf '{\"outcome\":\"positive\",\"body\":{\"a\":\"'; head -c 70000 /dev/zero | tr '\\0' x; "
             "printf '\"}}'",
             EST_VERDICT_RETRY);
    expect_remark(&s, "larger than 65536 bytes");
    stand_close(&s);
}

static void endless_output_is_cut_off_and_the_program_killed(void **state) {
    (void)state;
    struct stand s;
    ask_once(&s, "  timeout: 30 s\n", "echo $$ >pid; exec cat /dev/zero", EST_VERDICT_RETRY);
    expect_remark(&s, "more than 1048576 bytes");
    expect_gone("pid");
    stand_close(&s);
}

static void endless_errors_do_not_block_the_program(void **state) {
    (void)state;
    struct stand s;
    ask_once(&s, "", "head -c 3000000 /dev/zero | tr '\\0' e >&2; echo '{\"outcome\":\"positive\"}'",
             EST_VERDICT_ANSWER);
    stand_close(&s);
}

static void a_late_program_is_killed_with_all_it_started(void **state) {
    (void)state;
    struct stand s;
    ask_once(&s, "  timeout: 1500 ms\n", "sleep 1000 & echo $! >grandchild; echo $$ >pid; wait",
             EST_VERDICT_RETRY);
    expect_remark(&s, "did not answer within 1500 ms");
    expect_gone("pid");
    expect_gone("grandchild");
    stand_close(&s);
}

static void what_an_answering_program_leaves_running_is_killed(void **state) {
    (void)state;
    struct stand s;
    ask_once(&s, "", "sleep 1000 & echo $! >grandchild; echo '{\"outcome\":\"positive\"}'",
             EST_VERDICT_ANSWER);
    expect_gone("grandchild");
    stand_close(&s);
}

static void *lease_end_when_started(void *unused) {
    char path[512];
    (void)unused;
    snprintf(path, sizeof path, "%s/started", folder);
    while (access(path, F_OK))
        poll(NULL, 0, 10);
    stand_lease_ended = true;
    return NULL;
}

static void the_end_of_the_lease_kills_the_program(void **state) {
    (void)state;
    struct stand s;
    pthread_t thread;
    open_program(&s, "  timeout: 60 s\n", "echo $$ >pid; : >started; exec sleep 1000");
    int64_t start = stand_now_ms();
    assert_int_equal(pthread_create(&thread, NULL, lease_end_when_started, NULL), 0);
    assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    assert_true(stand_now_ms() - start < DEADLINE_MS);
    pthread_join(thread, NULL);
    expect_gone("pid");
    stand_close(&s);
}

static void a_program_may_ignore_its_input(void **state) {
    (void)state;
    struct stand s;
    char large[60001];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    open_program(&s, "", "exec <&-; echo '{\"outcome\":\"positive\"}'");
    est_body_text(s.request, "more", large);
    assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
    stand_close(&s);
}

static void a_program_inherits_its_streams_and_nothing_else(void **state) {
    (void)state;
    struct stand s;
    int leak = open("/dev/null", O_RDONLY);
    char number[16];
    assert_true(leak > 2);
    snprintf(number, sizeof number, "%d", leak = fcntl(leak, F_DUPFD, 100));
    setenv("LEAK", number, 1);
    ask_once(&s, "",
             "sig=$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status); sig=${sig#?????????}\n"
             "echo \"{\\\"outcome\\\":\\\"positive\\\",\\\"body\\\":{\\\"leak\\\":$([ -e /proc/$$/fd/$LEAK ] "
             "&& echo 1 || echo 0)"
             ",\\\"sig\\\":\\\"$sig\\\",\\\"arg\\\":\\\"$1\\\"}}\"",
             EST_VERDICT_ANSWER);
    expect_int(&s, "leak", 0);
    expect_text(&s, "sig", "0000000"); /* signals 1 to 28; glibc keeps two above 31 for itself */
    expect_text(&s, "arg", "argument");
    stand_close(&s);
    close(leak);
}

/* The agent's workers block every signal. No shell between: some shells unblock them by themselves. */
static void a_program_has_no_signal_blocked(void **state) {
    (void)state;
    struct stand s;
    sigset_t all, before;
    stand_open(&s, folder, "exec:\n  command: [sed, -n, 's/^SigBlk:[[:space:]]*\\(.*\\)/"
                           "{\"outcome\":\"positive\",\"body\":{\"blocked\":\"\\1\"}}/p', /proc/self/status]\n");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    est_verdict verdict = ask(&s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(verdict, EST_VERDICT_ANSWER);
    expect_text(&s, "blocked", "0000000000000000");
    stand_close(&s);
}

static void a_program_that_cannot_be_run_is_a_retry(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, "", "true");
    file_write(folder, "program.sh", "#!/nonexistent\n", 0700);
    assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    expect_remark(&s, "cannot be started");
    stand_close(&s);
}

static void *ask_thread(void *argument) {
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

/* Eight askers at once; each must be answered. */
static void ask_crowd(struct stand *stand) {
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_thread, stand), 0);
    for (size_t i = 0; i < 8; i++) {
        void *answered = NULL;
        pthread_join(threads[i], &answered);
        assert_non_null(answered);
    }
}

static void no_more_programs_run_than_at_once(void **state) {
    (void)state;
    struct stand s;
    /* mkdir is the lock: a second program at the same time finds a place taken and fails. */
    open_program(&s, "  at_once: 2\n",
                 "mkdir one 2>/dev/null && mine=one || { mkdir two 2>/dev/null && mine=two; } || exit 1\n"
                 "sleep 0.05; rmdir $mine; echo '{\"outcome\":\"positive\"}'");
    ask_crowd(&s);
    stand_close(&s);
}

/* --- lines --------------------------------------------------------------------------------------- */

#define LINES "  mode: lines\n  at_once: 1\n  timeout: 5 s\n"
#define EACH  "while read -r line; do n=$((n + 1)); "

static void one_program_answers_line_after_line(void **state) {
    (void)state;
    struct stand s;
    open_program(
        &s, LINES,
        EACH "echo \"{\\\"outcome\\\":\\\"positive\\\",\\\"body\\\":{\\\"n\\\":$n,\\\"pid\\\":$$}}\"; done");
    int64_t pid = 0, again = 0;
    est_slice all;
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
        expect_int(&s, "n", i);
        assert_int_equal(est_body_slice(s.out.body, &all), 0);
        assert_true(est_field_int(all, "pid", i == 1 ? &pid : &again));
        assert_true(i == 1 || pid == again);
    }
    stand_close(&s);
    assert_int_not_equal(kill((pid_t)pid, 0), 0); /* closed with the back end */
}

static void a_line_may_ask_for_a_retry_or_refuse(void **state) {
    (void)state;
    struct stand s;
    open_program(
        &s, LINES,
        EACH "case $n in 1) echo '{\"retry\":\"فعلاً نه\"}';; *) echo '{\"refuse\":\"never\"}';; esac; done");
    assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    expect_remark(&s, "فعلاً نه");
    assert_int_equal(ask(&s), EST_VERDICT_REFUSE);
    expect_remark(&s, "never");
    stand_close(&s);
}

static void a_program_that_dies_is_started_again(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, LINES, "read -r line; echo '{\"outcome\":\"positive\"}'; read -r line; exit 7");
    stand_told = 0;
    assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
    assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    expect_remark(&s, "ended without an answer");
    assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
    assert_int_equal(stand_told, 1);
    stand_close(&s);
}

static void a_program_that_ended_between_two_lines_costs_nothing(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, LINES, "read -r line; echo $$ >pid; echo '{\"outcome\":\"positive\"}'");
    assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
    stand_close(&s);
    open_program(&s, LINES, EACH "echo $$ >pid; echo '{\"outcome\":\"positive\"}'; done");
    assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
    char path[512];
    int pid = 0;
    snprintf(path, sizeof path, "%s/pid", folder);
    FILE *file = fopen(path, "r");
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    kill(pid, SIGKILL);
    char stat[512] = "";
    int64_t deadline = stand_now_ms() + DEADLINE_MS;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    while (!strstr(stat, ") Z")) { /* dead, not yet waited for */
        assert_true(stand_now_ms() < deadline);
        file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(stat, sizeof stat, file));
        fclose(file);
    }
    assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
    stand_close(&s);
}

static void a_program_that_never_answers_is_started_at_growing_pauses(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, "  mode: lines\n  at_once: 1\n  timeout: 300 ms\n", "echo x >>starts; exit 1");
    int64_t began = stand_now_ms(), until = began + 2500;
    while (stand_now_ms() < until)
        assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    while (!strstr(s.out.remark, "keeps ending")) { /* at a start: then the pause is longer than what follows */
        assert_int_equal(ask(&s), EST_VERDICT_RETRY);
        assert_true(stand_now_ms() < until + DEADLINE_MS);
    }
    char path[512];
    snprintf(path, sizeof path, "%s/starts", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long most = 1; /* at 0, 100, 300, 700, 1500 ms … at the earliest */
    for (int64_t at = 100, pause = 200; at <= stand_now_ms() - began; at += pause, pause *= 2)
        most++;
    assert_in_range(ftell(file) / 2, 2, most);
    fclose(file);
    stand_close(&s);
}

static void a_late_line_kills_the_program_and_the_next_inquiry_gets_a_fresh_one(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, "  mode: lines\n  at_once: 1\n  timeout: 1500 ms\n",
                 "read -r line; [ -e second ] || { : >second; echo $$ >pid; sleep 1000 & wait; }\n"
                 "echo '{\"outcome\":\"positive\"}'");
    assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    expect_remark(&s, "did not answer within 1500 ms");
    expect_gone("pid");
    assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
    stand_close(&s);
}

static void two_lines_for_one_inquiry_are_a_retry(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, LINES, EACH "printf '{\"outcome\":\"positive\"}\\n{\"outcome\":\"negative\"}\\n'; done");
    assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    expect_remark(&s, "more than one line");
    stand_close(&s);
}

/* The answer to one inquiry must never be taken for the next one's: what of the first was not read would be
 * read as the second. */
static void an_answer_before_the_whole_inquiry_was_read_is_a_retry(void **state) {
    (void)state;
    static const size_t sizes[] = {10, 60000}; /* the pipe takes it at once; it does not */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct stand s;
        char script[512], more[60001] = "";
        memset(more, '"', sizes[i]); /* two bytes each in JSON */
        snprintf(script, sizeof script,
                 "mkdir hasty-%zu 2>/dev/null && echo '{\"outcome\":\"negative\"}' && exec sleep 20\n" EACH
                 "case $line in *second*) echo '{\"outcome\":\"positive\"}';; "
                 "*) echo '{\"outcome\":\"negative\"}';; esac; done",
                 sizes[i]);
        open_program(&s, LINES, script);
        est_body_text(s.request, "more", more);
        assert_int_equal(ask(&s), EST_VERDICT_RETRY);
        expect_remark(&s, "before it had read the inquiry");
        est_body_text(s.request, "more", "second");
        assert_int_equal(ask(&s), EST_VERDICT_ANSWER);
        assert_int_equal(s.out.outcome, EST_OUTCOME_POSITIVE);
        stand_close(&s);
    }
}

static void an_endless_line_is_cut_off(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, "  mode: lines\n  timeout: 30 s\n", "exec cat /dev/zero");
    assert_int_equal(ask(&s), EST_VERDICT_RETRY);
    expect_remark(&s, "more than 1048576 bytes");
    stand_close(&s);
}

static void lines_are_shared_among_threads(void **state) {
    (void)state;
    struct stand s;
    open_program(&s, "  mode: lines\n  at_once: 2\n  timeout: 10 s\n",
                 EACH "echo '{\"outcome\":\"positive\"}'; done");
    ask_crowd(&s);
    stand_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_0_is_an_answer),
        cmocka_unit_test(the_inquiry_comes_as_one_line_of_json),
        cmocka_unit_test(every_exit_code_has_its_verdict),
        cmocka_unit_test(output_that_is_no_answer_is_a_retry),
        cmocka_unit_test(a_body_that_cannot_be_sent_says_why),
        cmocka_unit_test(a_body_larger_than_the_protocol_takes_is_a_retry),
        cmocka_unit_test(endless_output_is_cut_off_and_the_program_killed),
        cmocka_unit_test(endless_errors_do_not_block_the_program),
        cmocka_unit_test(a_late_program_is_killed_with_all_it_started),
        cmocka_unit_test(what_an_answering_program_leaves_running_is_killed),
        cmocka_unit_test(the_end_of_the_lease_kills_the_program),
        cmocka_unit_test(a_program_may_ignore_its_input),
        cmocka_unit_test(a_program_inherits_its_streams_and_nothing_else),
        cmocka_unit_test(a_program_has_no_signal_blocked),
        cmocka_unit_test(a_program_that_cannot_be_run_is_a_retry),
        cmocka_unit_test(no_more_programs_run_than_at_once),
        cmocka_unit_test(one_program_answers_line_after_line),
        cmocka_unit_test(a_line_may_ask_for_a_retry_or_refuse),
        cmocka_unit_test(a_program_that_dies_is_started_again),
        cmocka_unit_test(a_program_that_ended_between_two_lines_costs_nothing),
        cmocka_unit_test(a_program_that_never_answers_is_started_at_growing_pauses),
        cmocka_unit_test(a_late_line_kills_the_program_and_the_next_inquiry_gets_a_fresh_one),
        cmocka_unit_test(two_lines_for_one_inquiry_are_a_retry),
        cmocka_unit_test(an_answer_before_the_whole_inquiry_was_read_is_a_retry),
        cmocka_unit_test(an_endless_line_is_cut_off),
        cmocka_unit_test(lines_are_shared_among_threads),
    };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
