/* feed.c - see feed.h. */
#include "feed.h"
#include "codec.h"
#include "guard.h"
#include "log.h"
#include "route.h"
#include "shelf.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RING = 8192,         /* events kept for streams that are nearly up to date */
    PAGE = 1000,         /* of the follower */
    CATCH_UP_PAGE = 200, /* of one stream */
    OUT_MAX = 64 * 1024, /* bytes of one stream made at once, but for rows of one seq */
    POLL_MS = 100,       /* between looks where there is nothing new */
    TICK_MS = 250,       /* keep-alives and tokens */
    TOKENS_MS = 5000,
    RETRY_MS = 1000, /* after a look that failed */
};
#define FROM_NOW UINT64_MAX /* the cursor of a stream that waits for the follower's place */

struct entry {
    uint64_t seq;
    int requester; /* its place in the configuration; -1: of another program */
    bool confidential;
    char department[EST_NAME_MAX + 1];
    char *full, *plain; /* of event_text: for operators, for the requester; NULL where nobody would read it */
};

enum stream_state {
    STREAM_BEHIND, /* older than the ring: the broker is asked */
    STREAM_ASKING, /* parked until it has answered */
    STREAM_LIVE,   /* reads the ring */
};

struct stream {
    struct ask ask; /* catching up */
    struct feed *feed;
    struct request *request;
    struct stream *next, *previous;
    enum stream_state state;
    bool parked, ending, greeted, operator_;
    bool reached; /* the broker's log was seen to reach the cursor, though the follower has not come there */
    int account;
    char token_id[TOKEN_ID_SIZE];
    char department[EST_NAME_MAX + 1]; /* "": all */
    uint64_t cursor;                   /* seq of the last event seen, its own or not */
    uint64_t index;                    /* LIVE: of the next entry, counted from the feed's beginning */
    char *out;                         /* made and not sent yet */
    size_t out_size, out_sent, row_at; /* row_at: where the last row in it begins */
    uint64_t row_seq;                  /* of that row; 0: there is none */
    int64_t wrote_us;
};

struct feed {
    struct gateway *gateway;
    struct line *line;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t news;  /* a stream came, an answer came, the end */
    struct stream *streams;
    size_t streams_count, operators, of_account[ACCOUNTS_MAX];
    uint64_t made_from[ACCOUNTS_MAX]; /* this account's streams find their texts in the ring from here on */
    struct entry ring[RING];
    uint64_t total;      /* entries that ever were; the ring holds the last of them */
    uint64_t ring_from;  /* the ring is complete for every place from this seq on */
    uint64_t position;   /* the follower's `after` */
    est_time configured; /* the broker's word on what is confidential that the ring goes by */
    bool positioned, stopping;
    struct ask ask;
    bool asking, asked_head;
    int64_t next_look_us, tokens_looked_us;
    unsigned tokens_version;
};

/* --- Entries ----------------------------------------------------------------------------------- */

/* As it is sent, the id in the first line: see out_row. */
static char *event_text(const est_event_row *row, bool reasons) {
    json_t *json = view_event(row, reasons);
    char *data = json ? json_dumps(json, JSON_COMPACT) : NULL, *text = NULL;
    json_decref(json);
    if (data &&
        asprintf(&text, "id: %llu\nevent: inquiry\ndata: %s\n\n", (unsigned long long)row->seq, data) < 0)
        text = NULL;
    free(data);
    return text;
}

static void entry_fill(const struct feed *feed, struct entry *entry, const est_event_row *row) {
    free(entry->full);
    free(entry->plain);
    entry->seq = row->seq;
    entry->requester = config_account(&feed->gateway->config, row->requester);
    entry->confidential = row->confidential;
    snprintf(entry->department, sizeof entry->department, "%.*s", (int)row->department.size,
             (const char *)row->department.data);
    entry->full = feed->operators ? event_text(row, true) : NULL;
    entry->plain =
        entry->requester >= 0 && feed->of_account[entry->requester] ? event_text(row, false) : NULL;
}

/* The feed's account may be an administrator's, and whoever reads here is not: a requester sees its own, an
 * operator what the broker would tell it by its own level. */
static bool is_for(const struct stream *s, int requester, bool confidential) {
    if (!s->operator_)
        return requester == s->account;
    return !confidential || line_level(s->request->line) >= EST_LEVEL_ADMINISTRATOR;
}

