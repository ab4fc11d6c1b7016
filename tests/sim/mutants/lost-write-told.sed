# broker/loop.c
# what a batch said is sent although an append of the next one has heard that the batch is lost
/^static void write_end/,/^}/s/^    if (b->failed)$/    if (rc < 0)/
