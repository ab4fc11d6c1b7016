/* test_openapi.c - openapi.yaml against the router's table, both ways, and its examples against the
 * demonstration's own city: a real broker, a real agent over its database, a real gateway. */
#include "gate.h"
#include "route.h"
#include "schema.h"
#include "yaml.h"

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *document;

static int document_read(void **state) {
    static struct complaints complaints;
    struct yaml *yaml = NULL;
    (void)state;
    if (yaml_open_file(OPENAPI, &complaints, &yaml)) {
        print_error("%s: %s\n", complaints.at[0].where, complaints.at[0].text);
        return -1;
    }
    const char *text = yaml_canonical(yaml, yaml_root(yaml));
    document = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    yaml_close(&yaml);
    return document ? 0 : -1;
}

static int document_free(void **state) {
    (void)state;
    json_decref(document);
    return 0;
}

static const char *text_at(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

/* --- The document by itself -------------------------------------------------------------------- */

static void every_route_is_described(void **state) {
    (void)state;
    for (size_t i = 0; i < ROUTES_COUNT; i++) {
        char method[16];
        snprintf(method, sizeof method, "%s", ROUTES[i].method);
        for (char *at = method; *at; at++)
            *at = (char)tolower(*at);
        json_t *operation =
            json_object_get(json_object_get(json_object_get(document, "paths"), ROUTES[i].path), method);
        if (!operation)
            fail_msg("%s %s is not described", ROUTES[i].method, ROUTES[i].path);
        assert_non_null(text_at(operation, "operationId"));
        assert_non_null(text_at(operation, "summary"));
        assert_int_equal(ROUTES[i].body, json_object_get(operation, "requestBody") != NULL);
        bool open = json_array_size(json_object_get(operation, "security")) == 0 &&
                    json_object_get(operation, "security");
        assert_int_equal((ROUTES[i].scopes & ANYONE) != 0, open);
    }
}

static void every_description_has_a_route(void **state) {
    const char *path, *method;
    json_t *operations, *operation;
    (void)state;
    json_object_foreach(json_object_get(document, "paths"), path, operations)
        json_object_foreach(operations, method, operation) {
        bool found = false;
        for (size_t i = 0; i < ROUTES_COUNT; i++)
            found = found || (strcmp(ROUTES[i].path, path) == 0 && strcasecmp(ROUTES[i].method, method) == 0);
        if (!found)
            fail_msg("there is no route %s %s", method, path);
    }
}

/* The query's names in the table are the document's, and each path's {…} is described. */
static void every_parameter_is_described(void **state) {
    (void)state;
    for (size_t i = 0; i < ROUTES_COUNT; i++) {
        char method[16], names[256] = "", wanted[256] = "";
        snprintf(method, sizeof method, "%s", strcmp(ROUTES[i].method, "GET") == 0 ? "get" : "post");
        json_t *operation =
            json_object_get(json_object_get(json_object_get(document, "paths"), ROUTES[i].path), method);
        json_t *parameter;
        size_t n, in_path = 0;
        json_array_foreach(json_object_get(operation, "parameters"), n, parameter) {
            parameter = schema_at(document, parameter);
            assert_non_null(parameter);
            const char *in = text_at(parameter, "in");
            in_path += strcmp(in, "path") == 0;
            if (strcmp(in, "query") == 0)
                snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? " " : "",
                         text_at(parameter, "name"));
        }
        assert_int_equal(in_path, strchr(ROUTES[i].path, '{') != NULL);
        snprintf(wanted, sizeof wanted, "%s", ROUTES[i].query ? ROUTES[i].query : "");
        assert_int_equal(strlen(names), strlen(wanted));
        for (char *word = strtok(names, " "); word; word = strtok(NULL, " "))
            if (!strstr(wanted, word))
                fail_msg("%s: `%s` is not in the table", ROUTES[i].path, word);
    }
}

static void refs_look(const json_t *value) {
    const char *name;
    json_t *one;
    size_t i;
    if (text_at(value, "$ref") && !schema_at(document, (json_t *)value))
        fail_msg("%s leads nowhere", text_at(value, "$ref"));
    json_object_foreach((json_t *)value, name, one) refs_look(one);
    json_array_foreach(value, i, one) refs_look(one);
}

