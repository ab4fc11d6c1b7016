# broker/core/dispatch.c
# one department's agents get every type of the department
s/right_of(c, s->account, l->type) != 0/(a->department == 4 || &)/