static const char *entry_for(const struct stream *s, const struct entry *entry) {
    if (!is_for(s, entry->requester, entry->confidential))
        return NULL;
    if (s->department[0] && strcmp(s->department, entry->department) != 0)
        return NULL;
    return s->operator_ ? entry->full : entry->plain;
}

/* --- Streams: under the lock ------------------------------------------------------------------- */

static void stream_wake(struct stream *s) {
    if (!s->parked || s->state == STREAM_ASKING)
        return;
    s->parked = false;
    request_resume(s->request);
}

static void stream_park(struct stream *s) {
    s->parked = true;
    MHD_suspend_connection(s->request->connection);
}

/* Without memory the stream ends, and nothing is put behind what is missing. */
static void out_put(struct stream *s, const char *text) {
    size_t size = strlen(text);
    char *grown = s->ending ? NULL : realloc(s->out, s->out_size + size);
    if (!grown) {
        s->ending = true;
        return;
    }
    s->out = grown;
    memcpy(s->out + s->out_size, text, size);
    s->out_size += size;
}

static void out_clear(struct stream *s) {
    free(s->out);
    s->out = NULL;
    s->out_size = s->out_sent = 0;
    s->row_seq = 0;
}

/* Rows of one seq, of inquiries acknowledged together, bear its id on the last alone: a reader that is cut
 * short among them comes back with the id before, for all of them. So a row takes it from the one before. */
static void out_row(struct stream *s, uint64_t seq, const char *text) {
    if (s->ending)
        return;
    if (s->row_seq == seq) {
        char *row = s->out + s->row_at;
        size_t id_size = strcspn(row, "\n") + 1;
        s->out_size -= id_size;
        memmove(row, row + id_size, s->out_size - s->row_at);
    }
    s->row_seq = seq;
    s->row_at = s->out_size;
    out_put(s, text);
}

/* An id without data is no event, but it is what the reader comes back with: so a quiet stream does
 * not have to look through all that was none of its own. */
static void out_place(struct stream *s, const char *comment) {
    char text[96];
    if (s->cursor == FROM_NOW)
        snprintf(text, sizeof text, ": %s\n\n", comment);
    else
        snprintf(text, sizeof text, ": %s\nid: %llu\n\n", comment, (unsigned long long)s->cursor);
    out_put(s, text);
}

/* The log ends before the cursor: an older copy of the store was put back. What the reader was told above the
 * head is not in the log any more, and the numbers are given again to other events; so it is told, and goes on
 * from the head, instead of waiting until the log has passed its place. */
static void stream_turn_back(struct stream *s, uint64_t head) {
    char text[160];
    snprintf(text, sizeof text, "event: reset\nid: %llu\ndata: {\"after\":%llu,\"head\":%llu}\n\n",
             (unsigned long long)head, (unsigned long long)s->cursor, (unsigned long long)head);
    out_put(s, text);
    s->row_seq = 0;
    s->cursor = head;
    s->reached = true;
}

/* The ring's first entry after the cursor. */
static void stream_go_live(struct stream *s) {
    const struct feed *feed = s->feed;
    uint64_t low = feed->total > RING ? feed->total - RING : 0, high = feed->total;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (feed->ring[middle % RING].seq <= s->cursor)
            low = middle + 1;
        else
            high = middle;
    }
    s->index = low;
    s->state = STREAM_LIVE;
}

static bool stream_may_live(const struct stream *s) {
    const struct feed *feed = s->feed;
    return feed->positioned && s->cursor >= feed->ring_from && s->cursor >= feed->made_from[s->account] &&
           (s->cursor <= feed->position || s->reached);
}

/* Rows of one seq go together: the ring never ends among them, since no page of the broker does. */
static void stream_gather(struct stream *s) {
    struct feed *feed = s->feed;
    uint64_t seen = s->cursor;
    if (feed->total - s->index > RING) { /* it did not read, and what it missed is gone from here */
        s->ending = true;
        return;
    }
    for (; s->index < feed->total; s->index++) {
        const struct entry *entry = &feed->ring[s->index % RING];
        if (s->out_size >= OUT_MAX && entry->seq != s->cursor)
            break;
        if (entry->seq <= seen) /* the stream's own question had been quicker than the follower */
            continue;
        const char *text = entry_for(s, entry);
        s->cursor = entry->seq;
        if (text)
            out_row(s, entry->seq, text);
    }
    if (s->index == feed->total && feed->position > s->cursor)
        s->cursor = feed->position;
}

