/* check.c - nemesis-check FOLDER: judges a folder of histories, says every offence, with its story,
 * and its figures, as `= name value`. Exits with 1 where a promise was broken. */
#include "judge.h"

#include <inttypes.h>

int main(int argc, char **argv) {
    static struct verdict v;
    if (argc != 2 || judge_folder(argv[1], &v) != 0) {
        fprintf(stderr, "usage: nemesis-check FOLDER, with the histories of a round in it\n");
        return 2;
    }
    for (int rule = 0; rule < RULE_COUNT; rule++)
        if (v.broken[rule])
            printf("BROKEN %" PRIu64 " times: %s (%s)\n", v.broken[rule], rule_text((enum rule)rule),
                   rule_name((enum rule)rule));
    for (uint64_t i = 0; i < v.offences && i < OFFENCES_KEPT; i++) {
        const struct offence *o = &v.kept[i];
        printf("\n%s: %s: %s\n", rule_name(o->rule), *o->id ? o->id : "-", o->text);
        if (*o->id)
            story_print(argv[1], o->id, stdout);
    }
#define FIGURE_SAY(name) printf("= " #name " %" PRIu64 "\n", v.name);
    FIGURES(FIGURE_SAY)
    return v.offences > 0;
}
