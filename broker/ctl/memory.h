/* memory.h - memory for a program that does one thing and ends: without it there is nothing left
 * to do, so running out says so and exits with EXIT_LOCAL instead of returning.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

void *memory_new(size_t count, size_t size); /* zeroed */
void *memory_grow(void *old, size_t count, size_t size);
char *memory_text(const void *data, size_t size); /* a copy with a zero byte */
void memory_free(void **);                        /* and nulls it */

#endif
