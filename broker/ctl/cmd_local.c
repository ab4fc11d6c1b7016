/* cmd_local.c - commands that need no broker: keys and identifiers. */
#include "catalogue.h"
#include "ident.h"
#include "profile.h"
#include "run.h"
#include "say.h"
#include "table.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* --- Keys ------------------------------------------------------------------------------------- */

static bool write_all(int file, const char *text, size_t size) {
    while (size) {
        ssize_t wrote = write(file, text, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        text += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

/* The file never exists with a wider mode or half its content under an older name: O_EXCL makes
 * it with 0600 at once, and what could not be finished is taken away again. */
static int key_file_write(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) {
        say_error(EST_INPUT, "choose another name, or move the old key away yourself",
                  "%s exists, and keys are never overwritten", path);
        return EXIT_USAGE;
    }
    if (file < 0) {
        say_error(EST_IO, "check the folder and its rights", "%s: %s", path, strerror(errno));
        return EXIT_LOCAL;
    }
    bool good = fchmod(file, 0600) == 0 && write_all(file, text, strlen(text)) && fsync(file) == 0;
    int error = errno;
    good = close(file) == 0 && good;
    if (!good) {
        unlink(path);
        say_error(EST_IO, "check the disk", "%s: %s", path, strerror(error));
        return EXIT_LOCAL;
    }
    return EXIT_OK;
}

static void key_show(const struct call *call, const char *public_key, const char *path) {
    static const struct column columns[] = {{"public", "public", false, 0}, {"file", "file", false, 0}};
    if (!call_json(call)) {
        puts(public_key);
        return;
    }
    struct table *table = table_new(columns, 2);
    cell_cstr(table, public_key);
    cell_cstr(table, path);
    table_show_sheet(table, call);
    table_free(&table);
}

int run_key_new(const struct call *call) {
    char public_key[41], secret_key[41], text[160];
    const char *path = call_value(call, "out");
    if (zmq_curve_keypair(public_key, secret_key)) {
        say_error(EST_IO, "install a libzmq with CURVE", "no key pair could be made: %s",
                  zmq_strerror(errno));
        return EXIT_LOCAL;
    }
    snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", public_key, secret_key);
    explicit_bzero(secret_key, sizeof secret_key);
    int status = EXIT_OK;
    if (path) {
        status = key_file_write(path, text);
        if (status == EXIT_OK)
            key_show(call, public_key, path);
    } else {
        fputs(text, stdout);
        say_remark(
            "the secret key went to standard output; --out FILE keeps it in a file that only you can read");
    }
    explicit_bzero(text, sizeof text);
    return status;
}

/* --- Identifiers ------------------------------------------------------------------------------ */

/* The rule of parcels and files. A profile is looked at only where there is one: this command must
 * work without any, and then by the catalogue that the build was told of. */
static int city_catalogue(const struct call *call, struct catalogue **ret) {
    struct profile profile = {0};
    int status = 0;
    if (!call_has(call, "catalogue") && profile_find(call))
        status = profile_load(call, &profile);
    if (!status)
        status = profile_catalogue(call, &profile, ret);
    profile_done(&profile);
    if (!status && !*ret && access(ESTELAM_CATALOGUE, R_OK) == 0)
        status = profile_catalogue_open(ESTELAM_CATALOGUE, ret);
    if (!status && !*ret)
        status =
            call_usage(call, "parcel codes and file numbers are each city's own: name its catalogue with "
                             "--catalogue FOLDER");
    return status;
}

static void id_show_json(const struct call *call, const char *canonical, unsigned district, const char *why) {
    static const struct column columns[] = {{"kind", "", false, 0},     {"value", "", false, 0},
                                            {"valid", "", false, 0},    {"canonical", "", false, 0},
                                            {"district", "", false, 0}, {"reason", "", false, 0}};
    struct table *table = table_new(columns, 6);
    cell_cstr(table, call->arguments[0]);
    cell_cstr(table, call->arguments[1]);
    cell_bool(table, !why);
    cell_cstr(table, why ? NULL : canonical);
    if (district)
        cell_uint(table, district);
    else
        cell_none(table);
    cell_cstr(table, why);
    table_show_sheet(table, call);
    table_free(&table);
}

int run_id_check(const struct call *call) {
    const char *value = call->arguments[1];
    enum ident_kind kind = ident_kind_parse(call->arguments[0]);
    if (!kind)
        return call_usage(call, "there is no kind `%s`; nid, lid, postal, parcel or file",
                          call->arguments[0]);
    struct catalogue *catalogue = NULL;
    int status = kind == IDENT_PARCEL || kind == IDENT_FILE ? city_catalogue(call, &catalogue) : 0;
    if (status)
        return status;
    char canonical[IDENT_MAX] = "";
    unsigned district = 0;
    const char *why =
        ident_check(kind, catalogue ? &catalogue->city.parcel : NULL, slice_of(value), canonical, &district);
    catalogue_free(&catalogue);
    if (call_json(call))
        id_show_json(call, canonical, district, why);
    else if (!why)
        puts(canonical);
    if (why && !call_json(call))
        say_remark("%s %s: %s", call->arguments[0], value, why);
    return why ? EXIT_NO : EXIT_OK;
}

int run_id_new(const struct call *call) {
    char text[EST_ID_TEXT_SIZE];
    est_id id;
    est_id_new(&id);
    est_id_format(&id, text);
    printf(call_json(call) ? "{\"id\":\"%s\"}\n" : "%s\n", text);
    return EXIT_OK;
}
