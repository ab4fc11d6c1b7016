/* clean.h - text of other people's systems, for a terminal or a log.
 *
 * A control character could repaint a terminal or begin a line of a log that nobody wrote, and one that changes the
 * direction could turn a line around: they are replaced before anything is shown.
 */
#ifndef CLEAN_H
#define CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One character: its bytes, 1 where they are no UTF-8, and then *ret is U+FFFD. */
size_t char_next(const uint8_t *at, size_t left, uint32_t *ret);
/* Tabs and ends of lines. */
bool char_is_blank(uint32_t c);
/* C0, C1, DEL and the controls that change the direction of what follows. The zero-width
 * non-joiner stays: Persian words are spelled with it. */
bool char_is_control(uint32_t c);

/* Blanks become spaces, controls and what is no UTF-8 question marks; never longer than before. */
void text_clean_in_place(char *text);

#endif