/* --- Catching up ------------------------------------------------------------------------------- */

static int catch_up_send(struct ask *ask, est_client *client, uint64_t ref) {
    struct stream *s = (struct stream *)ask;
    return est_client_events(client, ref, s->department[0] ? s->department : NULL, s->cursor, CATCH_UP_PAGE);
}

static void catch_up_rows(struct stream *s, const est_event *event) {
    struct each rows;
    est_event_row row;
    each_open(&rows, event);
    while (each_next(&rows) && est_row_event(&rows.one, 0, &row)) {
        bool own = is_for(s, config_account(&s->feed->gateway->config, row.requester), row.confidential);
        char *text = own ? event_text(&row, s->operator_) : NULL;
        if (text)
            out_row(s, row.seq, text);
        else if (own)
            s->ending = true;
        free(text);
        if (row.seq > s->cursor)
            s->cursor = row.seq;
    }
    each_close(&rows);
    s->cursor = event->next > s->cursor ? event->next : s->cursor;
    if (event->head < s->cursor)
        stream_turn_back(s, event->head);
    s->reached = true;
}

static void catch_up_done(struct ask *ask, const est_event *event) {
    struct stream *s = (struct stream *)ask;
    pthread_mutex_lock(&s->feed->lock);
    s->state = STREAM_BEHIND;
    if (event->kind == EST_EVENT_EVENTS)
        catch_up_rows(s, event);
    else
        s->ending = true; /* the reader comes back, and is told then */
    if (stream_may_live(s))
        stream_go_live(s);
    stream_wake(s);
    pthread_mutex_unlock(&s->feed->lock);
}

static void stream_catch_up(struct stream *s) {
    s->state = STREAM_ASKING;
    s->ask = (struct ask){.send = catch_up_send, .done = catch_up_done};
}

/* --- What libmicrohttpd asks for --------------------------------------------------------------- */

static ssize_t out_send(struct stream *s, char *ret, size_t max) {
    size_t size = s->out_size - s->out_sent;
    if (size > max)
        size = max;
    memcpy(ret, s->out + s->out_sent, size);
    s->out_sent += size;
    if (s->out_sent == s->out_size)
        out_clear(s);
    s->wrote_us = gateway_ticks_us();
    return (ssize_t)size;
}

/* Moves the stream on; true when it is parked with a question to the broker. */
static bool stream_move(struct stream *s) {
    struct feed *feed = s->feed;
    if (feed->positioned && s->cursor == FROM_NOW)
        s->cursor = feed->ring_from;
    if (s->state == STREAM_BEHIND && stream_may_live(s))
        stream_go_live(s);
    if (s->state == STREAM_LIVE)
        stream_gather(s);
    if (s->state == STREAM_LIVE && !s->greeted && !s->out_size) {
        out_place(s, "live");
        s->greeted = true;
    }
    if (s->out_size || s->ending)
        return false;
    bool ask = s->state == STREAM_BEHIND && feed->positioned;
    if (ask)
        stream_catch_up(s);
    stream_park(s);
    return ask;
}

static ssize_t stream_read(void *arg, uint64_t place, char *ret, size_t max) {
    struct stream *s = arg;
    ssize_t size = 0;
    bool ask = false;
    (void)place;
    pthread_mutex_lock(&s->feed->lock);
    if (!s->out_size && !s->ending)
        ask = stream_move(s);
    if (s->out_size)
        size = out_send(s, ret, max);
    else if (s->ending)
        size = MHD_CONTENT_READER_END_OF_STREAM;
    pthread_mutex_unlock(&s->feed->lock);
    if (ask) /* its answer may come at once, and takes the lock */
        line_ask(s->feed->line, &s->ask);
    return size;
}

/* --- The follower ------------------------------------------------------------------------------ */

static int follow_send(struct ask *ask, est_client *client, uint64_t ref) {
    struct feed *feed = (struct feed *)((char *)ask - offsetof(struct feed, ask));
    return est_client_events(client, ref, NULL, feed->asked_head ? 0 : feed->position,
                             feed->asked_head ? 1 : PAGE);
}

