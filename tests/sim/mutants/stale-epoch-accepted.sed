# broker/core/department.c
# an answer is taken under whatever epoch
s/ && q->epoch == epoch ? inquiry/ ? inquiry/
