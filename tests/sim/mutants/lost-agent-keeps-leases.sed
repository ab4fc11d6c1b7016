# broker/core/sessions.c
# the leases of a session that ended stay
s/while (s->held.tail != NONE)/while (false)/
