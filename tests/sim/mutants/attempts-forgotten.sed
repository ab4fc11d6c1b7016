# broker/core/apply.c
# a restart forgives failed attempts
s/q->attempts = (uint8_t)(row->attempts < UINT8_MAX ? row->attempts : UINT8_MAX);/q->attempts = 0;/
