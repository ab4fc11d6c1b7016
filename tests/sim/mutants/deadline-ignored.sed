# broker/core/timers.c
# deadlines come an hour late
s/heap_set(&c->due, inquiry, q->due_us);/heap_set(\&c->due, inquiry, q->due_us + 3600 * EST_US_PER_S);/
