# broker/core/sessions.c
# an agent that leaves in order loses what it holds
s/        if (in_order)/        if (false)/
