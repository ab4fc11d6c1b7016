/* machine.h - what this process takes of its machine. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

struct machine {
    uint64_t resident_bytes, cpu_us, open_files, threads;
};

/* As the system says it now; what it does not say is 0. */
void machine_look(struct machine *ret);

#endif
