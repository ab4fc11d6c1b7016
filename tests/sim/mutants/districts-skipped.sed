# broker/core/dispatch.c
# an account gets districts that are not its own
s/ && bit_get(a->districts, l->district)//
