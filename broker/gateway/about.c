/* about.c - who one is, and what each code means. */
#include "problem.h"
#include "route.h"
#include "shelf.h"

static json_t *scopes_json(unsigned bits) {
    json_t *list = json_array();
    for (unsigned bit = 1; bit <= SCOPE_ALL; bit <<= 1)
        if (bits & bit)
            json_array_append_new(list, json_string(scope_name(bit)));
    return list;
}

static const char *level_name(const struct line *line) {
    static const char *const names[] = {NULL, "observer", "operator", "administrator"};
    unsigned level = line_level(line);
    return level < sizeof names / sizeof names[0] ? names[level] : NULL;
}

void handle_whoami(struct request *r) {
    const char *level = level_name(r->line);
    request_reply(r, MHD_HTTP_OK,
                  json_pack("{s:s, s:s, s:s?, s:o, s:o, s:b}", "account", line_account(r->line), "role",
                            line_role(r->line) == ROLE_OPERATOR_BIT ? "operator" : "requester", "level",
                            level, "scopes", scopes_json(r->scopes), "city", shelf_city(r->gateway->shelf),
                            "connected", (int)line_is_up(r->line)));
}

void handle_problems(struct request *r) {
    json_t *rows = json_array();
    const struct problem *problem;
    for (size_t i = 0; (problem = problem_at(i)) != NULL; i++)
        json_array_append_new(rows, problem_json(problem));
    request_reply(r, MHD_HTTP_OK, json_pack("{s:o, s:n}", "rows", rows, "next"));
}

void handle_problem(struct request *r) {
    const struct problem *problem = problem_named(r->arguments[0]);
    if (problem)
        request_reply(r, MHD_HTTP_OK, problem_json(problem));
    else
        request_problem(r, GW_NO_SUCH_PATH, "there is no code `%s`", r->arguments[0]);
}
