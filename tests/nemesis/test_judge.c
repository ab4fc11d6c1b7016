/* test_judge.c - the checker can fail: a small sound round is judged sound, and with one line of it
 * altered, dropped or added the promise that this breaks is named.
 *
 * The round: portal asked A (answered, acknowledged), B (refused: its deadline had passed), C
 * (expired, waits for the witness) and D (cancelled); notary asked A too, under the same id.
 */
#include "judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define A       "0190000000007000800000000000000a"
#define B       "0190000000007000800000000000000b"
#define C       "0190000000007000800000000000000c"
#define D       "0190000000007000800000000000000d"
#define E       "0190000000007000800000000000000e"
#define PORTAL  "requester-portal-a.0001.jsonl"
#define NOTARY  "requester-notary-a.0001.jsonl"
#define WORKS   "agent-works-a.0001.jsonl"
#define WITNESS "witness-witness.jsonl"
#define NEMESIS "nemesis.jsonl"

#define INVOKE(t, id, digest, hurried)                                                                       \
    "{'t':" t ",'who':'p','do':'invoke','id':'" id "','type':'plot.use','district':3,'digest':'" digest      \
    "','hurried':" hurried ",'again':false}"
#define OK(t, id, number, tracking)                                                                          \
    "{'t':" t ",'who':'p','do':'ok','id':'" id "','number':" number ",'tracking':'" tracking                 \
    "','again':false,'at':1}"
#define END(what, id, number, state, outcome, signer, digest, more)                                          \
    "{'t':90,'who':'p','do':'" what "','id':'" id "','number':" number ",'state':'" state                    \
    "','outcome':'" outcome "','signer':'" signer "','digest':'" digest "'" more "}"
#define TAKE(id, number, epoch, requester, digest)                                                           \
    "{'t':30,'who':'works-a.0001','do':'take','number':" number ",'epoch':" epoch                            \
    ",'type':'plot.use','district':3,'requester':'" requester "','attempt':1,'id':'" id                      \
    "','digest':'" digest "'}"
#define ANSWER(number, epoch, digest)                                                                        \
    "{'t':31,'who':'works-a.0001','do':'answer','number':" number ",'epoch':" epoch                          \
    ",'outcome':'positive','digest':'" digest "'}"
#define STATUS(account, id, number, state, outcome, signer, digest, tracking, request, acked)                \
    END("status", id, number, state, outcome, signer, digest,                                                \
        ",'account':'" account "','tracking':'" tracking "','type':'plot.use','of':'" account                \
        "','request':'" request "','acked':" acked)
#define TIMELINE(account, id, events)                                                                        \
    "{'t':91,'who':'witness','do':'timeline','account':'" account "','id':'" id "','events':[" events "]}"
#define START(account)    "{'t':1,'who':'p','do':'start','account':'" account "','pid':7}"
#define STAT(name, value) "{'t':89,'who':'witness','do':'stat','name':'" name "','value':" value "}"

