# broker/loop.c
# a broker that stops says good-bye, and what it has to say besides, before the last batch is written
/^int loop_run/,/^}/s/^    write_end(b, true);$//
