/* The OpenAPI 3.1 document, written from the tables that the service itself works by: routes[],
 * sb_limit_info(), and openapi_tables.c for what a table can't enforce, the sentences and examples.
 */
#ifndef SERVE_OPENAPI_H
#define SERVE_OPENAPI_H

/* The document as JSON text. The caller frees it; NULL when memory is short. */
char *openapi_json(void);

#endif
