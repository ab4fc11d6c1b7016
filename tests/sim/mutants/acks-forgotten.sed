# proto/session.c
# the session engine does not repeat acknowledgements
s/s->acks.sent -= .*;/(void)kept;/
