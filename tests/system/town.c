/* town.c - a small town in a private folder, and its broker. */
#include "harness.h"
#include "registry.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* --- The harness's own catalogue ------------------------------------------------------------------ */

static const char town_yaml[] =
    "city: {id: testville, title: {fa: آزمون, en: Testville}}\n"
    "parcel: {parts: 3, district_part: 1, digits_max: 4, districts: {first: 1, last: 9}, hierarchy: false}\n"
    "purposes:\n"
    "  permit: {title: {fa: پروانه, en: Permit}}\n";

static const char departments_yaml[] = "departments:\n"
                                       "  council: {title: {fa: شورا, en: Council}}\n"
                                       "  treasury: {title: {fa: خزانه, en: Treasury}}\n"
                                       "  works: {title: {fa: عمران, en: Works}}\n"
                                       "  office: {title: {fa: دفتر, en: Office}}\n";

static const char types_yaml[] = "types:\n"
                                 "  plot.debt:\n"
                                 "    title: {fa: بدهی, en: Debt}\n"
                                 "    owner: council\n"
                                 "    answerer: treasury\n"
                                 "    operator: office\n"
                                 "    mode: automatic\n"
                                 "    purposes: all\n"
                                 "    target: 5 s\n"
                                 "    expires: 30 d\n"
                                 "    silence: escalate\n"
                                 "    legal_basis: {title: a test has no law, mark: P}\n"
                                 "    outcomes: [positive, negative, no-record]\n"
                                 "    reasons: {debt-open: {fa: بدهی, en: Debt is owed}}\n"
                                 "    request:\n"
                                 "      nz: {kind: nz}\n"
                                 "      note: {kind: text, required: false, max: 1000}\n"
                                 "    reply:\n"
                                 "      debt: {kind: int}\n"
                                 "%s"
                                 "  plot.use:\n"
                                 "    title: {fa: کاربری, en: Use}\n"
                                 "    owner: council\n"
                                 "    answerer: works\n"
                                 "    operator: office\n"
                                 "    mode: automatic\n"
                                 "    purposes: all\n"
                                 "    target: 5 s\n"
                                 "    expires: 30 d\n"
                                 "    silence: escalate\n"
                                 "    legal_basis: {title: a test has no law, mark: P}\n"
                                 "    outcomes: [positive, no-record]\n"
                                 "    request:\n"
                                 "      nz: {kind: nz}\n"
                                 "      note: {kind: text, required: false, max: 1000}\n"
                                 "    reply:\n"
                                 "      use: {kind: text}\n"
                                 "%s";

static const struct town_account accounts_own[] = {
    {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: all}], "},
    {.name = "notary", .door = REQUESTERS, .fields = "asks: [{types: [plot.use], purposes: all}], "},
    {.name = "treasury-a", .door = DEPARTMENTS, .fields = "department: treasury, "},
    {.name = "treasury-b", .door = DEPARTMENTS, .fields = "department: treasury, "},
    {.name = "works-a", .door = DEPARTMENTS, .fields = "department: works, "},
    {.name = "watch", .door = OPERATORS, .fields = "level: observer, "},
    {.name = "duty", .door = OPERATORS, .fields = ""},
    {.name = "chief", .door = OPERATORS, .fields = "level: administrator, "},
    {.name = NULL},
};

static const char *const roles[] = {"requester", "department", "operator"};
static const char *const doors[] = {"requesters", "departments", "operators"};

/* --- Files ---------------------------------------------------------------------------------------- */

