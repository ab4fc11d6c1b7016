/* lines.c - see lines.h. */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lines_read(const char *path, line_reader reader, void *arg, unsigned *ret_line) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;
    ssize_t size;
    int result = file ? 0 : -1;
    *ret_line = 0;
    while (result == 0 && (size = getline(&text, &room, file)) > 0) {
        if (text[size - 1] != '\n')
            break;
        ++*ret_line;
        json_t *line = json_loadb(text, (size_t)size, 0, NULL);
        if (line)
            reader(arg, line);
        else
            result = -1;
        json_decref(line);
    }
    free(text);
    if (file)
        fclose(file);
    return result;
}

const char *line_text(const json_t *line, const char *name) {
    const char *text = json_string_value(json_object_get(line, name));
    return text ? text : "";
}

int64_t line_int(const json_t *line, const char *name) {
    return json_integer_value(json_object_get(line, name));
}

bool line_is(const json_t *line, const char *what) {
    return strcmp(line_text(line, "do"), what) == 0;
}

bool line_id(const json_t *line, est_id *ret) {
    const char *text = line_text(line, "id");
    return *text && est_id_parse(text, ret) == 0;
}
