/* crowd.h - who else is connected to Estelam while a round is played. */
#ifndef CROWD_H
#define CROWD_H

#include "bench.h"

enum { IDLE_PROCESSES = 10, IDLE_EACH = 50, IDLE_PER_S = 50, SECOND_PER_S = 2000 };

/* 500 connected agents of the second department, and IDLE_PER_S inquiries a second for them all. */
extern const struct crowd crowd_idle;
/* SECOND_PER_S inquiries a second for the second department, whose one agent answers them; or whose
 * agent connected, took work, and stopped: it holds its leases and its connection and says nothing. */
extern const struct crowd crowd_working, crowd_stopped;

#endif
