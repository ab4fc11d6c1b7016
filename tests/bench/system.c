/* system.c - the list of systems. Which peers are in it, the build decides by the libraries it found. */
#include "system.h"

extern const struct system system_estelam, system_redis, system_postgres, system_beanstalkd, system_rabbitmq,
    system_nats, system_http, system_proxy, system_proxy_batched, system_proxy_synced, system_lmdb,
    system_append;

const struct system *const systems[] = {
    &system_estelam,
#ifdef BENCH_HTTP
    &system_http,
#endif
#ifdef BENCH_REDIS
    &system_redis,
#endif
#ifdef BENCH_POSTGRES
    &system_postgres,
#endif
    &system_beanstalkd,
#ifdef BENCH_RABBITMQ
    &system_rabbitmq,
#endif
#ifdef BENCH_NATS
    &system_nats,
#endif
    &system_proxy,      &system_proxy_batched, &system_proxy_synced, &system_lmdb, &system_append, NULL,
};
