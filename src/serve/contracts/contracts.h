/* The contracts of the endpoints: what a request is called there, which policy it runs under, and
 * how a verdict is answered. One row each; nothing else in the service knows their forms. */
#ifndef SERVE_CONTRACTS_H
#define SERVE_CONTRACTS_H

#include "sandbox.h"

enum contract_id {
    NATIVE,         /* POST /run: also the small services that only send "code" */
    RUN_CODE,       /* POST /run_code */
    EXECUTE,        /* POST /execute with "code" */
    EXECUTE_SCRIPT, /* POST /execute with "script" */
    CONTRACTS
};

struct contract {
    const char *name;                 /* for messages: "POST /run" */
    const char *policy;               /* that it runs under when the request names none */
    const char *code;                 /* the field that holds the code */
    const char *call;                 /* the function whose value is wanted; NULL: none */
    unsigned status[SB_INTERNAL + 1]; /* HTTP status for each word of a verdict */
    /* Forms of the answer, in letters of contracts.c; NULL: native. */
    const char *success; /* the verdict is "ok" */
    const char *failure; /* it is not, and the status is 200 */
    const char *refusal; /* any other status */
    const char *refused; /* the request was not carried out: besides "status" and "field" */
};

extern const struct contract contracts[CONTRACTS];

/* The answer's body, and its status. `flags` are sb_verdict_json's, for the native form alone. The
 * caller frees it. NULL: no memory. */
char *contract_answer(enum contract_id id, const struct sb_verdict *verdict, unsigned flags,
                      unsigned *status);

/* The body for a request that is not carried out: {"status":"error","error","field"}, and what else
 * the contract's clients look for in a failure. `field` "": null. */
char *contract_refusal(enum contract_id id, const char *field, const char *message);

#endif
