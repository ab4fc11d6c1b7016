# broker/core/operator.c
# an operator requeues what is not parked
s/if (inquiry == NONE || c->inquiries\[inquiry\].state != EST_STATE_PARKED) {/if (inquiry == NONE) {/
