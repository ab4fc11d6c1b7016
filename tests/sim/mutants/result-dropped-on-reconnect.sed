# broker/core/sessions.c
# results on their way to a lost session are forgotten
/^static void results_return/,/^}/s/while (s->held.head != NONE)/while (false)/
