/* flights.c - see flights.h. */
#include "flights.h"

#include <stdlib.h>
#include <string.h>

int flights_make(struct flights *f, const struct part *part) {
    *f = (struct flights){.part = part, .deep = part->index == 0 ? part->plan->depth : 0};
    f->window = part->plan->window + f->deep;
    f->all = calloc(f->window, sizeof *f->all);
    f->idle = calloc(f->window, sizeof *f->idle);
    if (!f->all || !f->idle)
        return -EST_NO_MEMORY;
    for (; f->counter < f->deep; f->counter++)
        f->all[f->counter] = (struct flight){.counter = f->counter, .open = true, .accepted = true};
    for (uint32_t i = f->deep; i < f->window; i++)
        f->idle[f->idle_count++] = i;
    part->score->submitted = part->score->accepted = f->deep;
    return 0;
}

void flights_done(struct flights *f) {
    free(f->all);
    free(f->idle);
}

bool flight_next(const struct flights *f, int64_t now_us, struct ticket *ret) {
    if (f->idle_count == 0 || now_us >= f->part->board->until_us)
        return false;
    *ret = (struct ticket){
        .requester = f->part->index, .flight = f->idle[f->idle_count - 1], .counter = f->counter};
    return true;
}

void flight_depart(struct flights *f, const struct ticket *t, int64_t now_us) {
    f->all[t->flight] = (struct flight){.counter = t->counter, .open = true, .sent_us = now_us};
    f->counter++;
    f->idle_count--;
    f->part->score->submitted++;
}

struct flight *flight_find(struct flights *f, const struct ticket *t) {
    if (t->requester != f->part->index || t->flight >= f->window)
        return NULL;
    struct flight *flight = &f->all[t->flight];
    return flight->open && flight->counter == t->counter ? flight : NULL;
}

void flight_land(struct flights *f, const struct ticket *t, int64_t now_us) {
    struct score *score = f->part->score;
    struct flight *flight = flight_find(f, t);
    if (!flight) {
        score->doubled++;
        return;
    }
    int64_t sent_us = flight->sent_us > 0 ? flight->sent_us : f->part->board->from_us;
    if (now_us >= f->part->board->from_us && now_us < f->part->board->until_us)
        histogram_add(&score->latency, (uint64_t)(now_us - sent_us));
    score->answered++;
    flight->open = false;
    f->idle[f->idle_count++] = t->flight;
}

bool flights_are_over(const struct flights *f, int64_t now_us) {
    return now_us >= f->part->board->until_us && f->idle_count == f->window;
}

/* --- Letters --------------------------------------------------------------------------------------- */

static const uint32_t letter_mark = 0x4c745345;

int letter_make(struct letter *letter, unsigned body, bool reply) {
    struct bodies bodies;
    int code = bodies_make(&bodies, body, reply);
    *letter = (struct letter){0};
    if (code == 0)
        letter->bytes = malloc(TICKET_SIZE + bodies.at[0].size);
    if (letter->bytes) {
        letter->size = TICKET_SIZE + bodies.at[0].size;
        memset(letter->bytes, 0, TICKET_SIZE);
        memcpy(letter->bytes + TICKET_SIZE, buffer_slice(&bodies.at[0]).data, bodies.at[0].size);
    }
    bodies_done(&bodies);
    return letter->bytes ? 0 : -EST_NO_MEMORY;
}

void letter_done(struct letter *letter) {
    free(letter->bytes);
    *letter = (struct letter){0};
}

/* Both ends are on this machine, so its own order of bytes will do. */
void ticket_write(char *to, const struct ticket *t) {
    const uint32_t words[] = {letter_mark, t->requester, t->flight, t->counter};
    memcpy(to, words, sizeof words);
}

bool ticket_read(const char *from, size_t size, struct ticket *ret) {
    uint32_t words[TICKET_SIZE / sizeof(uint32_t)];
    if (size <= TICKET_SIZE)
        return false;
    memcpy(words, from, sizeof words);
    if (words[0] != letter_mark || words[1] >= PLAYERS_MAX)
        return false;
    *ret = (struct ticket){.requester = words[1], .flight = words[2], .counter = words[3]};
    return true;
}
