# broker/inputs.c
# a known id is taken for a new one
s/submit_known(b, &m->submit, known, &in);/submit_new(b, peer, \&m->submit, \&in);/
