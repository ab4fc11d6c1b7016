# broker/core/requester.c
# an account acknowledges for another
s/if (q->account != account || /if (/
