/* registry.c - see registry.h. A town that is still there at a test's end means that the test
 * failed before town_end: then its broker's log is shown. */
#include "registry.h"

#include <stdlib.h>

enum { OPEN_MAX_EACH = 128 };

struct open_list {
    void *at[OPEN_MAX_EACH];
    size_t count;
};
static struct open_list children, towns, fars, raws;

static void add(struct open_list *list, void *it) {
    if (list->count == OPEN_MAX_EACH)
        abort();
    list->at[list->count++] = it;
}

static void drop(struct open_list *list, void *it) {
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i] == it)
            list->at[i] = list->at[--list->count];
}

void children_add(struct child *child) {
    add(&children, child);
}
void children_remove(struct child *child) {
    drop(&children, child);
}
void towns_add(struct town *town) {
    add(&towns, town);
}
void towns_remove(struct town *town) {
    drop(&towns, town);
}
void fars_add(struct far *far) {
    add(&fars, far);
}
void fars_remove(struct far *far) {
    drop(&fars, far);
}
void raws_add(struct raw *raw) {
    add(&raws, raw);
}
void raws_remove(struct raw *raw) {
    drop(&raws, raw);
}

int harness_teardown(void **state) {
    (void)state;
    while (fars.count > 0)
        far_close(&(struct far *){fars.at[fars.count - 1]});
    while (raws.count > 0)
        raw_close(&(struct raw *){raws.at[raws.count - 1]});
    while (towns.count > 0) {
        struct town *town = towns.at[towns.count - 1];
        if (town->broker)
            child_print(town->broker);
        town_free(&town);
    }
    bool good = true;
    while (children.count > 0)
        good = child_free(&(struct child *){children.at[children.count - 1]}) && good;
    return good ? 0 : -1;
}
