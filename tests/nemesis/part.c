/* part.c - see part.h. */
#include "part.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- The process --------------------------------------------------------------------------------- */

int part_begin(struct part *part, int argc, char **argv) {
    if (argc != PART_ARGUMENTS) {
        fprintf(stderr, "%s: started by estelam-nemesis only\n", argv[0]);
        return -1;
    }
    *part = (struct part){.folder = argv[1],
                          .role = argv[2],
                          .name = argv[3],
                          .slot = (unsigned)strtoul(argv[4], NULL, 10) % BOARD_SLOTS,
                          .dice = strtoull(argv[5], NULL, 10),
                          .previous = strcmp(argv[6], "-") == 0 ? NULL : argv[6],
                          .account = argv[7],
                          .endpoint = argv[8],
                          .server_key = argv[9],
                          .public_key = argv[10],
                          .secret_key = argv[11]};
    char path[512];
    snprintf(path, sizeof path, "%s/%s-%s.jsonl", part->folder, part->role, part->name);
    part->history = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    part->board = board_open(part->folder);
    if (part->history < 0 || !part->board) {
        perror(path);
        return -1;
    }
    tell(part, "start", "\"account\":\"%s\",\"pid\":%d", part->account, (int)getpid());
    return 0;
}

est_options part_options(const struct part *part, unsigned window, unsigned results) {
    return (est_options){.endpoints = {part->endpoint},
                         .server_key = part->server_key,
                         .public_key = part->public_key,
                         .secret_key = part->secret_key,
                         .account = part->account,
                         .software = part->name,
                         .window = window,
                         .results = results,
                         .reconnect_first = {5 * EST_US_PER_MS},
                         .reconnect_max = {40 * EST_US_PER_MS}};
}

void tell(const struct part *part, const char *what, const char *fields, ...) {
    char line[2048];
    int size = snprintf(line, sizeof line, "{\"t\":%" PRId64 ",\"who\":\"%s\",\"do\":\"%s\"%s",
                        monotonic_us(), part->name, what, *fields ? "," : "");
    va_list arguments;
    va_start(arguments, fields);
    int more = vsnprintf(line + size, sizeof line - (size_t)size, fields, arguments);
    va_end(arguments);
    size += more;
    if (more < 0 || (size_t)size + 3 > sizeof line)
        abort();
    memcpy(line + size, "}\n", 2);
    if (write(part->history, line, (size_t)size + 2) != size + 2) {
        perror("history");
        _exit(3);
    }
}

/* splitmix64 */
unsigned dice(uint64_t *state, unsigned sides) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % sides);
}

/* --- Bodies -------------------------------------------------------------------------------------- */

void id_hex(const est_id *id, char ret_text[ID_HEX_SIZE]) {
    for (size_t i = 0; i < sizeof id->bytes; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", id->bytes[i]);
}

bool id_from_hex(const char *text, est_id *ret) {
    char whole[ID_HEX_SIZE];
    snprintf(whole, sizeof whole, "%.32s", text);
    return est_id_parse(whole, ret) == 0;
}

uint64_t digest(est_slice bytes) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ ((const uint8_t *)bytes.data)[i]) * 0x100000001b3u;
    return hash;
}

int question_make(const char *account, const est_id *id, bool other, est_body *body, struct question *ret) {
    const uint8_t *b = id->bytes;
    char note[ID_HEX_SIZE + 1024], parcel[32], hex[ID_HEX_SIZE];
    bool use = strcmp(account, "notary") == 0 || b[13] % 2 == 0;
    id_hex(id, hex);
    snprintf(note, sizeof note, "%s:%s%*s", hex, other ? "other" : "",
             b[14] % 16 == 0 ? b[11] * 3 + 1 : b[11] % 32 + 1, account);
    ret->type = use ? "plot.use" : "plot.debt";
    ret->district = b[15] % 9u + 1;
    ret->hurried = b[12] % 16 == 0;
    snprintf(parcel, sizeof parcel, "%u-%u-1", ret->district, b[10] * 3u);
    est_body_clear(body);
    est_body_text(body, "nz", parcel);
    est_body_text(body, "note", note);
    int error = est_body_slice(body, &ret->body);
    ret->digest = digest(ret->body);
    return error;
}

bool question_id(est_slice request, est_id *ret) {
    est_slice note;
    char hex[ID_HEX_SIZE];
    if (!est_field_text(request, "note", &note) || note.size < sizeof hex)
        return false;
    snprintf(hex, sizeof hex, "%.*s", ID_HEX_SIZE - 1, (const char *)note.data);
    return id_from_hex(hex, ret);
}
