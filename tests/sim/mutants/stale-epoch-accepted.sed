# broker/core/department.c
# an answer is taken under whatever epoch
s/ && l->epoch == epoch ? inquiry/ ? inquiry/
