/* guard.h - a fault inside the index's pages ends an attempt, not the process.
 *
 * LMDB follows the numbers in its pages without looking where they lead: a flipped bit, a sector that cannot
 * be read or a file cut short under it is a SIGSEGV, a SIGBUS or an assertion. For the record that is right,
 * nothing could go on. The index may be dropped, so a fault in it jumps back to where the attempt
 * began. What the attempt held is left where it lies: the environment is abandoned with its files.
 *
 * A fault anywhere else, in another thread or while the guard is off, ends the process as ever.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>

struct MDB_env;

/* Installs the handlers, where they are not. Before the thread begins. */
void guard_install(void);
/* Calls `work` under guard in this thread. What it returned; `fault` where it did not return. */
int guard_call(int (*work)(void *arg), void *arg, int fault);
/* Off while the thread is at what is not the index's: the log, for one. What it was before. */
bool guard_set(bool on);
/* LMDB's assertions in this environment are faults, not the end. */
void guard_env(struct MDB_env *);

#endif
