# broker/core/attempts.c
# who asked is not told of an expiry or cancellation
s/^    deliver_result(c, inquiry, fx);$//