/* Which accounts the new entries concern, so that nobody else is woken. */
static uint64_t follow_rows(struct feed *feed, const est_event *event) {
    uint64_t accounts = 0;
    struct each rows;
    est_event_row row;
    each_open(&rows, event);
    while (each_next(&rows) && est_row_event(&rows.one, 0, &row)) {
        struct entry *entry = &feed->ring[feed->total++ % RING];
        if (feed->total > RING && entry->seq > feed->ring_from)
            feed->ring_from = entry->seq; /* of the one that goes */
        entry_fill(feed, entry, &row);
        if (row.seq > feed->position)
            feed->position = row.seq;
        if (entry->requester >= 0)
            accounts |= 1ull << entry->requester;
    }
    each_close(&rows);
    return accounts;
}

/* As stream_turn_back, for everybody. A stream that has asked is told by its answer. */
static void feed_turn_back(struct feed *feed, uint64_t head) {
    log_line(LOG_LEVEL_WARNING,
             "the broker's log ends at event %llu, and events up to %llu were followed: an older copy of its store "
             "was put back; event streams are told, and go on from there",
             (unsigned long long)head, (unsigned long long)feed->position);
    feed->position = feed->ring_from = head;
    feed->total = 0;
    for (size_t i = 0; i < ACCOUNTS_MAX; i++)
        if (feed->made_from[i] > head)
            feed->made_from[i] = head;
    for (struct stream *s = feed->streams; s; s = s->next) {
        s->reached = false;
        if (s->state == STREAM_ASKING)
            continue;
        s->state = STREAM_BEHIND; /* the ring it read is gone */
        if (s->cursor != FROM_NOW && s->cursor > head)
            stream_turn_back(s, head);
        stream_wake(s);
    }
}

/* What the ring says of its entries may be so no longer: from here on they are given by the broker again, to
 * whoever has not read them. */
static void ring_forget(struct feed *feed) {
    feed->ring_from = feed->position;
    for (struct stream *s = feed->streams; s; s = s->next)
        if (s->state == STREAM_LIVE && s->index < feed->total)
            s->state = STREAM_BEHIND;
}

static void follow_took(struct feed *feed, const est_event *event) {
    if (event->at.us != feed->configured.us)
        ring_forget(feed);
    feed->configured = event->at;
    uint64_t before = feed->total, accounts = follow_rows(feed, event);
    bool first = !feed->positioned;
    if (event->next > feed->position)
        feed->position = event->next;
    for (struct stream *s = feed->streams; s; s = s->next)
        if (first || (feed->total > before && (s->operator_ || accounts >> s->account & 1)))
            stream_wake(s);
        else if (s->parked && s->state == STREAM_LIVE) { /* nothing of that was its own */
            s->index = feed->total;
            if (feed->position > s->cursor) /* its own question may have been quicker */
                s->cursor = feed->position;
        }
    feed->positioned = true;
    feed->next_look_us = event->next < event->head ? 0 : gateway_ticks_us() + POLL_MS * EST_US_PER_MS;
}

static void follow_done(struct ask *ask, const est_event *event) {
    struct feed *feed = (struct feed *)((char *)ask - offsetof(struct feed, ask));
    pthread_mutex_lock(&feed->lock);
    feed->asking = false;
    if (event->kind != EST_EVENT_EVENTS) {
        feed->next_look_us = gateway_ticks_us() + RETRY_MS * EST_US_PER_MS;
    } else if (feed->asked_head) { /* from now on; what was before, each stream asks for itself */
        feed->position = feed->ring_from = event->head;
        feed->asked_head = false;
        feed->next_look_us = 0;
    } else if (event->head < feed->position) {
        feed_turn_back(feed, event->head);
        feed->next_look_us = 0;
    } else {
        follow_took(feed, event);
    }
    pthread_cond_signal(&feed->news);
    pthread_mutex_unlock(&feed->lock);
}

/* Nobody has listened for a while: the place is given up, so that the next one does not begin with
 * everything that happened in between. */
static void feed_rest(struct feed *feed) {
    feed->positioned = false;
    feed->total = 0;
    feed->asked_head = true;
    while (!feed->streams && !feed->stopping)
        pthread_cond_wait(&feed->news, &feed->lock);
}

/* Tokens are looked at again when their file changed, and now and then because of their dates. */
static bool tokens_are_due(struct feed *feed, int64_t now) {
    unsigned version = guard_version(feed->gateway->guard);
    if (version == feed->tokens_version && now - feed->tokens_looked_us < TOKENS_MS * EST_US_PER_MS)
        return false;
    feed->tokens_version = version;
    feed->tokens_looked_us = now;
    return true;
}

