/* What a person at the terminal is told before there is a log. */
#ifndef SERVE_MESSAGE_H
#define SERVE_MESSAGE_H

/* "sandbox-serve: …" on stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
