/* stranger.c - what somebody else's first program may look like; built against the installed library. */
#include <estelam/agent.h>

#include <stdio.h>

int main(void) {
    est_options options = {.endpoints = {"tcp://127.0.0.1:1"}, .account = "portal"};
    est_client *client;
    est_event event;
    if (est_client_open(&options, &client) != 0)
        return 1;
    int got = est_client_poll(client, 5000, &event);
    printf("%s\n", est_code_name(event.code));
    est_client_close(&client);
    return got == 1 && event.kind == EST_EVENT_DISCONNECTED ? 0 : 1;
}
