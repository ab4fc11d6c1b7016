/* disk_calls.h - the calls by which the store's files are written, in the test's own hands.
 *
 * pwrite, pwritev, write and fdatasync of the whole program come through disk_calls.c: those of a file
 * that a test has named fail, or wait. All others, and all at first, are the kernel's.
 */
#ifndef DISK_CALLS_H
#define DISK_CALLS_H

enum disk_file { DISK_DATA, DISK_JOURNAL, DISK_FILES }; /* data.mdb, journal and journal.new */

/* Everything is the kernel's again. */
void disk_calls_reset(void);
/* After `spared` more writes every write of this file fails with `error`; 0: none. */
void disk_calls_fail(enum disk_file, unsigned spared, int error);
/* The same of every pwrite, but what it was to write is there. */
void disk_calls_fail_behind(enum disk_file, int error);
/* Writes of data.mdb by another thread wait until the journal has had so many writes from now on. */
void disk_calls_hold_data(unsigned journal_writes);
#define DISK_HELD_FOREVER 0xffffffffu
/* A write of the journal by another thread waits until it is let go. */
void disk_calls_hold_journal(void);
void disk_calls_let_journal(void);
/* Until one waits there. */
void disk_calls_await_held(void);
/* Writes since the last reset. */
unsigned disk_calls_count(enum disk_file);

#endif
