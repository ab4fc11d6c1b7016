/* backup.h - a store copied whole, into a folder that is there only once the copy was found good.
 *
 * Beside a running broker it is the log of the moment in which the copying began, without what only
 * the journal has then: the last 40 ms, or more where the disk is slow. Where no broker has the store open the journal comes
 * along, and nothing that was ever promised is missing.
 *
 * The copy is made in TO.unfinished, synced, checked from its first event to its last (check.h), and
 * then gets its name. A broker may start or stop meanwhile.
 *
 * While it copies, the broker cannot use again what it frees: its file grows by what it would have
 * used.
 */
#ifndef BACKUP_H
#define BACKUP_H

#include "check.h"

struct store_backup {
    struct store_check check; /* of the copy; where `damaged`, there is none; `why`: what failed */
    bool beside_broker;       /* the store was open, and the journal was left */
};

/* `to` is missing or an empty folder; its parent is there. What root makes belongs to the parent's owner.
 * 0: `ret->check.damaged`, or the copy is there. -EST_NOT_FOUND: no store at `from`; -EST_INPUT: `to` is
 * something already; -EST_IO, -EST_NO_MEMORY; of all these the sentence is in `ret->check.why`, and
 * nothing is left. */
int store_backup(const char *from, const char *to, struct store_backup *ret);

#endif
