/* door.c - who is let in, who is put out, and that nobody else notices. */
#include "harness.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- At the threshold -------------------------------------------------------------------------------- */

/* A far end that may not come in is told little; who runs the broker reads why. */
static void told(struct town *town, const char *sentence) {
    child_error_wait(town->broker, sentence);
}

/* Opens a client that must not get in; the code it is told. */
static int refused(const est_options *options) {
    struct far *far = far_open_with(options);
    int code = far_wait(far, EST_EVENT_DISCONNECTED)->code;
    assert_null(far_peek(far, (struct want){.kind = EST_EVENT_CONNECTED}));
    assert_null(est_client_account(far->client));
    far_close(&far);
    return code;
}

static void unknown_key_is_refused(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    struct key_pair stranger;
    key_make(&stranger);
    est_options options = far_options(town, "portal", 0);
    options.public_key = stranger.public_key;
    options.secret_key = stranger.secret_key;
    assert_int_equal(refused(&options), EST_NOT_ALLOWED);
    assert_true(far_stat(duty, "handshakes_refused") >= 1);
    char sentence[160];
    snprintf(sentence, sizeof sentence,
             "turned away at the requesters' door: a connection from 127.0.0.1, key %s: this key is not in accounts.yaml",
             stranger.public_key);
    told(town, sentence);
    town_end(town);
}

/* A bare socket tries it: libestelam itself takes no two keys that do not belong together. */
static void another_accounts_public_key_without_its_secret_is_refused(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct raw_options options = {.security = RAW_CURVE, .server_key = town->server.public_key};
    struct key_pair stranger;
    key_make(&stranger);
    memcpy(options.key.public_key, town_account(town, "portal")->key.public_key, KEY_TEXT);
    memcpy(options.key.secret_key, stranger.secret_key, KEY_TEXT);
    struct raw *raw = raw_open(town->endpoints[REQUESTERS], &options);
    raw_ended(raw);
    assert_false(raw_was_welcome(raw));
    raw_close(&raw);
    town_end(town);
}

static void wrong_server_key_gets_nobody_in(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *duty = far_open(town, "duty", 0);
    uint64_t before = far_stat(duty, "handshakes_accepted");
    struct key_pair other;
    key_make(&other);
    est_options options = far_options(town, "portal", 0);
    options.server_key = other.public_key;
    assert_int_equal(refused(&options), EST_UNREACHABLE);
    assert_int_equal(far_stat(duty, "handshakes_accepted"), before);
    told(town, "turned away at the requesters' door: a connection: its CURVE handshake failed");
    town_end(town);
}

static void plain_client_is_refused_by_a_curve_broker(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    est_options options = far_options(town, "portal", 0);
    options.server_key = NULL;
    assert_int_equal(refused(&options), EST_UNREACHABLE);
    town_end(town);
}

/* A far end of libzmq may hang up on us before it has said its own mechanism; this one says it and waits. */
static void who_comes_without_curve_is_told(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    static const char greeting[64] = "\xff\0\0\0\0\0\0\0\1\x7f\3\0PLAIN";
    unsigned port;
    assert_int_equal(sscanf(town->endpoints[DEPARTMENTS], "tcp://127.0.0.1:%u", &port), 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, greeting, sizeof greeting), (ssize_t)sizeof greeting);
    told(town, "turned away at the departments' door: a connection: CURVE on one side only");
    close(fd);
    town_end(town);
}

static void null_client_is_refused(void **state) {
    (void)state;
    for (int plain = 0; plain <= 1; plain++) {
        struct town *town = town_new(&(struct town_options){.plain = plain});
        town_start(town);
        struct raw *raw = raw_open(town->endpoints[REQUESTERS], &(struct raw_options){.security = RAW_NULL});
        raw_ended(raw);
        assert_false(raw_was_welcome(raw));
        raw_close(&raw);
        town_end(town);
    }
}

static void plain_names_and_keys_must_belong_together(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.plain = true});
    town_start(town);
    est_options options = far_options(town, "portal", 0);
    struct far *portal = far_open_with(&options);
    far_wait(portal, EST_EVENT_CONNECTED);
    options.account = "notary"; /* with the portal's key */
    assert_int_equal(refused(&options), EST_NOT_ALLOWED);
    told(town, "turned away at the requesters' door: portal from 127.0.0.1, key ");
    told(town, ": it says that it is another account");
    town_end(town);
}

