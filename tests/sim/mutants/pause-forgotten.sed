# broker/core/apply.c
# a pause ends with the process, as draining does
s/^    c->draining = false;$/    c->draining = false;\n    for (uint32_t d = 0; d < c->limits.departments_max; d++)\n        c->departments[d].paused = false;/
