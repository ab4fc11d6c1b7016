/* apart.h - reads a store in a process of its own, which its pages may kill. */
#ifndef APART_H
#define APART_H

#include "check.h"

/* 0, or -EST_NOT_FOUND: nothing of a store is in this folder. */
int apart_look(const char *directory, struct store_check *ret);

/* In the child. As store_check_folder: 0 with `ret->damaged`, or a code with its sentence. */
typedef int apart_work(const void *argument, struct store_check *ret);
/* What the work left, or that its pages led nowhere: damaged. `ret->table` is "" before it. */
int apart_run(apart_work *, const void *argument, struct store_check *ret);

/* For the work: opens for reading. Not 0: `ret` says why, or that it is damaged. */
int apart_open(const char *directory, struct store **, struct store_check *ret);
/* Writes the sentence and returns `code`. */
int apart_fail(struct store_check *ret, int code, const char *sentence, const char *more);

#endif