static void key_of_one_role_is_refused_at_the_doors_of_the_others(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    static const char *const accounts[] = {"portal", "treasury-a", "duty"};
    for (size_t i = 0; i < 3; i++)
        for (size_t door = 0; door < DOOR_COUNT; door++) {
            if (town_account(town, accounts[i])->door == door)
                continue;
            est_options options = far_options(town, accounts[i], 0);
            options.endpoints[0] = town->endpoints[door];
            assert_int_equal(refused(&options), EST_NOT_ALLOWED);
        }
    told(town, "turned away at the departments' door: portal from 127.0.0.1, key ");
    told(town, ": not the door of its account's role, see listen: in broker.yaml");
    town_end(town);
}

static void key_outside_its_dates_is_refused(void **state) {
    (void)state;
    static const char *const dates[] = {"until: 2024-01-01", "from: 2199-01-01"};
    static const char *const why[] = {"this key has ended, see its until:", "this key is not valid yet, see its from:"};
    struct town *town = town_new(NULL);
    town_account(town, "notary")->dates = "from: 2024-01-01, until: 2199-01-01";
    for (size_t i = 0; i < 2; i++) {
        town_account(town, "portal")->dates = dates[i];
        town_accounts_write(town);
        town_start(town);
        est_options options = far_options(town, "portal", 0);
        assert_int_equal(refused(&options), EST_NOT_ALLOWED);
        told(town, why[i]);
        far_open(town, "notary", 0); /* within its dates */
        assert_int_equal(town_stop(town), 0);
    }
    town_end(town);
}

/* --- Put out ----------------------------------------------------------------------------------------- */

/* What a far end that lost its key is told, and that it does not come back. */
static void expect_revoked(struct far *far) {
    assert_int_equal(far_wait(far, EST_EVENT_DISCONNECTED)->code, EST_KEY_REVOKED);
    assert_int_equal(far_wait(far, EST_EVENT_DISCONNECTED)->code, EST_NOT_ALLOWED);
    assert_null(est_client_account(far->client));
}

