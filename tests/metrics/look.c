/* look.c - see look.h. */
#include "look.h"

struct gate *look_stand(const struct town_options *options) {
    struct town *town = town_new(options);
    town_start(town);
    struct gate *gate = gate_new(town, NULL);
    gate_start(gate);
    look_reply(gate, "/readyz", 200);
    return gate;
}

const struct reply *look_reply(struct gate *gate, const char *path, long status) {
    int64_t deadline = now_ms() + WAIT_MS;
    for (;;) {
        const struct reply *r = CALL(gate, path, 0);
        if (r->status == status)
            return r;
        if (now_ms() > deadline)
            fail_msg("%s: %ld, not %ld", path, r->status, status);
    }
}

void look_scrape(struct gate *gate, struct exposition_read *ret) {
    const struct reply *r = CALL(gate, "/metrics", 0);
    assert_int_equal(r->status, 200);
    assert_string_equal(reply_header(r, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    if (!strict_read(r->body, ret))
        fail_msg("%s", ret->why);
}

void look_until(struct gate *gate, const char *series, double value, struct exposition_read *ret) {
    int64_t deadline = now_ms() + WAIT_MS;
    do {
        look_scrape(gate, ret);
        if (now_ms() > deadline)
            fail_msg("%s is %f, not %f", series, strict_value(ret, series), value);
    } while (strict_value(ret, series) != value);
}
