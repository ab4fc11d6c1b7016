# broker/core/event.c
# the row of a requeued inquiry keeps its attempts
/^static void apply_requeued/,/^}/s/row->attempts = 0;/;/
