# broker/core/places.c
# a redirected inquiry stays in the queue where it was
/^    c->inquiries\[inquiry\].lane = (uint16_t)lane;$/d
s/^void inquiry_redirect(struct core \*c, uint32_t inquiry, uint32_t lane) {$/&\n    (void)lane;/
