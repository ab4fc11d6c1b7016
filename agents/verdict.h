/* verdict.h - the texts of a verdict, always valid UTF-8 and never too long for the wire.
 *
 * A reason for a retry may be what a child process wrote, so anything can be in it.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <estelam/agent.h>

/* EST_VERDICT_RETRY and EST_VERDICT_REFUSE with a sentence; printf-like. A sentence that is too
 * long is cut between two characters; bytes that are not UTF-8, and control characters, become '?'. */
est_verdict verdict_retry(est_answer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
est_verdict verdict_refuse(est_answer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copies the whole text with a zero byte after it; false, and nothing copied, where it is longer
 * than size - 1 or holds a zero byte: part of a legal reference would be another legal reference. */
bool text_copy(char *to, size_t size, est_slice from);

#endif