/* What it has not sent is given up; one that is parked with a question ends with its answer. */
static void stream_revoke(struct stream *s) {
    s->ending = true;
    out_clear(s);
}

static void feed_tick(struct feed *feed) {
    int64_t now = gateway_ticks_us(), silence = feed->gateway->config.limits.keep_alive;
    bool tokens = tokens_are_due(feed, now);
    for (struct stream *s = feed->streams; s; s = s->next) {
        bool quiet = s->parked && s->state != STREAM_ASKING;
        if (tokens && !guard_knows(feed->gateway->guard, s->token_id))
            stream_revoke(s);
        else if (quiet && now - s->wrote_us > silence)
            out_place(s, "keep-alive");
        if (s->ending || s->out_size)
            stream_wake(s);
    }
}

static void feed_wait(struct feed *feed) {
    struct timespec until;
    int64_t now = gateway_ticks_us(), pause = TICK_MS * EST_US_PER_MS;
    if (!feed->asking && feed->next_look_us - now < pause)
        pause = feed->next_look_us - now;
    if (pause <= 0)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += pause % EST_US_PER_S * 1000;
    until.tv_sec += pause / EST_US_PER_S + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&feed->news, &feed->lock, &until);
}

static void *feed_run(void *arg) {
    struct feed *feed = arg;
    int64_t ticked = 0;
    pthread_mutex_lock(&feed->lock);
    while (!feed->stopping) {
        int64_t now = gateway_ticks_us();
        if (!feed->streams && !feed->asking)
            feed_rest(feed);
        if (!feed->asking && !feed->stopping && now >= feed->next_look_us) {
            feed->asking = true;
            feed->ask = (struct ask){.send = follow_send, .done = follow_done};
            pthread_mutex_unlock(&feed->lock);
            line_ask(feed->line, &feed->ask);
            pthread_mutex_lock(&feed->lock);
        }
        if (now - ticked >= TICK_MS * EST_US_PER_MS) {
            ticked = now;
            feed_tick(feed);
        }
        if (!feed->stopping)
            feed_wait(feed);
    }
    pthread_mutex_unlock(&feed->lock);
    return NULL;
}

/* --- A stream begins and ends ------------------------------------------------------------------ */

static void stream_free(void *work) {
    struct stream *s = work;
    struct feed *feed = s->feed;
    pthread_mutex_lock(&feed->lock);
    *(s->previous ? &s->previous->next : &feed->streams) = s->next;
    if (s->next)
        s->next->previous = s->previous;
    feed->streams_count--;
    feed->operators -= s->operator_;
    feed->of_account[s->account]--;
    pthread_mutex_unlock(&feed->lock);
    free(s->out);
    free(s);
}

/* Last-Event-ID, or ?after= for those who cannot set headers. Neither: from now on. */
static bool stream_place(struct request *r, bool *ret_given, uint64_t *ret) {
    const char *last = request_header_get(r, "Last-Event-ID");
    *ret_given = last || request_query(r, "after");
    if (!last)
        return request_query_uint(r, "after", INT64_MAX, ret);
    if (view_uint_parse(last, INT64_MAX, ret))
        return true;
    request_problem(r, GW_INVALID_HEADER, "Last-Event-ID: is the id of an event, a whole number");
    return false;
}

/* Of a department that is none nothing would ever come. The broker's own words for its lists. */
static bool department_is_good(struct request *r) {
    const char *name = request_query(r, "department");
    if (!name || !*name || shelf_may_have_department(r->gateway->shelf, name))
        return true;
    request_problem(r, EST_INVALID_FIELD, "department: no `%s`", name);
    return false;
}

static struct stream *stream_new(struct request *r) {
    const char *department = request_query(r, "department");
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->feed = r->gateway->feed;
    s->request = r;
    s->operator_ = line_role(r->line) == ROLE_OPERATOR_BIT;
    s->account = config_account(&r->gateway->config, slice_of(line_account(r->line)));
    s->wrote_us = gateway_ticks_us();
    memcpy(s->token_id, r->token_id, sizeof s->token_id);
    snprintf(s->department, sizeof s->department, "%s", department ? department : "");
    out_put(s, "retry: 2000\n\n");
    return s;
}

