/* view.h - what the broker says, as JSON: one function for each shape of the API.
 *
 * Fields have the protocol's names. Times are RFC 3339 in UTC in fields that end in `_at`; states,
 * outcomes and codes are names. Every field is there; one without a value is null.
 */
#ifndef GATEWAY_VIEW_H
#define GATEWAY_VIEW_H

#include "codec.h"

#include <estelam/client.h>
#include <jansson.h>

#define VIEW_TIME_SIZE 32 /* "2026-11-25T10:00:00.123456Z" */

json_t *view_text(est_slice); /* null when empty */
json_t *view_time(est_time);  /* null for none */
json_t *view_code(int code);  /* "AGENT_LOST"; null for OK */
json_t *view_id(const est_id *);
void view_time_format(est_time, char ret[VIEW_TIME_SIZE]);
/* RFC 3339 with an offset or Z, the fraction kept to microseconds; before 1970 it is negative. */
bool view_time_parse(const char *text, est_time *ret);
bool view_uint_parse(const char *text, uint64_t max, uint64_t *ret);

/* The rows of an event one after the other: est_row_*(…, index, …) walks from the first row to the index
 * each time, which makes a page of a thousand rows half a million steps. Each `one` is an event with a
 * single row, index 0, that lives until the next call.
 *
 *     struct each rows;
 *     each_open(&rows, event);
 *     while (each_next(&rows)) … est_row_queue(&rows.one, 0, &row) …
 *     each_close(&rows);
 */
struct each {
    est_event one;
    struct cursor cursor;
    struct buffer buffer;
    size_t left;
};
void each_open(struct each *, const est_event *);
bool each_next(struct each *);
void each_close(struct each *);

/* New references; NULL without memory. */
json_t *view_receipt(const est_event *);  /* EST_EVENT_ACCEPTED */
json_t *view_inquiry(const est_event *);  /* EST_EVENT_STATUS */
json_t *view_ended(const est_event *);    /* EST_EVENT_RESULT: what a webhook tells */
json_t *view_timeline(const est_event *); /* {id, number, rows} */
json_t *view_defects(const est_event *);  /* an array, empty where there is none */
/* {rows, next}: `row` makes one, NULL at the end. */
json_t *view_list(const est_event *, json_t *(*row)(const est_event *, size_t index));
json_t *view_queue_row(const est_event *, size_t);
json_t *view_agent_row(const est_event *, size_t);
json_t *view_parked_row(const est_event *, size_t);
json_t *view_stat_row(const est_event *, size_t);
json_t *view_key_row(const est_event *, size_t);
json_t *view_config_row(const est_event *, size_t);
json_t *view_counter_row(const est_event *, size_t);
json_t *view_find_row(const est_event *, size_t);
/* `reasons`: with the text, which is for operators. */
json_t *view_event(const est_event_row *, bool reasons);

#endif
