# broker/loop.c
# with nothing to read the loop looks again and again, and what was written waits to be told
/^int loop_run/,/^}/s/^            write_end(b, true);$//
