# broker/core/attempts.c
# a delay that ends before the time that the log has is none
s/\.delayed = not_before_us != 0/.delayed = 0/
