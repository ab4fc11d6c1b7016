# tests/sim/disk.c
# the disk has less after a crash than it said
s/^    bool lost = disk.head.seq/    disk.durable.seq -= disk.durable.seq > 60 ? 2 : 0;\n&/
