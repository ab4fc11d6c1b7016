/* fault.h - a page of the store that leads nowhere ends the broker with a sentence and a status, not in silence.
 *
 * LMDB follows the numbers in its pages without looking where they lead (index/guard.h). In the record nothing
 * could go on after that, so nothing is caught: the line is written by what may be called in a signal's
 * handler, and that is the end.
 *
 *   SIGBUS      a file cut short, a sector that cannot be read: the exit status, for only a mapped file does this
 *   assertion   LMDB's own, about a page: the exit status
 *   SIGSEGV     the line, and then the signal's own end, with a core where the system keeps one: it may as well be
 *               a fault of ours, and a status would hide the place of it
 *
 * The index's guard is laid over these handlers, and lets through to them what is not the index's.
 */
#ifndef FAULT_H
#define FAULT_H

/* From now on. */
void fault_install(void);
/* The exit status, until it is set again. */
void fault_status(int status);
/* What LMDB says of a page (store_options.fault). Does not return. */
_Noreturn void fault_end(const char *what);

#endif