static void every_reference_leads_somewhere(void **state) {
    (void)state;
    refs_look(document);
}

/* --- The city of the demonstration ------------------------------------------------------------------------
 */

struct city {
    char folder[64];
    struct gate gate; /* only its url is used */
};

static int entry_remove(const char *path, const struct stat *about, int flag, struct FTW *walk) {
    (void)about, (void)flag, (void)walk;
    return remove(path);
}

static void city_free(void *arg) {
    struct city *city = arg;
    if (city->folder[0])
        nftw(city->folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(city);
}

static struct child *program(const struct city *city, const char *name, const char *file) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", city->folder, file);
    return child_start((const char *const[]){name, "--config", path, NULL});
}

static const char *token_read(const struct city *city, const char *name) {
    static char texts[4][64];
    static size_t count;
    char path[128], *ret = texts[count++ % 4];
    snprintf(path, sizeof path, "%s/tokens/%s", city->folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(ret, 64, file));
    fclose(file);
    ret[strcspn(ret, "\n")] = '\0';
    return ret;
}

static struct city *city_start(void) {
    struct city *city = calloc(1, sizeof *city);
    char command[512], port[16];
    enum { PORTS = 4 }; /* from base + 1 on */
    gate_register(city, city_free);
    snprintf(city->folder, sizeof city->folder, "/tmp/estelam-openapi-XXXXXX");
    assert_non_null(mkdtemp(city->folder));
    snprintf(port, sizeof port, "%d", ports_take(PORTS) - 1);
    snprintf(command, sizeof command, "PATH=%s:$PATH %s/demo/setup.sh %s %s >/dev/null", PROGRAMS, DEPLOY,
             city->folder, port);
    assert_int_equal(system(command), 0);
    struct child *broker = program(city, PROGRAMS "/estelam-broker", "broker.yaml");
    for (int i = 0; i < 3; i++)
        assert_non_null(child_line(broker, "listening "));
    child_error_wait(program(city, PROGRAMS "/estelam-agent", "agents/nosazi.yaml"), "connected");
    struct child *gateway = program(city, PROGRAMS "/estelam-gateway", "gateway.yaml");
    const char *url = child_line(gateway, "listening ");
    assert_non_null(url);
    snprintf(city->gate.url, sizeof city->gate.url, "%s", url);
    for (int i = 0; i < 4; i++)
        child_error_wait(gateway, "connected to the broker");
    return city;
}

/* --- Replaying --------------------------------------------------------------------------------- */

struct replay {
    char path[512], headers[CALL_HEADERS_MAX][160];
    size_t headers_count;
    char query[256];
};

static void path_fill(char *path, const char *name, const char *value) {
    char part[64], *at, rest[512];
    snprintf(part, sizeof part, "{%s}", name);
    at = strstr(path, part);
    assert_non_null(at);
    snprintf(rest, sizeof rest, "%s%s", value, at + strlen(part));
    snprintf(at, 512 - (size_t)(at - path), "%s", rest);
}

static void parameter_take(struct replay *replay, const json_t *parameter) {
    char example[128] = "";
    const json_t *value = json_object_get(parameter, "example");
    const char *in = text_at(parameter, "in"), *name = text_at(parameter, "name");
    if (!value)
        return;
    if (json_is_integer(value))
        snprintf(example, sizeof example, "%lld", json_integer_value(value));
    else
        snprintf(example, sizeof example, "%s", json_string_value(value));
    if (strcmp(in, "path") == 0)
        path_fill(replay->path, name, example);
    else if (strcmp(in, "header") == 0)
        snprintf(replay->headers[replay->headers_count++], 160, "%s: %s", name, example);
    else
        snprintf(replay->query + strlen(replay->query), 256 - strlen(replay->query), "%s%s=%s",
                 *replay->query ? "&" : "?", name, example);
}

static const json_t *schema_of(const json_t *response) {
    const char *type;
    json_t *content;
    json_object_foreach(json_object_get(response, "content"), type, content) return json_object_get(content,
                                                                                                    "schema");
    return NULL;
}

