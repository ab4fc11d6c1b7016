/* exec_message.h - an inquiry as one line of JSON, and the program's JSON as a verdict.
 *
 * The same texts serve both modes. An object out of the program has closed keys: one that is
 * misspelt would otherwise lose a part of the answer without a word.
 */
#ifndef EXEC_MESSAGE_H
#define EXEC_MESSAGE_H

#include <estelam/agent.h>

/* A new string that ends with a newline; NULL: no memory. */
char *exec_inquiry_line(const est_inquiry *);
/* Reads {"outcome": ..} or {"retry": why} or {"refuse": why}. Whatever is wrong with it becomes
 * a retry whose sentence says so. */
est_verdict exec_answer_read(est_slice text, est_answer *out);

#endif
