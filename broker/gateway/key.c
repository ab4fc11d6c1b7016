/* key.c - see key.h. */
#include "key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static bool key_is_visible(const char *key) {
    for (; *key; key++)
        if (*key <= ' ' || *key > '~')
            return false;
    return true;
}

/* The account and the key are told apart by a zero byte, which neither may hold. */
static void key_hash(const char *key, const char *account, est_id *ret) {
    static const char purpose[] = "estelam idempotency key 1";
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof ret->bytes);
    crypto_generichash_update(&state, (const uint8_t *)purpose, sizeof purpose);
    crypto_generichash_update(&state, (const uint8_t *)account, strlen(account) + 1);
    crypto_generichash_update(&state, (const uint8_t *)key, strlen(key));
    crypto_generichash_final(&state, ret->bytes, sizeof ret->bytes);
    ret->bytes[6] = (uint8_t)(0x80 | (ret->bytes[6] & 0x0f));
    ret->bytes[8] = (uint8_t)(0x80 | (ret->bytes[8] & 0x3f));
}

bool key_id(const char *header, const char *account, est_id *ret, const char **ret_why) {
    static const est_id nil;
    char key[KEY_MAX + 1];
    size_t size = strlen(header);
    if (size >= 2 && header[0] == '"' && header[size - 1] == '"') {
        header++;
        size -= 2;
    }
    if (size == 0 || size > KEY_MAX) {
        *ret_why = "it has 1 to 255 characters";
        return false;
    }
    memcpy(key, header, size);
    key[size] = '\0';
    if (!key_is_visible(key)) {
        *ret_why = "it is made of visible ASCII characters";
        return false;
    }
    if (size != EST_ID_TEXT_SIZE - 1 || est_id_parse(key, ret))
        key_hash(key, account, ret);
    if (memcmp(ret, &nil, sizeof nil) != 0)
        return true;
    *ret_why = "the nil UUID is no key";
    return false;
}
