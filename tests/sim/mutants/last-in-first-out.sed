# broker/core/places.c
# the newest is offered first
/^static void list_insert_ordered/,/^}/s/list_append(c, l, inquiry);/list_insert_after(c, l, inquiry, NONE);/