/* The answer has a status that is described, and the shape that is described for it. */
static void answer_judge(const char *what, const json_t *operation, const struct reply *reply) {
    char status[8], why[256];
    snprintf(status, sizeof status, "%ld", reply->status);
    const json_t *response =
        schema_at(document, json_object_get(json_object_get(operation, "responses"), status));
    if (!response)
        fail_msg("%s: %s is not described: %s", what, status, reply->body);
    const json_t *schema = schema_of(response);
    if (reply->json && schema && !schema_holds(document, schema, reply->json, why))
        fail_msg("%s: the answer %s: %s", what, why, reply->body);
}

static long example_replay(struct city *city, const char *path, const char *method, const json_t *operation,
                           const char *token) {
    struct replay replay = {.headers_count = 0};
    struct call call = {.method = strcmp(method, "get") == 0 ? "GET" : "POST", .token = token};
    json_t *parameter;
    size_t i;
    snprintf(replay.path, sizeof replay.path, "%s", path);
    json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
        parameter_take(&replay, schema_at(document, parameter));
    for (i = 0; i < replay.headers_count; i++)
        call.headers[i] = replay.headers[i];
    const json_t *content = json_object_get(
        json_object_get(json_object_get(operation, "requestBody"), "content"), "application/json");
    char *body = content ? json_dumps(json_object_get(content, "example"), JSON_ENCODE_ANY) : NULL;
    char why[256];
    if (content &&
        !schema_holds(document, json_object_get(content, "schema"), json_object_get(content, "example"), why))
        fail_msg("%s: the example %s", path, why);
    call.body = body;
    snprintf(replay.path + strlen(replay.path), sizeof replay.path - strlen(replay.path), "%s", replay.query);
    if (strcmp(path, "/v1/events") == 0)
        call.timeout_ms = 500;
    const struct reply *reply = call_make(&city->gate, replay.path, &call);
    free(body);
    if (strcmp(path, "/v1/events") != 0)
        answer_judge(replay.path, operation, reply);
    return reply->status;
}

/* The submit first: the others speak of its inquiry. Everything is asked by who may; what one role may
 * not do must be refused as described. */
static void every_example_is_answered_as_described(void **state) {
    const char *path, *method;
    json_t *operations, *operation, *paths = json_object_get(document, "paths");
    (void)state;
    struct city *city = city_start();
    const char *portal = token_read(city, "portal"), *chief = token_read(city, "chief"),
               *watch = token_read(city, "watch");
    operation = json_object_get(json_object_get(paths, "/v1/inquiries"), "post");
    assert_int_equal(example_replay(city, "/v1/inquiries", "post", operation, portal), 200);
    assert_int_equal(example_replay(city, "/v1/inquiries", "post", operation, chief), 403);
    json_object_foreach(paths, path, operations) json_object_foreach(operations, method, operation) {
        long status = example_replay(city, path, method, operation, chief);
        if (status == 403) /* a requester's alone */
            status = example_replay(city, path, method, operation, portal);
        if (status == 500)
            fail_msg("%s %s: 500", method, path);
        example_replay(city, path, method, operation, watch);
        if (strcmp(path, "/metrics") != 0)
            example_replay(city, path, method, operation, NULL);
    }
}

static void the_gateway_serves_this_very_document(void **state) {
    (void)state;
    struct town *town = gate_town();
    town_start(town);
    struct gate *gate = gate_new(town, NULL);
    gate_start(gate);
    const struct reply *r = CALL(gate, "/v1/openapi.yaml");
    assert_int_equal(r->status, 200);
    FILE *file = fopen(OPENAPI, "r");
    assert_non_null(file);
    char *text = calloc(1, strlen(r->body) + 2);
    size_t size = fread(text, 1, strlen(r->body) + 1, file);
    fclose(file);
    assert_int_equal(size, strlen(r->body));
    assert_string_equal(text, r->body);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATE_CLAIM(every_route_is_described),
        GATE_CLAIM(every_description_has_a_route),
        GATE_CLAIM(every_parameter_is_described),
        GATE_CLAIM(every_reference_leads_somewhere),
        GATE_CLAIM(the_gateway_serves_this_very_document),
        GATE_CLAIM(every_example_is_answered_as_described),
    };
    return cmocka_run_group_tests(tests, document_read, document_free);
}
