/* cmd_token.c - bearer tokens of the HTTP door: made, listed, revoked. The gateway looks at their file
 * on every request, so that what is done here holds at once. */
#include "codec.h"
#include "moment.h"
#include "run.h"
#include "say.h"
#include "table.h"
#include "tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static struct complaints complaints;

/* The file, locked against another `estelam token` by a file beside it. Where there is none yet, it is
 * empty if `fresh` allows. An exit_status. */
static int file_open(const struct call *call, bool fresh, struct tokens *ret, int *ret_lock) {
    const char *path = call_value(call, "file");
    char beside[4096];
    *ret_lock = -1;
    if (sodium_init() < 0)
        return say_error(EST_IO, NULL, "libsodium cannot start"), EXIT_LOCAL;
    if (snprintf(beside, sizeof beside, "%s.lock", path) >= (int)sizeof beside)
        return call_usage(call, "the file's name is too long");
    if (fresh && (*ret_lock = open(beside, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) >= 0)
        flock(*ret_lock, LOCK_EX);
    if (fresh && access(path, F_OK) && errno == ENOENT)
        return EXIT_OK;
    int code = tokens_load(path, &complaints, ret);
    if (!code)
        return EXIT_OK;
    say_complaints(&complaints);
    return code == -EST_INPUT ? EXIT_USAGE : EXIT_LOCAL;
}

static int file_close(const struct call *call, struct tokens *tokens, int lock, bool save) {
    int status = EXIT_OK;
    if (save && tokens_save(call_value(call, "file"), tokens)) {
        say_error(EST_IO, "check the folder and its rights", "%s: %s", call_value(call, "file"),
                  strerror(errno));
        status = EXIT_LOCAL;
    }
    tokens_done(tokens);
    if (lock >= 0)
        close(lock);
    return status;
}

/* --- new -------------------------------------------------------------------------------------- */

static int scopes_take(const struct call *call, unsigned *ret) {
    const char *at = call_value(call, "scopes");
    for (*ret = 0; *at; at += *at == ',') {
        size_t size = strcspn(at, ",");
        unsigned bit = scope_parse((est_slice){at, size});
        if (!bit)
            return call_usage(call, "there is no scope `%.*s`", (int)size, at);
        *ret |= bit;
        at += size;
    }
    return *ret ? EXIT_OK : call_usage(call, "--scopes names at least one");
}

static int expiry_take(const struct call *call, est_time *ret) {
    const char *text = call_value(call, "expires");
    est_time now = moment_now();
    if (!text)
        return EXIT_OK;
    if (moment_parse(text, now, ret))
        return call_usage(call, "--expires: `%s` is no date, such as 2026-12-31, 1405/10/10 or \"+90 d\"",
                          text);
    return ret->us > now.us ? EXIT_OK : call_usage(call, "--expires: %s lies in the past", text);
}

static int token_fill(const struct call *call, struct token *ret) {
    const char *account = call_value(call, "account"), *title = call_value(call, "title");
    if (!*account || strlen(account) >= sizeof ret->account || !utf8_is_valid(slice_of(account)))
        return call_usage(call, "--account: has 1 to %d bytes", EST_NAME_MAX);
    if (title && (strlen(title) >= sizeof ret->title || !utf8_is_valid(slice_of(title))))
        return call_usage(call, "--title: has at most %d bytes of UTF-8", TOKEN_TITLE_MAX);
    snprintf(ret->account, sizeof ret->account, "%s", account);
    snprintf(ret->title, sizeof ret->title, "%s", title ? title : "");
    ret->created = moment_now();
    int status = scopes_take(call, &ret->scopes);
    return status ? status : expiry_take(call, &ret->expires);
}

static void secret_show(const struct call *call, const struct token *token, const char *secret) {
    static const struct column columns[] = {{"id", "id", false, 0}, {"token", "token", false, 0}};
    if (!call_json(call)) {
        puts(secret);
        say_remark("token %s of %s: it is shown this once; the file keeps its hash alone", token->id,
                   token->account);
        return;
    }
    struct table *table = table_new(columns, 2);
    cell_cstr(table, token->id);
    cell_cstr(table, secret);
    table_show_sheet(table, call);
    table_free(&table);
}

int run_token_new(const struct call *call) {
    struct token token = {0};
    struct tokens tokens = {0};
    char secret[TOKEN_SECRET_SIZE];
    int lock, status = token_fill(call, &token);
    if (status)
        return status;
    status = file_open(call, true, &tokens, &lock);
    if (status)
        return file_close(call, &tokens, lock, false), status;
    token_make(&token, secret);
    int code = tokens_add(&tokens, &token);
    if (code)
        say_error(code, "take out tokens that are revoked", "%s holds %d tokens already",
                  call_value(call, "file"), TOKENS_MAX);
    status = file_close(call, &tokens, lock, !code);
    if (!status && !code)
        secret_show(call, &token, secret);
    sodium_memzero(secret, sizeof secret);
    return code ? EXIT_LOCAL : status;
}

/* --- list ------------------------------------------------------------------------------------- */

static void scopes_cell(struct table *table, unsigned bits) {
    char text[160] = "";
    for (unsigned bit = 1; bit <= SCOPE_ALL; bit <<= 1)
        if (bits & bit) {
            if (text[0])
                strcat(text, ",");
            strcat(text, scope_name(bit));
        }
    cell_cstr(table, text);
}

static void token_cells(struct table *table, const struct token *token, est_time now) {
    bool expired = token->expires.us && token->expires.us <= now.us;
    cell_cstr(table, token->id);
    cell_cstr(table, token->account);
    scopes_cell(table, token->scopes);
    cell_cstr(table, token->revoked.us ? "revoked" : expired ? "expired" : "good");
    cell_time(table, token->created);
    cell_time(table, token->expires);
    cell_time(table, token->revoked);
    cell_cstr(table, token->title);
}

int run_token_list(const struct call *call) {
    static const struct column columns[] = {{"id", "id", false, 0},
                                            {"account", "account", false, 0},
                                            {"scopes", "scopes", false, 0},
                                            {"state", "state", false, 0},
                                            {"created_at", "created", false, 0},
                                            {"expires_at", "expires", false, 0},
                                            {"revoked_at", "revoked", false, 0},
                                            {"title", "title", false, 0}};
    struct tokens tokens = {0};
    int lock, status = file_open(call, false, &tokens, &lock);
    if (status)
        return status;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < tokens.count; i++)
        token_cells(table, &tokens.at[i], moment_now());
    table_show(table, call);
    table_free(&table);
    return file_close(call, &tokens, lock, false);
}

/* --- revoke ----------------------------------------------------------------------------------- */

int run_token_revoke(const struct call *call) {
    struct tokens tokens = {0};
    int lock, status = file_open(call, true, &tokens, &lock);
    for (size_t i = 0; i < call->count && !status; i++) {
        struct token *token = tokens_by_id(&tokens, call->arguments[i]);
        if (!token) {
            say_error(EST_NOT_FOUND, "see `estelam token list`", "%s holds no token %s",
                      call_value(call, "file"), call->arguments[i]);
            status = EXIT_NO;
        } else if (!token->revoked.us) {
            token->revoked = moment_now();
        }
    }
    int closed = file_close(call, &tokens, lock, !status); /* all of them or none */
    if (!status && !closed)
        for (size_t i = 0; i < call->count; i++)
            puts(call->arguments[i]);
    return status ? status : closed;
}
