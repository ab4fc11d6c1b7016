/* ids.h - from an account's id, or from a number, to a place in a list: 0, 1, 2 … as they come. */
#ifndef IDS_H
#define IDS_H

#include <estelam/types.h>

struct ids_key {
    est_id id;
    uint64_t account;
};

struct ids {
    struct ids_key *keys;
    uint32_t *cells; /* place + 1; 0: empty */
    size_t count, room, cells_count;
};

/* The place of this key, a new one where it was not there. Ends the program without memory. */
size_t ids_add(struct ids *, const est_id *, uint64_t account);
/* True and *ret set where it is there. */
bool ids_find(const struct ids *, const est_id *, uint64_t account, size_t *ret);
void ids_done(struct ids *);

#endif
