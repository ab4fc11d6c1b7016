/* cmd_pause.c - what an operator does with a department or one inquiry: pause, resume, redirect. */
#include "number.h"
#include "pages.h"
#include "run.h"
#include "say.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

/* --- Pause and resume ----------------------------------------------------------------------------- */

static void pause_show(const struct call *call, const char *department, bool on) {
    say_remark(on ? "%s is paused: its agents get no new inquiries" : "%s goes on", department);
    if (!call_json(call))
        return;
    json_t *json = json_pack("{s:s, s:b}", "department", department, "paused", on);
    if (json != NULL)
        json_dumpf(json, stdout, JSON_ENSURE_ASCII | JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

static int pause_run(const struct call *call, bool on) {
    struct desk desk;
    est_event event;
    int status = desk_open(call, &desk);
    if (!status) {
        uint64_t ref = peer_ref(&desk.peer);
        int sent =
            est_client_pause(desk.peer.client, ref, call->arguments[0], on, call_value(call, "reason"));
        status = peer_answer(&desk.peer, sent, ref, EST_EVENT_DONE, &event);
    }
    if (!status)
        pause_show(call, call->arguments[0], on);
    desk_close(&desk);
    return status;
}

int run_pause(const struct call *call) {
    return pause_run(call, true);
}

int run_resume(const struct call *call) {
    return pause_run(call, false);
}

/* --- Redirect ------------------------------------------------------------------------------------- */

int run_redirect(const struct call *call) {
    struct desk desk;
    est_event event;
    uint64_t number, district;
    if (!number_parse(call->arguments[0], UINT64_MAX, &number) || number == 0)
        return call_usage(call, "`%s` is not an inquiry's number; `estelam status UUID` shows it",
                          call->arguments[0]);
    if (!number_parse(call_value(call, "district"), UINT32_MAX, &district))
        return call_usage(call, "--district wants a number, 0 for none, and not `%s`",
                          call_value(call, "district"));
    int status = desk_open(call, &desk);
    if (!status) {
        uint64_t ref = peer_ref(&desk.peer);
        int sent = est_client_redirect(desk.peer.client, ref, number, (unsigned)district,
                                       call_value(call, "reason"));
        status = peer_answer(&desk.peer, sent, ref, EST_EVENT_DONE, &event);
    }
    if (!status && call_json(call))
        printf("{\"redirected\":%" PRIu64 ",\"district\":%" PRIu64 "}\n", number, district);
    else if (!status)
        say_remark("%" PRIu64 " waits in district %" PRIu64 " now", number, district);
    desk_close(&desk);
    return status;
}
