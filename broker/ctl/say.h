/* say.h - remarks and errors, on standard error; data never goes through here.
 *
 * An error is one line, `estelam: CODE: sentence (layer) - what to do`, and under it one line for
 * each defect.
 */
#ifndef SAY_H
#define SAY_H

#include <estelam/client.h>
#include <estelam/types.h>

#include <stdbool.h>

struct complaints;

/* `advice` NULL: the code's own. The code may have either sign. */
void say_error(int code, const char *advice, const char *format, ...) __attribute__((format(printf, 3, 4)));
void say_remark(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_defect(const est_defect *);
/* From now on nothing is printed, and the first error goes into `keep` as a line without its end: for
 * a command whose standard output is all that anybody reads. */
void say_keep(char *keep, size_t size);
/* A refusal in full, its defects and when to try again. The exit status that goes with it. */
int say_refused(const est_event *);
/* `where: text` of each complaint, and how many found no room. */
void say_complaints(const struct complaints *);

/* Writes out what was printed: 0, or EXIT_LOCAL for a command that goes on and on and now has to end. Why is
 * kept, for say_unwritten at the program's end. */
int say_flush(void);
/* Was all that was printed written? If not, says so. */
bool say_unwritten(void);

/* The exit status of a command that ended with this code. */
int exit_of_code(int code);

#endif
