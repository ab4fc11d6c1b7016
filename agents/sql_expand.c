/* sql_expand.c - see sql_expand.h. */
#include "sql_expand.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLE_MAX = 128 };

/* Reads "${NAME}" at *at, moves past it, and gives the value. */
static const char *variable_take(const char **at, char *ret_why, size_t why_size) {
    size_t length = strcspn(*at + 2, "}");
    char name[VARIABLE_MAX];
    if (!(*at)[2 + length] || !length || length >= sizeof name) {
        snprintf(ret_why, why_size, "${ without a name and a closing }");
        return NULL;
    }
    memcpy(name, *at + 2, length);
    name[length] = 0;
    *at += length + 3;
    const char *value = getenv(name);
    if (!value)
        snprintf(ret_why, why_size, "the environment has no %s; set it before the agent starts", name);
    return value;
}

char *sql_expand(const char *source, char *ret_why, size_t why_size) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const char *why_not = out ? NULL : "out of memory";
    while (out && *source) {
        if (source[0] != '$' || source[1] != '{') {
            fputc(*source++, out);
            continue;
        }
        const char *value = variable_take(&source, ret_why, why_size);
        if (!value) {
            fclose(out);
            free(text);
            return NULL;
        }
        fputs(value, out);
    }
    if (out && fclose(out))
        why_not = "out of memory";
    if (why_not) {
        snprintf(ret_why, why_size, "%s", why_not);
        free(text);
        return NULL;
    }
    return text;
}
