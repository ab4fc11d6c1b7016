# broker/loop.c
# the batch is sent, then committed
s/^    if (store_commit_begin(b->store, more) < 0) {$/    net_flush(b->net, b->now);\n&/
