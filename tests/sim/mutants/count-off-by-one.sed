# broker/core/places.c
# an account's open inquiries are never counted down
s/c->accounts\[q->account\].open--;/;/
