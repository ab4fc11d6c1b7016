# broker/core/timers.c
# whoever gets a place that was used before is woken at its predecessor's deadline, however late
s/(q->timer == NONE || .*due_us)/q->timer == NONE/
