# broker/inputs.c
# whoever names the epoch is told that it is recorded
s/row.epoch == a->epoch && row.actor == .*;/row.epoch == a->epoch;/
