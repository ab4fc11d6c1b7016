/* run.h - what each command does. Every function gives an exit_status and has said what went wrong. */
#ifndef RUN_H
#define RUN_H

#include "command.h"

/* cmd_submit.c */
int run_submit(const struct call *);
/* cmd_inquiry.c */
int run_status(const struct call *);
int run_timeline(const struct call *);
int run_cancel(const struct call *);
/* cmd_operator.c */
int run_queues(const struct call *);
int run_agents(const struct call *);
int run_parked_list(const struct call *);
int run_keys(const struct call *);
int run_config_broker(const struct call *);
int run_stats(const struct call *);
/* cmd_search.c */
int run_inquiry_list(const struct call *);
int run_index_status(const struct call *);
int run_index_rebuild(const struct call *);
/* cmd_watch.c */
int run_watch(const struct call *);
/* cmd_steer.c */
int run_parked_requeue(const struct call *);
int run_drain(const struct call *);
/* cmd_pause.c */
int run_pause(const struct call *);
int run_resume(const struct call *);
int run_redirect(const struct call *);
/* cmd_check.c: its exit status is the monitoring plugins' */
int run_check(const struct call *);
/* cmd_stat.c, cmd_top.c */
int run_stat(const struct call *);
int run_top(const struct call *);
/* cmd_config.c */
int run_config_check(const struct call *);
int run_config_show(const struct call *);
/* cmd_store.c */
int run_store_check(const struct call *);
int run_store_backup(const struct call *);
int run_store_restore(const struct call *);
/* cmd_token.c: the HTTP door's tokens */
int run_token_new(const struct call *);
int run_token_list(const struct call *);
int run_token_revoke(const struct call *);
/* cmd_local.c: without a broker */
int run_key_new(const struct call *);
int run_id_check(const struct call *);
int run_id_new(const struct call *);
/* help.c */
int run_help(const struct call *);
int run_version(const struct call *);
int run_completion(const struct call *);
int run_man(const struct call *);

#endif