struct line {
    const char *file, *text;
};
static const struct line sound[] = {
    {PORTAL, START("portal")},
    {PORTAL, INVOKE("10", A, "a1", "false")},
    {PORTAL, OK("11", A, "1", "T1")},
    {PORTAL, INVOKE("12", B, "b1", "true")},
    {PORTAL, "{'t':13,'who':'p','do':'fail','id':'" B "','code':'DEADLINE_PASSED','again':false}"},
    {PORTAL, INVOKE("14", C, "c1", "true")},
    {PORTAL, INVOKE("15", D, "d1", "false")},
    {PORTAL, OK("16", C, "3", "T3")},
    {PORTAL, OK("17", D, "4", "T4")},
    {PORTAL, "{'t':18,'who':'p','do':'cancel','id':'" D "','ref':1}"},
    {PORTAL, "{'t':19,'who':'p','do':'cancelled','ref':1}"},
    {PORTAL, END("result", D, "4", "cancelled", "none", "", "0", "")},
    {PORTAL, "{'t':20,'who':'p','do':'ack','id':'" D "','number':4}"},
    {PORTAL, END("result", A, "1", "answered", "positive", "works-a.0001 100", "5e", "")},
    {PORTAL, "{'t':40,'who':'p','do':'ack','id':'" A "','number':1}"},
    {NOTARY, START("notary")},
    {NOTARY, INVOKE("12", A, "a2", "false")},
    {NOTARY, OK("13", A, "2", "T2")},
    {NOTARY, END("result", A, "2", "answered", "positive", "works-a.0001 101", "6e", "")},
    {NOTARY, "{'t':41,'who':'p','do':'ack','id':'" A "','number':2}"},
    {WORKS, START("works-a")},
    {WORKS, TAKE(A, "1", "100", "portal", "a1")},
    {WORKS, ANSWER("1", "100", "5e")},
    {WORKS, TAKE(A, "2", "101", "notary", "a2")},
    {WORKS, ANSWER("2", "101", "6e")},
    {WITNESS, START("duty")},
    {WITNESS, STAT("inquiries_open", "0")},
    {WITNESS, STAT("results_unacknowledged", "1")},
    {WITNESS, STATUS("portal", A, "1", "answered", "positive", "works-a.0001 100", "5e", "T1", "a1", "true")},
    {WITNESS, TIMELINE("portal", A, "'submitted','leased','answered','acknowledged'")},
    {WITNESS, "{'t':91,'who':'witness','do':'absent','account':'portal','id':'" B "','code':'NOT_FOUND'}"},
    {WITNESS, STATUS("portal", C, "3", "expired", "none", "", "0", "T3", "c1", "false")},
    {WITNESS, TIMELINE("portal", C, "'submitted','expired'")},
    {WITNESS, STATUS("portal", D, "4", "cancelled", "none", "", "0", "T4", "d1", "true")},
    {WITNESS, TIMELINE("portal", D, "'submitted','cancelled','acknowledged'")},
    {WITNESS, END("result", C, "3", "expired", "none", "", "0", ",'account':'portal'")},
    {WITNESS, "{'t':92,'who':'witness','do':'foreign','account':'portal','id':'" E "','code':'NOT_FOUND'}"},
    {WITNESS, STATUS("notary", A, "2", "answered", "positive", "works-a.0001 101", "6e", "T2", "a2", "true")},
    {WITNESS, TIMELINE("notary", A, "'submitted','leased','answered','acknowledged'")},
    {NEMESIS,
     "{'t':99,'who':'nemesis','do':'store','status':0,'sheet':{'inquiries':4,'ended':4,'answered':2}}"},
};
enum { SOUND_COUNT = sizeof sound / sizeof *sound };

/* --- Doctoring ----------------------------------------------------------------------------------- */

/* `instead` NULL: the line is dropped. `line` NULL: `instead` is added to `file`. */
struct doctoring {
    const char *file, *line, *instead;
};
static const char drop[] = "";
static char folder[64];

static void line_put(const char *file, const char *text) {
    char path[128], line[1024];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *out = fopen(path, "a");
    assert_non_null(out);
    snprintf(line, sizeof line, "%s", text);
    for (char *quote = line; (quote = strchr(quote, '\''));)
        *quote = '"';
    assert_true(fprintf(out, "%s\n", line) > 0);
    assert_int_equal(fclose(out), 0);
}

