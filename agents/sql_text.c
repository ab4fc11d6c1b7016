/* sql_text.c - finds the :names of a statement and nothing else. See sql_text.h. */
#include "sql_text.h"
#include <estelam/types.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes of UTF-8 above ASCII belong to names in every database we know. */
static bool is_name_start(char c) {
    return isalpha((unsigned char)c) || c == '_';
}
static bool is_name_part(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Each of the next four looks at one position and gives the length of the piece that has to be
 * copied untouched, or 0 where no such piece begins there. *why is set when the piece is broken. */
static size_t quoted_length(const char *at, bool escapes, const char **why) {
    char quote = *at;
    for (size_t i = 1; at[i]; i++) {
        if (at[i] == '\\' && escapes && at[i + 1])
            i++;
        else if (at[i] == '\\' && quote == '\'' && at[i + 1] == quote)
            return *why = "a backslash before a quote means different things to different databases; "
                          "write E'...' or bind the text",
                   0;
        else if (at[i] == quote)
            return i + 1; /* a doubled quote goes on as the next piece, which comes to the same */
    }
    return *why = "a quote is not closed", 0;
}

static size_t comment_length(const char *at, const char **why) {
    if (at[0] == '-' && at[1] == '-')
        return strcspn(at, "\n");
    if (at[0] != '/' || at[1] != '*')
        return 0;
    const char *end = strstr(at + 2, "*/"), *inner = strstr(at + 2, "/*");
    if (!end)
        return *why = "a comment is not closed", 0;
    if (inner && inner < end)
        return *why = "a comment stands inside a comment, which not every database allows", 0;
    return (size_t)(end + 2 - at);
}

static size_t dollar_length(const char *source, const char *at, const char **why) {
    if (*at != '$' || (at > source && is_name_part(at[-1])))
        return 0;
    size_t tag = 1;
    while (is_name_part(at[tag]))
        tag++;
    if (at[tag] != '$' || isdigit((unsigned char)at[1]))
        return 0;
    tag++;
    for (const char *end = strchr(at + tag, '$'); end; end = strchr(end + 1, '$'))
        if (!strncmp(end, at, tag))
            return (size_t)(end + tag - at);
    return *why = "a $quoted$ text is not closed", 0;
}

static size_t untouched_length(const char *source, const char *at, const char **why) {
    bool apart = at == source || !is_name_part(at[-1]);
    if ((*at == 'E' || *at == 'e') && at[1] == '\'' && apart) {
        size_t length = quoted_length(at + 1, true, why);
        return length ? length + 1 : 0;
    }
    if (*at == '\'' || *at == '"' || *at == '`')
        return quoted_length(at, false, why);
    if (at[0] == ':' && at[1] == ':')
        return 2;
    size_t length = comment_length(at, why);
    return length || *why ? length : dollar_length(source, at, why);
}

/* The length of the name after a colon: parts of letters, digits and _, joined by dots. */
static size_t name_length(const char *at) {
    size_t length = 0;
    while (is_name_start(at[length])) {
        while (is_name_part(at[length]))
            length++;
        if (at[length] != '.' || !is_name_start(at[length + 1]))
            break;
        length++;
    }
    return length;
}

static const char *blank_skip(const char *at) {
    for (const char *why = NULL; *at;) {
        size_t comment = comment_length(at, &why);
        if (!comment && !isspace((unsigned char)*at))
            break;
        at += comment ? comment : 1;
    }
    return at;
}

static const char *refusal_of(const char *at) {
    if (*at == '?')
        return "a bare ?; name every value, such as :nz";
    if (*at == ';' && *blank_skip(at + 1))
        return "a second statement after the ;";
    return NULL;
}

static int name_add(struct sql_text *text, const char *at, size_t length, bool may_lack, const char **why) {
    if (text->count == SQL_PARAMETERS_MAX)
        return *why = "more than 64 values", -EST_INPUT;
    char *name = strndup(at, length);
    if (!name)
        return -EST_NO_MEMORY;
    text->may_lack[text->count] = may_lack;
    text->names[text->count++] = name;
    return 0;
}

int sql_text_parse(const char *source, struct sql_text *ret, const char **ret_why) {
    struct sql_text text = {.statement = malloc(strlen(source) + 1)};
    if (!text.statement)
        return -EST_NO_MEMORY;
    char *to = text.statement;
    const char *at = source, *why = NULL;
    int code = 0;
    while (*at && !code && !why) {
        size_t length = untouched_length(source, at, &why), name = *at == ':' ? name_length(at + 1) : 0;
        if (why || (!length && (why = refusal_of(at))))
            break;
        if (!length && name) {
            bool may_lack = at[1 + name] == '?';
            code = name_add(&text, at + 1, name, may_lack, &why);
            *to++ = '?';
            at += 1 + name + may_lack;
            continue;
        }
        if (!length && *at == ';')
            break; /* the last one; a few drivers do not like it */
        length = length ? length : 1;
        memcpy(to, at, length);
        to += length;
        at += length;
    }
    *to = 0;
    if (why || code) {
        sql_text_done(&text);
        if (why)
            *ret_why = why;
        return why ? -EST_INPUT : code;
    }
    *ret = text;
    return 0;
}

void sql_text_done(struct sql_text *text) {
    free(text->statement);
    for (size_t i = 0; i < text->count; i++)
        free(text->names[i]);
    memset(text, 0, sizeof *text);
}

bool sql_text_is_query(const char *source) {
    static const char *const words[] = {"SELECT", "WITH"};
    const char *at = blank_skip(source);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (!strncasecmp(at, words[i], length) && !is_name_part(at[length]))
            return true;
    }
    return false;
}
