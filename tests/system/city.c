/* city.c - a small city in a private folder, and its broker.
 *
 * Ports lie below the range from which the kernel takes those of outgoing connections: a client
 * that knocks at a killed broker's port cannot be given that very port and meet itself.
 */
#include "harness.h"
#include "registry.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* --- The harness's own catalogue ------------------------------------------------------------------ */

static const char city_yaml[] =
    "city: {id: testville, title: {fa: آزمون, en: Testville}}\n"
    "parcel: {parts: 3, district_part: 1, digits_max: 4, districts: {first: 1, last: 9}, hierarchy: false}\n"
    "purposes:\n"
    "  permit: {title: {fa: پروانه, en: Permit}}\n";

static const char departments_yaml[] =
    "departments:\n"
    "  council: {title: {fa: شورا, en: Council}}\n"
    "  treasury: {title: {fa: خزانه, en: Treasury}}\n"
    "  works: {title: {fa: عمران, en: Works}}\n"
    "  office: {title: {fa: دفتر, en: Office}}\n";

static const char types_yaml[] =
    "types:\n"
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

static const struct city_account accounts_own[] = {
    {.name = "portal", .door = REQUESTERS, .fields = "asks: [{types: all, purposes: all}], "},
    {.name = "notary", .door = REQUESTERS, .fields = "asks: [{types: [plot.use], purposes: all}], "},
    {.name = "treasury-a", .door = DEPARTMENTS, .fields = "department: treasury, "},
    {.name = "treasury-b", .door = DEPARTMENTS, .fields = "department: treasury, "},
    {.name = "works-a", .door = DEPARTMENTS, .fields = "department: works, "},
    {.name = "duty", .door = OPERATORS, .fields = ""},
    {.name = NULL},
};

static const char *const roles[] = {"requester", "department", "operator"};
static const char *const doors[] = {"requesters", "departments", "operators"};

/* --- Files ---------------------------------------------------------------------------------------- */

