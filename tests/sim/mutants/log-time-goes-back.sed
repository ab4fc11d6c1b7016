# broker/core/emit.c
# events carry the clock, also when it was set back
s/event->at.us = .*;.*/event->at.us = now.us;/
