/* main.c - `estelam`: the command line understood, the command run, the output really written. */
#include "command.h"
#include "help.h"
#include "say.h"
#include "text.h"

#include <stdio.h>

/* Output that never reached the disk or the pipe must not end in success. */
static int output_finish(int status) {
    return say_unwritten() ? EXIT_LOCAL : status;
}

/* A monitoring system reads standard output alone, and 2 would be CRITICAL to it. */
static int usage_finish(const struct call *call, int status) {
    if (status == 0 || !call->command || !call->command->plugin)
        return status;
    printf("%s UNKNOWN - the command line is wrong; see `estelam help %s`\n", call->command->name,
           call->command->name);
    return 3;
}

int main(int argc, char **argv) {
    struct call call;
    text_locale();
    int status = EXIT_USAGE;
    if (argc < 2)
        help_overview(stderr);
    else
        status = usage_finish(&call, call_parse(&call, argc - 1, argv + 1));
    if (argc >= 2 && status == 0) {
        if (call.help && call.command)
            help_command(call.command, stdout);
        else if (call.help)
            help_overview(stdout);
        else
            status = call.command->run(&call);
    }
    if (argc >= 2)
        call_done(&call);
    return output_finish(status);
}
