# broker/core/sessions.c
# a lease that is not renewed lives on
s/if (l->until_us <= now.us) {/if (false) {/
