/* fuzz.h - what the fuzz targets share: the entry point, claims, text, and a folder of their own.
 *
 * A target is one file with one function, LLVMFuzzerTestOneInput. Linked with replay.c it is a
 * test that any compiler builds; linked with libFuzzer it looks for new inputs by itself.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <estelam/types.h>

/* Runs one input; always 0. An input that breaks a claim ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input was. The sentence says what went wrong. */
#define CLAIM(fact, sentence) ((fact) ? (void)0 : claim_fail(__FILE__, __LINE__, #fact, sentence))
_Noreturn void claim_fail(const char *file, int line, const char *fact, const char *sentence);

/* The bytes with a zero byte after them; bytes behind the first zero byte cannot be seen. Until the
 * next call. */
char *fuzz_text(est_slice);
/* Cuts the first line off: its text without the line end. *rest is what follows. */
est_slice fuzz_line(est_slice *rest);
/* Cuts the first word off a line whose words stand between single blanks. */
est_slice fuzz_word(est_slice *line);
bool fuzz_is(est_slice, const char *text);

/* A folder of this process, in memory where that is possible; removed when the program ends. */
const char *fuzz_folder(void);
/* A path in it. Until four other calls. */
const char *fuzz_path(const char *name);
/* Writes a whole file there, mode 0600. */
void fuzz_write(const char *name, est_slice bytes);

/* A whole file of the tree, never freed. */
est_slice fuzz_file(const char *path);

/* What the code under test prints on standard error is of no interest from now on; claims and
 * sanitizers are still heard. */
void fuzz_quiet(void);

#endif
