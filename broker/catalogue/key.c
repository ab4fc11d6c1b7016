/* key.c - CURVE keys as text and as files. */
#include "catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { KEY_TEXT = 40 };

/* Z85 letters stand for 32 bits in fives; five that mean more than 2^32-1 are refused, because
 * libzmq would wrap them to some other key. */
static bool z85_group_fits(const char *group) {
    static const char letters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    uint64_t value = 0;
    for (int i = 0; i < 5; i++) {
        const char *letter = group[i] ? strchr(letters, group[i]) : NULL;
        if (!letter)
            return false;
        value = value * 85 + (uint64_t)(letter - letters);
    }
    return value <= UINT32_MAX;
}

bool key_text_parse(est_slice text, uint8_t ret_key[32]) {
    char copy[KEY_TEXT + 1];
    uint8_t key[32];
    if (text.size != KEY_TEXT)
        return false;
    memcpy(copy, text.data, KEY_TEXT);
    copy[KEY_TEXT] = '\0';
    for (int i = 0; i < KEY_TEXT; i += 5) {
        if (!z85_group_fits(copy + i))
            return false;
    }
    if (!zmq_z85_decode(key, copy))
        return false;
    memcpy(ret_key, key, sizeof key);
    return true;
}

static bool key_node_parse(struct yaml *yaml, const char *name, uint8_t ret_key[32]) {
    const char *text = yaml_word(yaml_get(yaml_root(yaml), name));
    return text && key_text_parse(slice_of(text), ret_key);
}

/* The public half must be the one that belongs to the secret, or every handshake would fail later. */
static const char *key_pair_load(struct yaml *yaml, uint8_t ret_public[32], uint8_t ret_secret[32]) {
    static const char *const keys[] = {"public", "secret", NULL};
    if (!yaml_only(yaml, yaml_root(yaml), keys))
        return "a key file has the lines `public:` and `secret:` only; restore it from your backup";
    if (!key_node_parse(yaml, "public", ret_public))
        return "its `public:` is not a key of 40 Z85 characters in quotes";
    if (!ret_secret)
        return NULL;
    if (!key_node_parse(yaml, "secret", ret_secret))
        return "its `secret:` is absent or not a key of 40 Z85 characters in quotes";
    char derived[KEY_TEXT + 1];
    const char *public_text = yaml_word(yaml_get(yaml_root(yaml), "public"));
    const char *secret_text = yaml_word(yaml_get(yaml_root(yaml), "secret"));
    if (zmq_curve_public(derived, secret_text) != 0)
        return "libzmq was built without CURVE";
    return strcmp(derived, public_text) == 0 ? NULL : "its public and secret keys do not belong together";
}

/* A new key is the answer to one case only, and never to a file that is there: with a new one the broker
 * cuts off everybody who knows the old. */
static const char *fault_tell(int error) {
    static _Thread_local char why[256];
    const char *what_to_do = "see the system's log";
    if (error == ENOENT)
        what_to_do = "restore it from your backup, or, for a city or an account that is new, make one with "
                     "`estelam key new`";
    else if (error == EACCES)
        what_to_do = "run as the user it belongs to, or chown it";
    snprintf(why, sizeof why, "the key file cannot be read: %s; %s", strerror(error), what_to_do);
    return why;
}

/* NULL: it is there, and may be read. */
static const char *file_fault(const char *path, bool is_secret) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = fd >= 0 && fstat(fd, &status) == 0 ? 0 : errno;
    if (fd >= 0)
        close(fd);
    if (error)
        return fault_tell(error);
    if (!S_ISREG(status.st_mode))
        return "this is no file; name the key file";
    if (is_secret && (status.st_mode & (S_IRWXG | S_IRWXO)))
        return "others may read the key file; run chmod 600 on it";
    return status.st_size > 0 ? NULL : "the key file is empty; restore it from your backup";
}

static const char *file_parse(const char *path, uint8_t ret_public[32], uint8_t *ret_secret) {
    struct yaml *yaml = NULL;
    struct complaints *complaints = calloc(1, sizeof *complaints);
    const char *why = complaints ? "the key file is no YAML; restore it from your backup" : "out of memory";
    if (complaints && yaml_open_file(path, complaints, &yaml) == 0)
        why = key_pair_load(yaml, ret_public, ret_secret);
    yaml_close(&yaml);
    free(complaints);
    return why;
}

int key_file_load(const char *path, uint8_t ret_public[32], uint8_t ret_secret[32], const char **ret_why) {
    uint8_t public_key[32], secret_key[32];
    const char *why = file_fault(path, ret_secret != NULL);
    if (!why)
        why = file_parse(path, public_key, ret_secret ? secret_key : NULL);
    if (why) {
        *ret_why = why;
        return -EST_INPUT;
    }
    memcpy(ret_public, public_key, sizeof public_key);
    if (ret_secret)
        memcpy(ret_secret, secret_key, sizeof secret_key);
    explicit_bzero(secret_key, sizeof secret_key);
    return 0;
}
