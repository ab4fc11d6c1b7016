/* turned.h - who was turned away at the doors, and why: for the log, since the far end is told nothing but that it
 * may not come in, or not even that.
 *
 * Each key and reason is told once a minute, at most TURNED_ROWS of them; beyond that they are counted, so that
 * whoever knocks without end cannot fill the journal. A public key is no secret; nothing else of theirs is kept.
 */
#ifndef TURNED_H
#define TURNED_H

#include <catalogue.h>
#include <message.h> /* enum door */

enum turned_why {
    TURNED_MALFORMED,   /* no credentials that we know of */
    TURNED_UNKNOWN,     /* no account has this key */
    TURNED_NAME,        /* PLAIN: the account it names has another */
    TURNED_REVOKED,     /* a reload took it out */
    TURNED_EARLY,
    TURNED_LATE,
    TURNED_DOOR,        /* of another role than the door is for */
    TURNED_CRYPTO,      /* CURVE failed: mostly an old server key */
    TURNED_MECHANISM,   /* without CURVE where we ask for it, or the other way round; not heard of whoever hangs up first */
};

struct turned_row {
    enum turned_why why;
    enum door door;
    char address[64], key[41]; /* key: as in accounts.yaml; "" where it is not known */
    char account[EST_NAME_MAX + 1];
    bool told;
};

enum { TURNED_ROWS = 8, TURNED_SIZE = 320 };
struct turned {
    struct turned_row rows[TURNED_ROWS];
    unsigned count;
    uint64_t more; /* that had no row */
    est_time since;
};

void turned_add(struct turned *, const struct turned_row *);
/* The next sentence for the log, or false. */
bool turned_next(struct turned *, est_time now, char ret[TURNED_SIZE]);

/* The doors listen on IPv6 sockets too, where an IPv4 peer looks like ::ffff:10.0.0.1; this is what people call it. */
const char *address_plain(const char *address);

#endif