static int folder_make(void **state) {
    (void)state;
    strcpy(folder, "/tmp/estelam-judge-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state) {
    static const char *const files[] = {PORTAL, NOTARY, WORKS, WITNESS, NEMESIS};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void judge_doctored(const struct doctoring *doctorings, size_t count, struct verdict *ret) {
    size_t met = 0;
    for (size_t i = 0; i < SOUND_COUNT; i++) {
        const char *text = sound[i].text;
        for (size_t d = 0; d < count; d++)
            if (doctorings[d].line && strcmp(doctorings[d].file, sound[i].file) == 0 &&
                strcmp(doctorings[d].line, text) == 0)
                text = doctorings[d].instead, met++;
        if (text != drop)
            line_put(sound[i].file, text);
    }
    for (size_t d = 0; d < count; d++)
        if (!doctorings[d].line)
            line_put(doctorings[d].file, doctorings[d].instead), met++;
    assert_int_equal(met, count);
    assert_int_equal(judge_folder(folder, ret), 0);
}

static void expect_broken(enum rule rule, const struct doctoring *doctorings, size_t count) {
    struct verdict v;
    judge_doctored(doctorings, count, &v);
    if (v.broken[rule] == 0)
        fail_msg("%s is not seen; %d offences, the first: %s", rule_name(rule), (int)v.offences,
                 v.offences ? v.kept[0].text : "none");
}

#define CAUGHT(rule, ...)                                                                                    \
    do {                                                                                                     \
        (void)state;                                                                                         \
        const struct doctoring doctorings[] = {__VA_ARGS__};                                                 \
        expect_broken(RULE_##rule, doctorings, sizeof doctorings / sizeof *doctorings);                      \
    } while (0)

/* --- The claims ---------------------------------------------------------------------------------- */

static void sound_round_is_sound(void **state) {
    (void)state;
    struct verdict v;
    judge_doctored(NULL, 0, &v);
    if (v.offences > 0)
        fail_msg("%s: %s", rule_name(v.kept[0].rule), v.kept[0].text);
    assert_int_equal(v.accepted, 4);
    assert_int_equal(v.answered, 2);
    assert_int_equal(v.two_accounts, 1);
    assert_int_equal(v.waited_at_end, 1);
}

#define A_STATUS                                                                                             \
    STATUS("portal", A, "1", "answered", "positive", "works-a.0001 100", "5e", "T1", "a1", "true")
#define A_RESULT   END("result", A, "1", "answered", "positive", "works-a.0001 100", "5e", "")
#define A_TIMELINE TIMELINE("portal", A, "'submitted','leased','answered','acknowledged'")
#define STORE(status, inquiries)                                                                             \
    "{'t':99,'who':'nemesis','do':'store','status':" status ",'sheet':{'inquiries':" inquiries               \
    ",'ended':4,'answered':2}}"

static void accepted_id_that_the_record_lost_is_caught(void **state) {
    CAUGHT(ACCEPTED_KEPT,
           {WITNESS, A_STATUS,
            "{'t':91,'who':'w','do':'absent','account':'portal','id':'" A "','code':'NOT_FOUND'}"},
           {WITNESS, A_TIMELINE, drop});
}

static void accepted_id_with_another_body_is_caught(void **state) {
    CAUGHT(ACCEPTED_KEPT,
           {WITNESS, A_STATUS,
            STATUS("portal", A, "1", "answered", "positive", "works-a.0001 100", "5e", "T1", "a9", "true")});
}

static void result_altered_between_two_deliveries_is_caught(void **state) {
    CAUGHT(RESULT_SAME,
           {PORTAL, NULL, END("result", A, "1", "answered", "positive", "works-a.0001 100", "5f", "")});
}

static void result_other_than_the_record_is_caught(void **state) {
    CAUGHT(RESULT_SAME, {PORTAL, A_RESULT, END("result", A, "1", "expired", "none", "", "0", "")});
}

static void second_answer_that_differs_is_caught(void **state) {
    CAUGHT(ENDS_ONCE, {WITNESS, A_TIMELINE,
                       TIMELINE("portal", A, "'submitted','leased','answered','leased','answered'")});
}

static void answer_that_no_agent_said_is_caught(void **state) {
    CAUGHT(ANSWER_WAS_SAID, {WORKS, ANSWER("1", "100", "5e"), ANSWER("1", "100", "5f")});
}

static void answer_under_another_lease_is_caught(void **state) {
    CAUGHT(ANSWER_WAS_SAID,
           {WITNESS, A_STATUS,
            STATUS("portal", A, "1", "answered", "positive", "works-a.0001 101", "5e", "T1", "a1", "true")});
}

static void other_receipt_for_the_same_id_is_caught(void **state) {
    CAUGHT(SAME_RECEIPT, {PORTAL, NULL, OK("50", A, "9", "T9")});
}

static void receipt_for_another_body_is_caught(void **state) {
    CAUGHT(OTHER_REFUSED, {PORTAL, NULL,
                           "{'t':50,'who':'p','do':'ok','id':'" A
                           "','number':1,'tracking':'T1','again':true,'at':1,'other':true}"});
}

static void receipt_other_than_the_record_is_caught(void **state) {
    CAUGHT(SAME_RECEIPT, {PORTAL, OK("11", A, "1", "T1"), OK("11", A, "1", "T7")});
}

static void number_of_two_inquiries_is_caught(void **state) {
    CAUGHT(NUMBER_ONCE, {NOTARY, OK("13", A, "2", "T2"), OK("13", A, "1", "T2")});
}

static void number_below_an_older_receipt_is_caught(void **state) {
    CAUGHT(NUMBERS_IN_ORDER, {NOTARY, INVOKE("12", A, "a2", "false"), INVOKE("60", A, "a2", "false")});
}

static void inquiry_without_an_end_is_caught(void **state) {
    CAUGHT(ENDS_ONCE,
           {WITNESS, A_STATUS, STATUS("portal", A, "1", "waiting", "none", "", "0", "T1", "a1", "false")});
}

static void answer_recorded_after_the_deadline_is_caught(void **state) {
    CAUGHT(DEADLINE_HOLDS,
           {WITNESS, A_STATUS,
            END("status", A, "1", "answered", "positive", "works-a.0001 100", "5e",
                ",'account':'portal','tracking':'T1','type':'plot.use','of':'portal','request':'a1',"
                "'acked':true,'due':5000,'ended':9000000")});
}

static void answer_said_after_the_deadline_is_caught(void **state) {
    CAUGHT(DEADLINE_HOLDS,
           {WITNESS, A_STATUS,
            END("status", A, "1", "answered", "positive", "works-a.0001 100", "5e",
                ",'account':'portal','tracking':'T1','type':'plot.use','of':'portal','request':'a1',"
                "'acked':true,'due':5000,'ended':4000")},
           {NEMESIS, NULL, "{'t':0,'who':'nemesis','do':'seed','seed':1,'wall':400000}"});
}

static void attempt_that_was_forgotten_is_caught(void **state) {
    CAUGHT(ATTEMPTS_COUNTED,
           {WITNESS, A_TIMELINE,
            TIMELINE("portal", A, "'submitted','leased','attempt-failed','leased','answered'")});
}

static void expiry_without_a_deadline_is_caught(void **state) {
    CAUGHT(END_HAS_CAUSE, {PORTAL, INVOKE("14", C, "c1", "true"), INVOKE("14", C, "c1", "false")});
}

static void cancel_that_nobody_asked_for_is_caught(void **state) {
    CAUGHT(END_HAS_CAUSE, {PORTAL, "{'t':18,'who':'p','do':'cancel','id':'" D "','ref':1}", drop},
           {PORTAL, "{'t':19,'who':'p','do':'cancelled','ref':1}", drop});
}

static void cancel_that_was_done_and_had_no_effect_is_caught(void **state) {
    CAUGHT(END_HAS_CAUSE, {PORTAL, "{'t':18,'who':'p','do':'cancel','id':'" D "','ref':1}",
                           "{'t':18,'who':'p','do':'cancel','id':'" A "','ref':1}"});
}

static void result_that_never_came_is_caught(void **state) {
    CAUGHT(RESULT_ARRIVES,
           {WITNESS, END("result", C, "3", "expired", "none", "", "0", ",'account':'portal'"), drop});
}

static void acknowledgement_that_nobody_gave_is_caught(void **state) {
    CAUGHT(ACK_HAS_CAUSE, {PORTAL, "{'t':40,'who':'p','do':'ack','id':'" A "','number':1}", drop});
}

static void inquiry_that_nobody_submitted_is_caught(void **state) {
    CAUGHT(NOBODY_INVENTS, {WORKS, NULL, TAKE(E, "9", "102", "portal", "e1")});
}

static void request_altered_on_its_way_is_caught(void **state) {
    CAUGHT(NOBODY_INVENTS, {WORKS, TAKE(A, "1", "100", "portal", "a1"), TAKE(A, "1", "100", "portal", "a2")});
}

static void epoch_given_twice_is_caught(void **state) {
    CAUGHT(LEASE_ONCE, {WORKS, NULL, TAKE(A, "1", "100", "portal", "a1")});
}

static void type_of_another_department_is_caught(void **state) {
    CAUGHT(OWN_TYPES, {WORKS, START("works-a"), START("treasury-a")});
}

static void result_of_another_account_is_caught(void **state) {
    CAUGHT(OWN_IDS, {NOTARY, NULL, END("result", C, "3", "expired", "none", "", "0", "")});
}

static void foreign_id_that_does_not_look_unknown_is_caught(void **state) {
    CAUGHT(OWN_IDS,
           {WITNESS,
            "{'t':92,'who':'witness','do':'foreign','account':'portal','id':'" E "','code':'NOT_FOUND'}",
            "{'t':92,'who':'witness','do':'foreign','account':'portal','id':'" E "','code':'NOT_ALLOWED'}"});
}

static void refused_id_that_is_there_is_caught(void **state) {
    CAUGHT(REFUSED_IS_NOTHING,
           {WITNESS,
            "{'t':91,'who':'witness','do':'absent','account':'portal','id':'" B "','code':'NOT_FOUND'}",
            STATUS("portal", B, "5", "expired", "none", "", "0", "T5", "b1", "false")},
           {WITNESS, NULL, TIMELINE("portal", B, "'submitted','expired'")});
}

static void refusal_without_a_reason_is_caught(void **state) {
    CAUGHT(REFUSED_WITH_REASON,
           {PORTAL, "{'t':13,'who':'p','do':'fail','id':'" B "','code':'DEADLINE_PASSED','again':false}",
            "{'t':13,'who':'p','do':'fail','id':'" B "','code':'CONFLICT','again':false}"});
}

static void counter_that_is_one_off_is_caught(void **state) {
    CAUGHT(COUNTS_AGREE, {WITNESS, STAT("results_unacknowledged", "1"), STAT("results_unacknowledged", "2")});
}

static void inquiry_that_only_the_store_knows_is_caught(void **state) {
    CAUGHT(COUNTS_AGREE, {NEMESIS, STORE("0", "4"), STORE("0", "5")});
}

static void damaged_store_is_caught(void **state) {
    CAUGHT(STORE_CLEAN, {NEMESIS, STORE("0", "4"), STORE("1", "4")});
}

static void line_that_is_no_json_is_caught(void **state) {
    CAUGHT(HISTORY_WHOLE, {PORTAL, "{'t':20,'who':'p','do':'ack','id':'" D "','number':4}", "{'t':20,'who"});
}

static void line_that_a_kill_tore_is_no_offence(void **state) {
    (void)state;
    struct verdict v;
    char path[128];
    judge_doctored(NULL, 0, &v);
    snprintf(path, sizeof path, "%s/%s", folder, PORTAL);
    FILE *out = fopen(path, "a");
    assert_non_null(out);
    fputs("{\"t\":70,\"who\":\"p\",\"do\":\"invo", out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(judge_folder(folder, &v), 0);
    assert_int_equal(v.offences, 0);
}

static void story_of_an_id_is_told_from_all_histories_in_time_order(void **state) {
    (void)state;
    struct verdict v;
    char *text = NULL;
    size_t size = 0;
    judge_doctored(NULL, 0, &v);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    story_print(folder, D, out);
    fclose(out);
    const char *invoke = strstr(text, "\"invoke\""), *cancel = strstr(text, "\"cancel\""),
               *status = strstr(text, "\"status\"");
    assert_true(invoke && cancel && status && invoke < cancel && cancel < status);
    assert_null(strstr(text, A));
    free(text);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(sound_round_is_sound),
        CLAIM(accepted_id_that_the_record_lost_is_caught),
        CLAIM(accepted_id_with_another_body_is_caught),
        CLAIM(result_altered_between_two_deliveries_is_caught),
        CLAIM(result_other_than_the_record_is_caught),
        CLAIM(second_answer_that_differs_is_caught),
        CLAIM(answer_that_no_agent_said_is_caught),
        CLAIM(answer_under_another_lease_is_caught),
        CLAIM(other_receipt_for_the_same_id_is_caught),
        CLAIM(receipt_for_another_body_is_caught),
        CLAIM(receipt_other_than_the_record_is_caught),
        CLAIM(number_of_two_inquiries_is_caught),
        CLAIM(number_below_an_older_receipt_is_caught),
        CLAIM(inquiry_without_an_end_is_caught),
        CLAIM(answer_recorded_after_the_deadline_is_caught),
        CLAIM(answer_said_after_the_deadline_is_caught),
        CLAIM(attempt_that_was_forgotten_is_caught),
        CLAIM(expiry_without_a_deadline_is_caught),
        CLAIM(cancel_that_nobody_asked_for_is_caught),
        CLAIM(cancel_that_was_done_and_had_no_effect_is_caught),
        CLAIM(result_that_never_came_is_caught),
        CLAIM(acknowledgement_that_nobody_gave_is_caught),
        CLAIM(inquiry_that_nobody_submitted_is_caught),
        CLAIM(request_altered_on_its_way_is_caught),
        CLAIM(epoch_given_twice_is_caught),
        CLAIM(type_of_another_department_is_caught),
        CLAIM(result_of_another_account_is_caught),
        CLAIM(foreign_id_that_does_not_look_unknown_is_caught),
        CLAIM(refused_id_that_is_there_is_caught),
        CLAIM(refusal_without_a_reason_is_caught),
        CLAIM(counter_that_is_one_off_is_caught),
        CLAIM(inquiry_that_only_the_store_knows_is_caught),
        CLAIM(damaged_store_is_caught),
        CLAIM(line_that_is_no_json_is_caught),
        CLAIM(line_that_a_kill_tore_is_no_offence),
        CLAIM(story_of_an_id_is_told_from_all_histories_in_time_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
