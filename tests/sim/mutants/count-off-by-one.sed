# broker/core/places.c
# an account's inquiries are never counted down
s/c->accounts\[q->account\].kept--;/;/
