/* system.h - what broker/main.c and broker/loop.c call here in place of the system.
 *
 * The names are changed by the compiler's command line (see CMakeLists.txt), so that the sources
 * are compiled as they are.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <catalogue.h>

#include <sys/types.h>
#include <time.h>

int system_clock(clockid_t, struct timespec *ret);
ssize_t system_read(int fd, void *data, size_t size);
int system_catalogue_load(const char *path, struct catalogue **ret, struct complaints *);
void system_catalogue_free(struct catalogue **);

#endif
