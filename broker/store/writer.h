/* writer.h - the thread that writes one batch into the journal while the loop makes the next.
 *
 * At most one write is under way. Its bytes are the journal's ring and stay as they are until
 * writer_end has said that it is over, and so does the span, which tells then what came of it.
 */
#ifndef WRITER_H
#define WRITER_H

#include "journal.h"

struct writer;

/* 0, -EST_NO_MEMORY. */
int writer_start(struct store *);
/* Where there is none it does nothing. No write may be under way. */
void writer_stop(struct store *);

void writer_begin(struct writer *, struct journal_span *);
/* False: it is under way, and nobody `waits`. */
bool writer_end(struct writer *, bool waits);

#endif
