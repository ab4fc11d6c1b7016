# broker/core/sessions.c
# a result that returns is not owed to the session that asked
s/session_at(c, origin)->owed++;/;/
