/* judge.h - reads the histories of one round and says which promises were broken.
 *
 * It knows nothing of the broker: it links no part of it, and reads only what requesters, agents,
 * the witness and the nemesis wrote while they ran.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdint.h>
#include <stdio.h>

/* The promises, and what is said when one is broken. */
#define RULES(X)                                                                                             \
    X(HISTORY_WHOLE, "histories are whole and say what can be")                                              \
    X(ACCEPTED_KEPT, "what was accepted is there, as it was submitted")                                      \
    X(SAME_RECEIPT, "the same id brings the same receipt")                                                   \
    X(OTHER_REFUSED, "the same id with another body is a conflict")                                          \
    X(NUMBER_ONCE, "a number belongs to one inquiry")                                                        \
    X(NUMBERS_IN_ORDER, "what was submitted after a receipt has a higher number")                            \
    X(ENDS_ONCE, "an inquiry ends exactly once")                                                             \
    X(DEADLINE_HOLDS, "nothing is answered after its deadline")                                              \
    X(ATTEMPTS_COUNTED, "attempts are as many as failed since the last requeue")                             \
    X(END_HAS_CAUSE, "it expires only with a deadline, is cancelled only when asked, and when told so")      \
    X(RESULT_SAME, "a result is the same at every delivery and in the record")                               \
    X(RESULT_ARRIVES, "every result came to its requester, or waited and came when asked")                   \
    X(ACK_HAS_CAUSE, "nothing counts as acknowledged that nobody acknowledged")                              \
    X(NOBODY_INVENTS, "nothing is delivered that nobody submitted")                                          \
    X(ANSWER_WAS_SAID, "the answer recorded is what its agent said under that lease")                        \
    X(LEASE_ONCE, "an epoch is one lease of one inquiry")                                                    \
    X(OWN_TYPES, "an agent sees only types and districts of its own")                                        \
    X(OWN_IDS, "a requester sees only its own; what is another's looks like what is nobody's")               \
    X(REFUSED_IS_NOTHING, "what was refused is not there")                                                   \
    X(REFUSED_WITH_REASON, "nothing is refused but for a deadline, a limit or a drain")                      \
    X(COUNTS_AGREE, "accepted = open + ended, in the counters, the store and the histories")                 \
    X(STORE_CLEAN, "the store's own check finds nothing")

enum rule {
#define RULE_ENUM(name, text) RULE_##name,
    RULES(RULE_ENUM)
#undef RULE_ENUM
        RULE_COUNT,
};
const char *rule_text(enum rule);
const char *rule_name(enum rule);

enum { OFFENCES_KEPT = 8 };
struct offence {
    enum rule rule;
    char id[33]; /* "": none in particular */
    char text[240];
};

/* Every figure of a round. */
#define FIGURES(X)                                                                                           \
    X(histories)                                                                                             \
    X(lines)                                                                                                 \
    X(ids)                                                                                                   \
    X(invokes)                                                                                               \
    X(receipts)                                                                                              \
    X(receipts_again)                                                                                        \
    X(refused)                                                                                               \
    X(accepted)                                                                                              \
    X(answered) X(expired) X(cancelled) X(results) X(results_again) X(acks) X(waited_at_end) X(takes)        \
        X(takes_again) X(answers_said) X(answers_not_taken) X(retried) X(given_up) X(spoiled) X(leases_lost) \
            X(requeued) X(attempts_failed) X(leases_expired) X(foreign_acks) X(two_accounts) X(conflicts)    \
                X(foreign_asked)

struct verdict {
    uint64_t broken[RULE_COUNT], offences;
    struct offence kept[OFFENCES_KEPT];
#define FIGURE_FIELD(name) uint64_t name;
    FIGURES(FIGURE_FIELD)
#undef FIGURE_FIELD
};

/* All *.jsonl files of a folder. 0, or -1 where there is nothing to judge. */
int judge_folder(const char *folder, struct verdict *ret);
/* Every line of every history that tells of this id, in time order, with the nemesis's own. */
void story_print(const char *folder, const char *id, FILE *out);

#endif