/* Texts are made for whoever listens. The first of an account, or of the operators, finds none of what
 * came before it; that it asks the broker for. */
static void made_from_now(struct stream *s) {
    struct feed *feed = s->feed;
    for (size_t i = 0; i < ACCOUNTS_MAX; i++)
        if ((int)i == s->account || (s->operator_ && i < feed->gateway->config.accounts_count &&
                                     feed->gateway->config.accounts[i].role == ROLE_OPERATOR_BIT))
            feed->made_from[i] = feed->positioned ? feed->position : 0;
}

/* A stream from now on takes the follower's place; before there is one, it waits for it. */
static bool stream_join(struct stream *s, bool place_given, uint64_t place) {
    struct feed *feed = s->feed;
    const struct limits *limits = &feed->gateway->config.limits;
    pthread_mutex_lock(&feed->lock);
    bool room = (int64_t)feed->streams_count < limits->streams &&
                (int64_t)feed->of_account[s->account] < limits->streams_per_account && !feed->stopping;
    if (room) {
        s->cursor = place_given ? place : feed->positioned ? feed->position : FROM_NOW;
        s->next = feed->streams;
        if (s->next)
            s->next->previous = s;
        feed->streams = s;
        feed->streams_count++;
        if (!(s->operator_ ? feed->operators : feed->of_account[s->account]))
            made_from_now(s);
        feed->operators += s->operator_;
        feed->of_account[s->account]++;
        pthread_cond_signal(&feed->news);
    }
    pthread_mutex_unlock(&feed->lock);
    return room;
}

void handle_events(struct request *r) {
    uint64_t place = 0;
    bool given;
    struct line *line = gateway_feed_line(r->gateway);
    if (!line || (line_is_up(line) && line_level(line) < EST_LEVEL_OPERATOR)) {
        request_problem(r, GW_NO_OPERATOR, "events are followed by an operator's account");
        return;
    }
    if (line_role(r->line) == ROLE_OPERATOR_BIT && !line_is_up(r->line)) {
        request_problem(r, EST_UNREACHABLE, "the account's level is not known yet");
        return;
    }
    if (!stream_place(r, &given, &place) || !department_is_good(r))
        return;
    if (r->is_head) { /* the library would end a stream that nobody reads with a last chunk: the next answer's first bytes */
        request_empty(r, MHD_HTTP_OK);
        request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
        return;
    }
    struct stream *s = stream_new(r);
    if (!s || !stream_join(s, given, place)) {
        if (s)
            free(s->out);
        free(s);
        request_problem(r, s ? GW_STREAMS_FULL : EST_NO_MEMORY, "%s", "");
        return;
    }
    r->work = s;
    r->work_free = stream_free;
    r->streaming = true;
    request_response(r, MHD_HTTP_OK,
                     MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_read, s, NULL));
    request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    request_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    request_header(r, "X-Accel-Buffering", "no");
}

/* --- Its life ---------------------------------------------------------------------------------- */

struct feed *feed_new(struct gateway *gateway) {
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return NULL;
    feed->gateway = gateway;
    feed->line = gateway_feed_line(gateway);
    feed->asked_head = true;
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->news, NULL);
    return feed;
}

int feed_start(struct feed *feed) {
    if (!feed->line)
        return 0;
    feed->started = pthread_create(&feed->thread, NULL, feed_run, feed) == 0;
    return feed->started ? 0 : -EST_IO;
}

void feed_stop(struct feed *feed) {
    pthread_mutex_lock(&feed->lock);
    feed->stopping = true;
    for (struct stream *s = feed->streams; s; s = s->next) {
        s->ending = true;
        stream_wake(s);
    }
    pthread_cond_signal(&feed->news);
    pthread_mutex_unlock(&feed->lock);
    if (feed->started)
        pthread_join(feed->thread, NULL);
    feed->started = false;
}

void feed_free(struct feed **feed) {
    struct feed *f = *feed;
    if (!f)
        return;
    for (size_t i = 0; i < RING; i++) {
        free(f->ring[i].full);
        free(f->ring[i].plain);
    }
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->news);
    free(f);
    *feed = NULL;
}

size_t feed_streams(struct feed *feed) {
    pthread_mutex_lock(&feed->lock);
    size_t count = feed->streams_count;
    pthread_mutex_unlock(&feed->lock);
    return count;
}
