/* keyring.c - keys by handle, and by their 32 bytes. */
#include "keyring.h"

#include <stdlib.h>
#include <string.h>

void keyring_init(struct keyring *ring) {
    *ring = (struct keyring){0};
}

void keyring_done(struct keyring *ring) {
    free(ring->keys);
    free(ring->slots);
    *ring = (struct keyring){0};
}

void keyring_begin(struct keyring *ring) {
    for (uint32_t i = 0; i < ring->count; i++)
        ring->keys[i].live = false;
}

/* Public keys are uniformly random already: eight of their bytes are a hash. */
static uint32_t slot_of(const struct keyring *ring, const uint8_t public_key[32]) {
    uint64_t hash;
    memcpy(&hash, public_key, sizeof hash);
    return (uint32_t)(hash ^ hash >> 32) & ring->slots_mask;
}

uint32_t keyring_find(const struct keyring *ring, const uint8_t public_key[32]) {
    if (ring->count == 0)
        return KEY_NONE;
    for (uint32_t at = slot_of(ring, public_key);; at = (at + 1) & ring->slots_mask) {
        if (ring->slots[at] == 0)
            return KEY_NONE;
        if (memcmp(ring->keys[ring->slots[at] - 1].public_key, public_key, 32) == 0)
            return ring->slots[at] - 1;
    }
}

static void slot_add(struct keyring *ring, uint32_t handle) {
    uint32_t at = slot_of(ring, ring->keys[handle].public_key);
    while (ring->slots[at] != 0)
        at = (at + 1) & ring->slots_mask;
    ring->slots[at] = handle + 1;
}

static int ring_grow(struct keyring *ring) {
    uint32_t capacity = ring->capacity == 0 ? 256 : ring->capacity * 2;
    struct ring_key *keys = realloc(ring->keys, capacity * sizeof *keys);
    if (keys == NULL)
        return -EST_NO_MEMORY;
    ring->keys = keys;
    uint32_t *slots = calloc(capacity * 2, sizeof *slots);
    if (slots == NULL)
        return -EST_NO_MEMORY;
    free(ring->slots);
    ring->slots = slots;
    ring->slots_mask = capacity * 2 - 1;
    ring->capacity = capacity;
    for (uint32_t i = 0; i < ring->count; i++)
        slot_add(ring, i);
    return 0;
}

int keyring_reserve(struct keyring *ring, size_t more) {
    if (more > KEYS_MAX - ring->count)
        return -EST_FULL;
    while (ring->capacity < ring->count + more)
        if (ring_grow(ring) < 0)
            return -EST_NO_MEMORY;
    return 0;
}

int keyring_add(struct keyring *ring, const struct key *key, uint32_t account, const char *name, enum role role) {
    uint32_t handle = keyring_find(ring, key->public_key);
    if (handle == KEY_NONE) {
        if (ring->count == KEYS_MAX)
            return -EST_FULL;
        if (ring->count == ring->capacity && ring_grow(ring) < 0)
            return -EST_NO_MEMORY;
        handle = ring->count++;
        memcpy(ring->keys[handle].public_key, key->public_key, 32);
        slot_add(ring, handle);
    }
    struct ring_key *k = &ring->keys[handle];
    memcpy(k->text, key->text, sizeof k->text);
    strncpy(k->name, name, sizeof k->name - 1);
    k->name[sizeof k->name - 1] = '\0';
    k->account = account;
    k->role = role;
    k->from = key->from;
    k->until = key->until;
    k->live = true;
    return 0;
}

bool keyring_is_good(const struct keyring *ring, uint32_t handle, est_time now) {
    if (handle >= ring->count)
        return false;
    const struct ring_key *k = &ring->keys[handle];
    return k->live && (k->from.us == 0 || now.us >= k->from.us) && (k->until.us == 0 || now.us < k->until.us);
}
