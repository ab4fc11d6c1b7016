/* warm.h - reads a large table of open inquiries ahead of whoever walks it.
 *
 * After a restart of the machine its pages lie on the disk, scattered among those of the log; one
 * reader waits for each of them, and ten million rows take half a minute. Some threads that read
 * ahead keep the disk busy. They only touch pages; what the rows say is the walker's business.
 */
#ifndef WARM_H
#define WARM_H

struct store;
struct warm;

/* NULL where the table is small, or there is no memory or thread: then it is read as it comes. */
struct warm *warm_begin(struct store *);
/* Ends it, finished or not; NULL-safe. */
void warm_end(struct warm *);

#endif
