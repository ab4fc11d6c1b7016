# broker/core/event.c
# the row of what was given back counts an attempt
s/    if (attempt_is_given_back(it)) {/    if (false) {/
