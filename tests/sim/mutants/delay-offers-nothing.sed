# broker/core/sessions.c
# what was delayed waits for somebody to stir
/^static void inquiry_due/,/^}/s/offer_lane(c, now, q->lane, fx);/;/
