# broker/core/sessions.c
# what has ended expires once more at its deadline
/^static void inquiry_due/,/^}/s/if (!is_open)$/if (q->state == EST_STATE_NONE)/
