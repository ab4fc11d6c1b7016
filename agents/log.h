/* log.h - one line on standard error for each thing worth knowing.
 *
 * Under systemd (JOURNAL_STREAM is set) a line begins with its level as sd-daemon(3) has it.
 */
#ifndef LOG_H
#define LOG_H

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

/* printf-like; any thread. What comes from others is cleaned (clean.h) and begins no line of its own. */
void log_line(enum log_level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
