# broker/core/requester.c
# another body under a known id gets the old receipt
s/if (!in->same) {/if (false) {/