static void revoked_key_dies_on_its_open_connection_and_others_notice_nothing(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "heartbeat: 10 min"});
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *notary = far_open(town, "notary", 2);
    struct far *duty = far_open(town, "duty", 0);
    struct raw *revoked = raw_agent(town, "treasury-a", 1);
    est_id held;
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", &held);
    raw_receive(revoked, VERB_ASSIGN);
    struct raw *other = raw_agent(town, "treasury-b", 1);
    town_account(town, "notary")->revoked = town_account(town, "treasury-a")->revoked = true;
    town_accounts_write(town);
    town_reload(town, "reloaded");
    expect_revoked(notary);
    told(town, "turned away at the requesters' door: notary from 127.0.0.1, key ");
    told(town, "this key is no longer in accounts.yaml");
    assert_int_equal(raw_receive(revoked, VERB_BYE)->bye.code, EST_KEY_REVOKED);
    raw_ended(revoked);
    const struct message *m = raw_receive(other, VERB_ASSIGN); /* what the revoked one held */
    assert_int_equal(m->assign.number, number);
    raw_answer(other, number, m->assign.epoch, 3);
    assert_int_equal(far_wait(portal, EST_EVENT_RESULT, .id = &held)->state, EST_STATE_ANSWERED);
    assert_int_equal(far_stat(duty, "refused_KEY_REVOKED"), 2);
    assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    assert_null(far_peek(duty, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    town_end(town);
}

static void key_whose_dates_a_reload_ends_dies_on_its_open_connection(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *notary = far_open(town, "notary", 2);
    town_account(town, "notary")->dates = "until: 2024-01-01";
    town_accounts_write(town);
    town_reload(town, "reloaded");
    expect_revoked(notary);
    far_submit(portal, "plot.debt", "1-1-1", NULL);
    town_end(town);
}

static void keys_swap(struct town *town, const char *one, const char *other) {
    struct town_account *a = town_account(town, one), *b = town_account(town, other);
    struct key_pair key = a->key;
    a->key = b->key;
    b->key = key;
    town_accounts_write(town);
    town_reload(town, "reloaded");
}

/* Whoever holds it is somebody else from now on: nothing that began as the one goes on as the other. */
static void key_that_another_account_gets_dies_on_its_open_connections(void **state) {
    (void)state;
    struct town *town = town_new(&(struct town_options){.limits = "heartbeat: 10 min"});
    town_start(town);
    struct raw *portal = raw_session(town, "portal"), *watch = raw_session(town, "watch");
    struct far *notary = far_open(town, "notary", 2), *duty = far_open(town, "duty", 0);
    est_id id;
    uint64_t number = far_submit(notary, "plot.use", "1-1-1", &id);
    keys_swap(town, "portal", "notary");
    assert_int_equal(raw_receive(portal, VERB_BYE)->bye.code, EST_KEY_REVOKED);
    raw_ended(portal);
    /* libestelam comes back by itself, and is let in as the other */
    assert_int_equal(far_wait(notary, EST_EVENT_DISCONNECTED)->code, EST_KEY_REVOKED);
    struct far *new_notary = far_open(town, "notary", 2);
    assert_int_equal(far_status(new_notary, &id, 0)->number, number);
    keys_swap(town, "portal", "watch"); /* of another role, at another door */
    assert_int_equal(raw_receive(watch, VERB_BYE)->bye.code, EST_KEY_REVOKED);
    raw_ended(watch);
    assert_null(far_peek(duty, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    town_end(town);
}

/* Between its handshake and its HELLO a connection has no session yet; it is at the wrong door all the same. */
static void key_that_another_role_gets_before_hello_has_no_session(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    const struct town_account *portal = town_account(town, "portal");
    struct raw *early = raw_open(town->endpoints[REQUESTERS], &(struct raw_options){.server_key = town->server.public_key, .key = portal->key});
    raw_welcomed(early);
    keys_swap(town, "portal", "watch");
    struct message hello = {.verb = VERB_HELLO};
    hello.hello = (struct hello){.version_min = 1, .version_max = 1, .software = slice_of("early")};
    raw_send(early, &hello);
    assert_int_equal(raw_receive(early, VERB_BYE)->bye.code, EST_KEY_REVOKED);
    town_end(town);
}

static void account_whose_right_is_taken_is_refused_and_stays_connected(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2);
    far_submit(portal, "plot.debt", "1-1-1", NULL);
    town_account(town, "portal")->fields = "asks: [{types: [plot.use], purposes: all}], ";
    town_accounts_write(town);
    town_reload(town, "reloaded");
    est_id id;
    est_id_new(&id);
    far_ask(portal, "plot.debt", "1-1-1", NULL, &id, (est_time){0});
    assert_int_equal(far_wait(portal, EST_EVENT_REFUSED, .id = &id)->code, EST_NOT_ALLOWED);
    far_submit(portal, "plot.use", "1-1-1", NULL);
    assert_null(far_peek(portal, (struct want){.kind = EST_EVENT_DISCONNECTED}));
    town_end(town);
}

/* --- What others may know ----------------------------------------------------------------------------- */

static void requester_cannot_tell_a_foreign_inquiry_from_none(void **state) {
    (void)state;
    struct town *town = town_new(NULL);
    town_start(town);
    struct far *portal = far_open(town, "portal", 2), *notary = far_open(town, "notary", 2);
    est_id id, none;
    uint64_t number = far_submit(portal, "plot.debt", "1-1-1", &id);
    est_id_new(&none);
    const est_event *answers[6];
    est_client_status(notary->client, 1, &id, 0, true);
    est_client_status(notary->client, 2, &none, 0, true);
    est_client_status(notary->client, 3, NULL, number, true);
    est_client_status(notary->client, 4, NULL, number + 1000, true);
    est_client_timeline(notary->client, 5, NULL, number);
    est_client_cancel(notary->client, 6, NULL, number, "mine?");
    for (uint64_t ref = 1; ref <= 6; ref++) {
        answers[ref - 1] = far_wait(notary, EST_EVENT_REFUSED, .ref = ref);
        assert_int_equal(answers[ref - 1]->code, EST_NOT_FOUND);
        assert_int_equal(answers[ref - 1]->text.size, answers[0]->text.size);
        assert_memory_equal(answers[ref - 1]->text.data, answers[0]->text.data, answers[0]->text.size);
    }
    est_id_new(&none);
    far_ask(notary, "plot.use", "1-1-1", NULL, &id, (est_time){0}); /* the same id is another inquiry */
    assert_true(far_wait(notary, EST_EVENT_ACCEPTED, .id = &id)->number != number);
    assert_int_equal(far_status(portal, &id, 0)->state, EST_STATE_WAITING);
    town_end(town);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(unknown_key_is_refused),
        CLAIM(another_accounts_public_key_without_its_secret_is_refused),
        CLAIM(wrong_server_key_gets_nobody_in),
        CLAIM(plain_client_is_refused_by_a_curve_broker),
        CLAIM(who_comes_without_curve_is_told),
        CLAIM(null_client_is_refused),
        CLAIM(plain_names_and_keys_must_belong_together),
        CLAIM(key_of_one_role_is_refused_at_the_doors_of_the_others),
        CLAIM(key_outside_its_dates_is_refused),
        CLAIM(revoked_key_dies_on_its_open_connection_and_others_notice_nothing),
        CLAIM(key_whose_dates_a_reload_ends_dies_on_its_open_connection),
        CLAIM(key_that_another_account_gets_dies_on_its_open_connections),
        CLAIM(key_that_another_role_gets_before_hello_has_no_session),
        CLAIM(account_whose_right_is_taken_is_refused_and_stays_connected),
        CLAIM(requester_cannot_tell_a_foreign_inquiry_from_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
