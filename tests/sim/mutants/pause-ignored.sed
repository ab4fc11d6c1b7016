# broker/core/dispatch.c
# agents of a paused department are given work
s/ && !c->departments\[department\].paused//
