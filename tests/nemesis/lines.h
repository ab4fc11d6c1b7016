/* lines.h - histories read back: every whole line of a file as JSON. */
#ifndef LINES_H
#define LINES_H

#include <estelam/types.h>
#include <jansson.h>

/* Told of each line; borrowed. */
typedef void (*line_reader)(void *arg, const json_t *line);
/* 0; or -1 where the file cannot be read or a line with an end is no JSON, *ret_line then tells
 * which (0: the file itself). A last line without its end was being written when its process was
 * killed: it is passed over. */
int lines_read(const char *path, line_reader, void *arg, unsigned *ret_line);

/* A field; "" and 0 where it is absent. */
const char *line_text(const json_t *line, const char *name);
int64_t line_int(const json_t *line, const char *name);
bool line_is(const json_t *line, const char *what); /* its "do" */
bool line_id(const json_t *line, est_id *ret);

#endif
