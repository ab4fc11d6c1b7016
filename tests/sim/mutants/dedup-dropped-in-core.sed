# broker/core/requester.c
# the core does not look whether the id is known
s/if (submit->known != 0) {/if (false) {/
