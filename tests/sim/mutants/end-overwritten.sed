# broker/core/requester.c
# what has ended can be cancelled
s/if (inquiry == NONE || est_state_is_final(c->inquiries\[inquiry\].state)) {/if (inquiry == NONE) {/
