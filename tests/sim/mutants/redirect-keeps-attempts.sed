# broker/core/apply.c
# a redirected inquiry keeps the attempts that failed
/^static void apply_redirected/,/^}/s/^    q->attempts = 0;$//
