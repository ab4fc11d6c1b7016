# proto/session.c
# the session engine drops its asks with the connection
s/asks_requeue(&s->asks);/;/
