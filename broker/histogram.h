/* histogram.h - how often something took how long, or was how much: counts in steps of a fixed
 * ladder. In memory only, since the process began; adding is one short walk and no lock.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS_MAX = 16 };

/* Upper bounds of the steps, rising and inclusive; what is above the last counts in none but `count`. */
struct ladder {
    uint64_t bounds[HISTOGRAM_STEPS_MAX];
    unsigned steps;
};

struct histogram {
    uint64_t count, sum;
    uint64_t at[HISTOGRAM_STEPS_MAX]; /* of each step alone */
};

static inline void histogram_add(struct histogram *h, const struct ladder *ladder, uint64_t value) {
    unsigned step = 0;
    while (step < ladder->steps && value > ladder->bounds[step])
        step++;
    if (step < ladder->steps)
        h->at[step]++;
    h->count++;
    h->sum += value;
}

#endif
