/* story.c - one id's story out of all histories, in time order, among what the nemesis did. */
#include "judge.h"

#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BEFORE_US = 200000, NUMBERS_MAX = 4 };

struct told {
    int64_t t;
    char *line;
};
struct tale {
    struct told *at;
    size_t count, room;
    char numbers[NUMBERS_MAX][32]; /* "number":7 and , as agents and acks name it */
    size_t numbers_count;
    int64_t first, last;
};

static int64_t time_of(const char *line) {
    const char *t = strstr(line, "\"t\":");
    return t ? strtoll(t + 4, NULL, 10) : 0;
}

static void number_learn(struct tale *tale, const char *line) {
    const char *number = strstr(line, "\"number\":");
    char text[32];
    if (!number || tale->numbers_count == NUMBERS_MAX)
        return;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(number, ",}") + 1, number);
    text[strcspn(text, ",}")] = '\0';
    for (size_t i = 0; i < tale->numbers_count; i++)
        if (strcmp(tale->numbers[i], text) == 0)
            return;
    strcpy(tale->numbers[tale->numbers_count++], text);
}

static bool has_number(const struct tale *tale, const char *line) {
    for (size_t i = 0; i < tale->numbers_count; i++) {
        const char *at = strstr(line, tale->numbers[i]);
        if (at && strchr(",}", at[strlen(tale->numbers[i])]))
            return true;
    }
    return false;
}

static void keep(struct tale *tale, const char *line) {
    if (tale->count == tale->room) {
        tale->room = tale->room * 2 + 64;
        tale->at = realloc(tale->at, tale->room * sizeof *tale->at);
        if (!tale->at)
            abort();
    }
    tale->at[tale->count++] = (struct told){time_of(line), strdup(line)};
}

/* First the lines with the id, which teach its numbers; then those with a number alone; then what
 * the nemesis did meanwhile. */
enum pass { BY_ID, BY_NUMBER, NEMESIS };

static void file_read(struct tale *tale, const char *path, const char *id, enum pass pass) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    bool nemesis = strstr(path, "nemesis.jsonl") != NULL;
    while (file && getline(&line, &room, file) > 0) {
        bool by_id = strstr(line, id) != NULL;
        int64_t t = time_of(line);
        if (pass == BY_ID && by_id) {
            number_learn(tale, line);
            if (tale->first == 0 || t < tale->first)
                tale->first = t;
            if (t > tale->last && !strstr(path, "witness"))
                tale->last = t;
            keep(tale, line);
        }
        if ((pass == BY_NUMBER && !nemesis && !by_id && has_number(tale, line)) ||
            (pass == NEMESIS && nemesis && t >= tale->first - BEFORE_US && t <= tale->last))
            keep(tale, line);
    }
    free(line);
    if (file)
        fclose(file);
}

static int by_time(const void *a, const void *b) {
    const struct told *x = a, *y = b;
    return x->t < y->t ? -1 : x->t > y->t;
}

void story_print(const char *folder, const char *id, FILE *out) {
    struct tale tale = {0};
    char pattern[512];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*.jsonl", folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (int pass = BY_ID; pass <= NEMESIS; pass++)
        for (size_t i = 0; i < found.gl_pathc; i++)
            file_read(&tale, found.gl_pathv[i], id, (enum pass)pass);
    qsort(tale.at, tale.count, sizeof *tale.at, by_time);
    for (size_t i = 0; i < tale.count; i++) {
        fprintf(out, "  %+10.3f ms  %s", (double)(tale.at[i].t - tale.first) / 1e3, tale.at[i].line);
        free(tale.at[i].line);
    }
    free(tale.at);
    globfree(&found);
}
