/* From a request to the route that answers it (dispatch.c). */
#ifndef SERVE_DISPATCH_H
#define SERVE_DISPATCH_H

struct incoming;

/* When the header is there: refuses (answers), or finds who will answer. */
void dispatch_admit(struct incoming *incoming, const char *version);

/* When the body is there too. */
void dispatch_run(struct incoming *incoming);

#endif
