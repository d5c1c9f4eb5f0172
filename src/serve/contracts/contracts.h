/* The contracts of the endpoints: the names of their fields, their policies, and the forms of their
 * answers. Each contract is one row; nothing else in the service knows the forms. */
#ifndef SERVE_CONTRACTS_H
#define SERVE_CONTRACTS_H

#include "sandbox.h"

enum contract_id {
    NATIVE,         /* POST /run */
    RUN_CODE,       /* POST /run_code */
    EXECUTE,        /* POST /execute with "code" */
    EXECUTE_SCRIPT, /* POST /execute with "script" */
    CONTRACTS
};

struct contract {
    const char *name;                 /* for messages: "POST /run" */
    const char *policy;               /* of a request that names none */
    const char *code;                 /* the field that holds the code */
    const char *call;                 /* the function whose value is the result; NULL: none */
    unsigned status[SB_INTERNAL + 1]; /* HTTP status for each word of a verdict */
    /* Forms of the answer, in the letters that contracts.c explains; NULL: native. */
    const char *success; /* the verdict is "ok" */
    const char *failure; /* any other verdict, with the status 200 */
    const char *refusal; /* any other verdict, with any other status */
    const char *refused; /* the request is not carried out; "status" and "field" are added */
};

extern const struct contract contracts[CONTRACTS];

/* The answer's body, and its status. `flags` are those of sb_verdict_json, for the native form
 * only. The caller frees the body. NULL: out of memory. */
char *contract_answer(enum contract_id id, const struct sb_verdict *verdict, unsigned flags,
                      unsigned *status);

/* The body for a request that is not carried out: {"status":"error","error":message,"field":field},
 * and the further fields that the contract's clients expect in a failure. `field` NULL or "": null.
 * The caller frees the body. NULL: out of memory. */
char *contract_refusal(enum contract_id id, const char *field, const char *message);

#endif
