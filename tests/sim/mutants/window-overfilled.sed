# broker/core/dispatch.c
# an agent gets one more than it asked for
s/s->ready \&\& !s->leaving \&\& s->held.count < s->window/s->ready \&\& !s->leaving \&\& s->held.count <= s->window/
