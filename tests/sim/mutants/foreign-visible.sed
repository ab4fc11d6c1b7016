# broker/queries.c
# a requester may look at any inquiry
s/return ret->account == key->account ? 0 : -EST_NOT_FOUND;/return 0;/