void town_file(struct town *town, const char *name, const char *text) {
    char path[FOLDER_MAX + 128];
    snprintf(path, sizeof path, "%s/%s", town->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

const char *town_survey(const char *answerer) {
    static char text[700];
    snprintf(text, sizeof text,
             "  plot.survey:\n"
             "    title: {fa: نقشه, en: Survey}\n"
             "    owner: council\n"
             "    answerer: %s\n"
             "    operator: office\n"
             "    mode: automatic\n"
             "    purposes: all\n"
             "    target: 5 s\n"
             "    expires: 30 d\n"
             "    silence: escalate\n"
             "    legal_basis: {title: a test has no law, mark: P}\n"
             "    outcomes: [positive, no-record]\n"
             "    request:\n"
             "      nz: {kind: nz}\n"
             "    reply:\n"
             "      debt: {kind: int}\n",
             answerer);
    return text;
}

char *town_types(const char *debt_reply_more, const char *types_more) {
    char *text = NULL;
    assert_true(asprintf(&text, types_yaml, debt_reply_more, types_more) > 0);
    return text;
}

static void catalogue_write(struct town *town) {
    char path[FOLDER_MAX + 32];
    snprintf(path, sizeof path, "%s/catalogue", town->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/catalogue/types", town->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    town_file(town, "catalogue/city.yaml", town_yaml);
    town_file(town, "catalogue/departments.yaml", departments_yaml);
    char *types = town_types("", "");
    town_file(town, TOWN_TYPES, types);
    free(types);
}

void town_accounts_write(struct town *town) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    fputs("accounts:\n", file);
    for (size_t i = 0; i < town->accounts_count; i++) {
        const struct town_account *a = &town->accounts[i];
        fprintf(file, "  %s: {role: %s, %skeys: [", a->name, roles[a->door], a->fields);
        if (!a->revoked)
            fprintf(file, "{public: \"%s\"%s%s}", a->key.public_key, a->dates ? ", " : "",
                    a->dates ? a->dates : "");
        fputs("]}\n", file);
    }
    fclose(file);
    town_file(town, "accounts.yaml", text);
    free(text);
}

/* A raw peer pings nothing: after three heartbeats, which are 15 s where nobody says otherwise, it were put out in
 * the midst of a test on a slow machine. */
void town_broker_write(struct town *town) {
    const char *more = town->options.limits ? town->options.limits : "";
    char limits[256];
    snprintf(limits, sizeof limits, "inquiries_max: 200000, sessions_max: 64%s%s%s",
             strstr(more, "heartbeat:") ? "" : ", heartbeat: 1 min", *more ? ", " : "", more);
    town_limits_write(town, limits);
}

void town_limits_write(struct town *town, const char *limits) {
    const struct town_options *o = &town->options;
    char text[2048];
    snprintf(text, sizeof text,
             "catalogue: \"%s\"\naccounts: accounts.yaml\nstore: {directory: store, size_max: 2 GiB}\n"
             "security: %s\nkey: broker.key\n"
             "listen: {requesters: \"%s\", departments: \"%s\", operators: \"%s\"}\n"
             "limits: {%s}\n",
             o->catalogue ? o->catalogue : "catalogue", o->plain ? "plain" : "curve",
             town->endpoints[REQUESTERS], town->endpoints[DEPARTMENTS], town->endpoints[OPERATORS], limits);
    town_file(town, "broker.yaml", text);
}

/* --- Making it ------------------------------------------------------------------------------------- */

void key_make(struct key_pair *ret) {
    assert_int_equal(zmq_curve_keypair(ret->public_key, ret->secret_key), 0);
}

static void endpoints_pick(struct town *town) {
    int first = town->options.any_port ? 0 : ports_take(DOOR_COUNT);
    for (int i = 0; i < DOOR_COUNT; i++)
        snprintf(town->endpoints[i], ENDPOINT_MAX, "tcp://127.0.0.1:%d", first ? first + i : 0);
}

static void accounts_take(struct town *town) {
    const struct town_account *from = town->options.accounts ? town->options.accounts : accounts_own;
    for (; from->name; from++) {
        assert_true(town->accounts_count < TOWN_ACCOUNTS_MAX);
        struct town_account *to = &town->accounts[town->accounts_count++];
        *to = *from;
        key_make(&to->key);
    }
}

struct town *town_new(const struct town_options *options) {
    struct town *town = calloc(1, sizeof *town);
    assert_non_null(town);
    if (options)
        town->options = *options;
    snprintf(town->folder, sizeof town->folder, "/tmp/estelam-system-XXXXXX");
    assert_non_null(mkdtemp(town->folder));
    towns_add(town);
    key_make(&town->server);
    char text[2 * KEY_TEXT + 64];
    snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", town->server.public_key,
             town->server.secret_key);
    town_file(town, "broker.key", text);
    if (!town->options.catalogue)
        catalogue_write(town);
    accounts_take(town);
    town_accounts_write(town);
    endpoints_pick(town);
    town_broker_write(town);
    return town;
}

struct town_account *town_account(struct town *town, const char *name) {
    for (size_t i = 0; i < town->accounts_count; i++)
        if (strcmp(town->accounts[i].name, name) == 0)
            return &town->accounts[i];
    fail_msg("the town has no account %s", name);
    return NULL;
}

/* --- The broker ------------------------------------------------------------------------------------- */

static void broker_spawn(struct town *town) {
    char path[FOLDER_MAX + 16];
    snprintf(path, sizeof path, "%s/broker.yaml", town->folder);
    const char *const argv[] = {BROKER_PROGRAM, "--config", path, NULL};
    assert_null(town->broker);
    town->broker = child_start(argv);
}

/* The doors' lines: true when all came. */
static bool broker_listens(struct town *town) {
    for (int i = 0; i < DOOR_COUNT; i++) {
        const char *line = child_line(town->broker, "listening ");
        size_t size = strlen(doors[i]);
        if (!line)
            return false;
        assert_int_equal(strncmp(line, doors[i], size), 0);
        snprintf(town->endpoints[i], ENDPOINT_MAX, "%s", line + size + 1);
    }
    return true;
}

/* The first time another program, which knows nothing of our locks, may have taken a port since we found it free. */
void town_start(struct town *town) {
    enum { EXIT_NET = 5, TRIES = 5 };
    for (int i = 0; i < TRIES; i++) {
        broker_spawn(town);
        if (broker_listens(town)) {
            town->started = true;
            return;
        }
        int status = child_wait(town->broker);
        if (status != EXIT_NET || town->started)
            fail_msg("the broker ends with %d at its start", status);
        child_free(&town->broker);
        endpoints_pick(town);
        town_broker_write(town);
    }
    fail_msg("no port for the broker");
}

int town_start_fails(struct town *town) {
    broker_spawn(town);
    return child_wait(town->broker);
}

void town_kill(struct town *town) {
    child_signal(town->broker, SIGKILL);
    assert_int_equal(child_wait(town->broker), -SIGKILL);
    assert_true(child_free(&town->broker));
}

int town_stop(struct town *town) {
    child_signal(town->broker, SIGTERM);
    int status = child_wait(town->broker);
    if (status != 0)
        child_print(town->broker);
    assert_true(child_error_has(town->broker, "stopping: asked by SIGTERM"));
    assert_true(child_free(&town->broker));
    return status;
}

void town_reload(struct town *town, const char *says) {
    child_signal(town->broker, SIGHUP);
    child_error_wait(town->broker, says);
}

static int entry_remove(const char *path, const struct stat *about, int flag, struct FTW *walk) {
    (void)about, (void)flag, (void)walk;
    return remove(path);
}

void town_free(struct town **at) {
    struct town *town = *at;
    *at = NULL;
    towns_remove(town);
    child_free(&town->broker);
    nftw(town->folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(town);
}

void town_end(struct town *town) {
    if (town->broker)
        assert_int_equal(town_stop(town), 0);
    town_free(&town);
}

/* --- Agents ---------------------------------------------------------------------------------------- */

struct child *agent_start(struct town *town, const char *account, const char *mode, unsigned workers) {
    const struct town_account *a = town_account(town, account);
    char count[16];
    snprintf(count, sizeof count, "%u", workers);
    const char *const argv[] = {AGENT_PROGRAM,
                                town->endpoints[DEPARTMENTS],
                                town->options.plain ? "-" : town->server.public_key,
                                a->key.public_key,
                                a->key.secret_key,
                                a->name,
                                mode,
                                count,
                                NULL};
    return child_start(argv);
}
