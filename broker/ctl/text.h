/* text.h - UTF-8 as a terminal shows it: widths, safe characters, direction.
 *
 * Text comes from other people's systems and is cleaned before anything is shown; see clean.h.
 */
#ifndef TEXT_H
#define TEXT_H

#include <clean.h> /* text_clean_in_place */
#include <estelam/types.h>

/* Takes the user's locale; where that has no UTF-8, UTF-8 all the same, or widths were unknown. */
void text_locale(void);

/* A copy that is valid UTF-8 without controls; line ends and tabs become blanks, other controls
 * and broken bytes U+FFFD. To be freed. */
char *text_clean(est_slice);

/* Columns on a terminal. The text must be clean. */
unsigned text_width(const char *);
/* Bytes of the longest beginning that takes at most `width` columns. */
size_t text_fit(const char *, unsigned width);
/* Is there a letter that is written from right to left? */
bool text_has_rtl(const char *);

#endif
