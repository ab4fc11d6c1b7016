# broker/core/sessions.c
# an agent that was lost gives back what it held, and no attempt counts
s/        if (in_order)/        if (true)/
