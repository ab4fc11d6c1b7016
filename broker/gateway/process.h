/* process.h - this process as Prometheus's own clients tell it: process_cpu_seconds_total and its kin. */
#ifndef GATEWAY_PROCESS_H
#define GATEWAY_PROCESS_H

#include "exposition.h"

void process_write(struct exposition *, est_time started);

#endif