void city_file(struct city *city, const char *name, const char *text) {
    char path[FOLDER_MAX + 128];
    snprintf(path, sizeof path, "%s/%s", city->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

char *city_types(const char *debt_reply_more, const char *types_more) {
    char *text = NULL;
    assert_true(asprintf(&text, types_yaml, debt_reply_more, types_more) > 0);
    return text;
}

static void catalogue_write(struct city *city) {
    char path[FOLDER_MAX + 32];
    snprintf(path, sizeof path, "%s/catalogue", city->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/catalogue/types", city->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    city_file(city, "catalogue/city.yaml", city_yaml);
    city_file(city, "catalogue/departments.yaml", departments_yaml);
    char *types = city_types("", "");
    city_file(city, CITY_TYPES, types);
    free(types);
}

void city_accounts_write(struct city *city) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    fputs("accounts:\n", file);
    for (size_t i = 0; i < city->accounts_count; i++) {
        const struct city_account *a = &city->accounts[i];
        fprintf(file, "  %s: {role: %s, %skeys: [", a->name, roles[a->door], a->fields);
        if (!a->revoked)
            fprintf(file, "{public: \"%s\"%s%s}", a->key.public_key, a->dates ? ", " : "", a->dates ? a->dates : "");
        fputs("]}\n", file);
    }
    fclose(file);
    city_file(city, "accounts.yaml", text);
    free(text);
}

void city_broker_write(struct city *city) {
    const struct city_options *o = &city->options;
    char text[2048];
    snprintf(text, sizeof text,
             "catalogue: \"%s\"\naccounts: accounts.yaml\nstore: {directory: store, size_max: 2 GiB}\n"
             "security: %s\nkey: broker.key\n"
             "listen: {requesters: \"%s\", departments: \"%s\", operators: \"%s\"}\n"
             "limits: {inquiries_max: 200000, sessions_max: 64%s%s}\n",
             o->catalogue ? o->catalogue : "catalogue", o->plain ? "plain" : "curve", city->endpoints[REQUESTERS],
             city->endpoints[DEPARTMENTS], city->endpoints[OPERATORS], o->limits ? ", " : "",
             o->limits ? o->limits : "");
    city_file(city, "broker.yaml", text);
}

/* --- Making it ------------------------------------------------------------------------------------- */

void key_make(struct key_pair *ret) {
    assert_int_equal(zmq_curve_keypair(ret->public_key, ret->secret_key), 0);
}

static bool port_is_free(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

/* Other tests may look for ports at the same moment: each process begins at a place of its own. */
static int port_pick(void) {
    enum { FIRST = 15000, LAST = 31999 };
    static int next;
    if (next == 0)
        next = FIRST + (int)((unsigned)getpid() * 97u % (LAST - FIRST));
    for (int i = FIRST; i <= LAST; i++) {
        next = next == LAST ? FIRST : next + 1;
        if (port_is_free(next))
            return next;
    }
    fail_msg("no free port");
    return 0;
}

static void endpoints_pick(struct city *city) {
    for (int i = 0; i < DOOR_COUNT; i++)
        snprintf(city->endpoints[i], ENDPOINT_MAX, "tcp://127.0.0.1:%d",
                 city->options.any_port ? 0 : port_pick());
}

static void accounts_take(struct city *city) {
    const struct city_account *from = city->options.accounts ? city->options.accounts : accounts_own;
    for (; from->name; from++) {
        assert_true(city->accounts_count < CITY_ACCOUNTS_MAX);
        struct city_account *to = &city->accounts[city->accounts_count++];
        *to = *from;
        key_make(&to->key);
    }
}

struct city *city_new(const struct city_options *options) {
    struct city *city = calloc(1, sizeof *city);
    assert_non_null(city);
    if (options)
        city->options = *options;
    snprintf(city->folder, sizeof city->folder, "/tmp/estelam-system-XXXXXX");
    assert_non_null(mkdtemp(city->folder));
    cities_add(city);
    key_make(&city->server);
    char text[2 * KEY_TEXT + 64];
    snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", city->server.public_key, city->server.secret_key);
    city_file(city, "broker.key", text);
    if (!city->options.catalogue)
        catalogue_write(city);
    accounts_take(city);
    city_accounts_write(city);
    endpoints_pick(city);
    city_broker_write(city);
    return city;
}

struct city_account *city_account(struct city *city, const char *name) {
    for (size_t i = 0; i < city->accounts_count; i++)
        if (strcmp(city->accounts[i].name, name) == 0)
            return &city->accounts[i];
    fail_msg("the city has no account %s", name);
    return NULL;
}

/* --- The broker ------------------------------------------------------------------------------------- */

static void broker_spawn(struct city *city) {
    char path[FOLDER_MAX + 16];
    snprintf(path, sizeof path, "%s/broker.yaml", city->folder);
    const char *const argv[] = {BROKER_PROGRAM, "--config", path, NULL};
    assert_null(city->broker);
    city->broker = child_start(argv);
}

/* The doors' lines: true when all came. */
static bool broker_listens(struct city *city) {
    for (int i = 0; i < DOOR_COUNT; i++) {
        const char *line = child_line(city->broker, "listening ");
        size_t size = strlen(doors[i]);
        if (!line)
            return false;
        assert_int_equal(strncmp(line, doors[i], size), 0);
        snprintf(city->endpoints[i], ENDPOINT_MAX, "%s", line + size + 1);
    }
    return true;
}

/* The first time another process may have taken a port since we found it free. */
void city_start(struct city *city) {
    enum { EXIT_NET = 5, TRIES = 5 };
    for (int i = 0; i < TRIES; i++) {
        broker_spawn(city);
        if (broker_listens(city)) {
            city->started = true;
            return;
        }
        int status = child_wait(city->broker);
        if (status != EXIT_NET || city->started)
            fail_msg("the broker ends with %d at its start", status);
        child_free(&city->broker);
        endpoints_pick(city);
        city_broker_write(city);
    }
    fail_msg("no port for the broker");
}

int city_start_fails(struct city *city) {
    broker_spawn(city);
    return child_wait(city->broker);
}

void city_kill(struct city *city) {
    child_signal(city->broker, SIGKILL);
    assert_int_equal(child_wait(city->broker), -SIGKILL);
    assert_true(child_free(&city->broker));
}

int city_stop(struct city *city) {
    child_signal(city->broker, SIGTERM);
    int status = child_wait(city->broker);
    if (status != 0)
        child_print(city->broker);
    assert_true(child_free(&city->broker));
    return status;
}

void city_reload(struct city *city, const char *says) {
    child_signal(city->broker, SIGHUP);
    child_error_wait(city->broker, says);
}

static int entry_remove(const char *path, const struct stat *about, int flag, struct FTW *walk) {
    (void)about, (void)flag, (void)walk;
    return remove(path);
}

void city_free(struct city **at) {
    struct city *city = *at;
    *at = NULL;
    cities_remove(city);
    child_free(&city->broker);
    nftw(city->folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(city);
}

void city_end(struct city *city) {
    if (city->broker)
        assert_int_equal(city_stop(city), 0);
    city_free(&city);
}

/* --- Agents ---------------------------------------------------------------------------------------- */

struct child *agent_start(struct city *city, const char *account, const char *mode, unsigned workers) {
    const struct city_account *a = city_account(city, account);
    char count[16];
    snprintf(count, sizeof count, "%u", workers);
    const char *const argv[] = {AGENT_PROGRAM,     city->endpoints[DEPARTMENTS],
                                city->options.plain ? "-" : city->server.public_key,
                                a->key.public_key, a->key.secret_key,
                                a->name,           mode,
                                count,             NULL};
    return child_start(argv);
}
