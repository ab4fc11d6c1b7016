# broker/loop.c
# the batch is sent when somebody has looked whether it is on the disk, whatever he saw
/^static void write_end/,/^}/{
/^    if (rc > 0)$/{
N
d
}
}
