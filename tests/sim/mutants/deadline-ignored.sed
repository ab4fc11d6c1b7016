# broker/core/timers.c
# deadlines come an hour late
s/int64_t at = q->due_us;/int64_t at = q->due_us + 3600 * EST_US_PER_S;/
