# broker/loop.c
# what the batch that is made has said so far leaves with the messages of the one that was written
/^static void write_end/,/^}/s/^    net_flush(b->net, b->now);$/    net_prepare(b->net);\n&/
