/* From a request to the route that answers it (dispatch.c). */
#ifndef SERVE_DISPATCH_H
#define SERVE_DISPATCH_H

struct incoming;

/* Once the header has arrived: refuses the request (answers), or finds its route or asset. */
void dispatch_admit(struct incoming *incoming, const char *version);

/* Once the body has arrived, too: lets the route or asset answer. */
void dispatch_run(struct incoming *incoming);

#endif
