/* types.c - names of codes, states, outcomes and levels, and ids as text. The tables are the X-macros of
 * types.h: nothing here repeats a number or a name.
 */
#include <estelam/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* --- Codes ---------------------------------------------------------------------------------- */

struct code_row {
    int number;
    enum est_layer layer;
    const char *name, *says, *advice;
};

static const struct code_row codes[] = {
#define CODE_ROW(name, number, layer, says, advice) {number, EST_LAYER_##layer, #name, says, advice},
    EST_CODES(CODE_ROW)
#undef CODE_ROW
};

static const struct code_row *code_find(int code) {
    static const struct code_row unknown = {0, EST_LAYER_NONE, "UNKNOWN_CODE", "a code of a later version",
                                            "update this program"};
    unsigned number = code < 0 ? 0U - (unsigned)code : (unsigned)code;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if ((unsigned)codes[i].number == number) {
            return &codes[i];
        }
    }
    return &unknown;
}

const char *est_code_name(int code) {
    return code_find(code)->name;
}

const char *est_code_text(int code) {
    return code_find(code)->says;
}

const char *est_code_advice(int code) {
    return code_find(code)->advice;
}

enum est_layer est_code_layer(int code) {
    return code_find(code)->layer;
}

const char *est_layer_name(enum est_layer layer) {
    switch (layer) {
    case EST_LAYER_NONE:
        return "none";
    case EST_LAYER_REQUESTER:
        return "requester";
    case EST_LAYER_BROKER:
        return "broker";
    case EST_LAYER_AGENT:
        return "agent";
    case EST_LAYER_DEPARTMENT:
        return "department";
    case EST_LAYER_LOCAL:
        return "local";
    }
    return "unknown";
}

/* --- States and outcomes ---------------------------------------------------------------------- */

const char *est_state_name(enum est_state state) {
    switch (state) {
    case EST_STATE_NONE:
        return "none";
#define STATE_CASE(name, number, text)                                                                       \
    case EST_STATE_##name:                                                                                   \
        return text;
        EST_STATES(STATE_CASE)
#undef STATE_CASE
    }
    return "unknown";
}

const char *est_outcome_name(enum est_outcome outcome) {
    switch (outcome) {
    case EST_OUTCOME_NONE:
        return "none";
#define OUTCOME_CASE(name, number, text)                                                                     \
    case EST_OUTCOME_##name:                                                                                 \
        return text;
        EST_OUTCOMES(OUTCOME_CASE)
#undef OUTCOME_CASE
    }
    return "unknown";
}

enum est_outcome est_outcome_parse(est_slice text) {
#define OUTCOME_PARSE(name, number, word)                                                                    \
    if (text.size == sizeof word - 1 && memcmp(text.data, word, text.size) == 0) {                           \
        return EST_OUTCOME_##name;                                                                           \
    }
    EST_OUTCOMES(OUTCOME_PARSE)
#undef OUTCOME_PARSE
    return EST_OUTCOME_NONE;
}

const char *est_level_name(enum est_level level) {
    switch (level) {
    case EST_LEVEL_NONE:
        return "none";
#define LEVEL_CASE(name, number, text)                                                                       \
    case EST_LEVEL_##name:                                                                                   \
        return text;
        EST_LEVELS(LEVEL_CASE)
#undef LEVEL_CASE
    }
    return "unknown";
}

enum est_level est_level_parse(est_slice text) {
#define LEVEL_PARSE(name, number, word)                                                                      \
    if (text.size == sizeof word - 1 && memcmp(text.data, word, text.size) == 0) {                           \
        return EST_LEVEL_##name;                                                                             \
    }
    EST_LEVELS(LEVEL_PARSE)
#undef LEVEL_PARSE
    return EST_LEVEL_NONE;
}

/* --- Ids ---------------------------------------------------------------------------------------- */

/* A hyphen stands before these bytes: 8-4-4-4-12 digits. */
static bool hyphen_before(size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void est_id_format(const est_id *id, char ret_text[EST_ID_TEXT_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    char *at = ret_text;
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        if (hyphen_before(i)) {
            *at++ = '-';
        }
        *at++ = digits[id->bytes[i] >> 4];
        *at++ = digits[id->bytes[i] & 15];
    }
    *at = '\0';
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int est_id_parse(const char *text, est_id *ret_id) {
    if (!text) {
        return -EST_MALFORMED;
    }
    size_t length = strnlen(text, EST_ID_TEXT_SIZE);
    if (length != 32 && length != 36) {
        return -EST_MALFORMED;
    }
    est_id id;
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        if (length == 36 && hyphen_before(i) && *text++ != '-') {
            return -EST_MALFORMED;
        }
        int high = hex_value(text[0]);
        int low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0) {
            return -EST_MALFORMED;
        }
        id.bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    *ret_id = id;
    return 0;
}

/* The kernel gives up to 256 bytes whole, once it is seeded; until then the call may be
 * interrupted by a signal. Anything else is a machine without randomness, on which an id that
 * looks unique and is not would mix up two inquiries: stop. */
static void random_fill(void *bytes, size_t size) {
    while (getrandom(bytes, size, 0) != (ssize_t)size) {
        if (errno != EINTR) {
            abort();
        }
    }
}

void est_id_new(est_id *ret_id) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    random_fill(ret_id->bytes + 6, 10);
    for (size_t i = 0; i < 6; i++) {
        ret_id->bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    ret_id->bytes[6] = (uint8_t)((ret_id->bytes[6] & 0x0f) | 0x70); /* version 7 */
    ret_id->bytes[8] = (uint8_t)((ret_id->bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
}
