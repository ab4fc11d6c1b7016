/* heap.h - memory for a program that does one thing and ends: without it there is nothing left
 * to do, so running out says so and exits with EXIT_LOCAL instead of returning.
 */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>

void *heap_new(size_t count, size_t size); /* zeroed */
void *heap_grow(void *old, size_t count, size_t size);
char *heap_text(const void *data, size_t size); /* a copy with a zero byte */
void heap_free(void **);                        /* and nulls it */

#endif
