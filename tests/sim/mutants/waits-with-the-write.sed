# broker/loop.c
# the loop waits for frames while a batch is written, and nobody asks whether it is on the disk
/^int loop_run/,/^}/{
s/b->writing ? 0 : wait_ms(b)/wait_ms(b)/
s/^            write_end(b, true);$//
}
