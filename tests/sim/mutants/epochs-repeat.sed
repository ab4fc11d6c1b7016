# broker/core/dispatch.c
# epochs begin anew with every start
s/c->generation << 32 | ++c->epochs/1ULL << 32 | ++c->epochs/
