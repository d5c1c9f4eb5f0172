/* The answers to the cases of a graded run, and the answer as a whole: one JSON object, as POST
 * /run and sandbox-run --json give it. */
#ifndef SB_CASE_RESULTS_H
#define SB_CASE_RESULTS_H

#include "common/cases.h"

/* What the answers of all cases may take together. A case whose answer would not fit any more comes
 * without output, value, displays and files, and says so. */
#define CASES_JSON_BYTES (32 << 20)

struct case_result {
    char *json;         /* NULL: it has not ended */
    size_t native_size; /* of the native answer in it, without the brace at its end */
    enum case_grade grade;
    bool ran;          /* it has a verdict, */
    enum sb_word word; /* with this word */
};

struct case_results {
    struct case_result *results;
    size_t count, ended, passed;
    size_t *order;     /* the indices of those that have ended, in the order in which they did */
    size_t json_bytes; /* see CASES_JSON_BYTES */
    bool host_busy;    /* of the worst case */
    size_t worst;      /* of those that ran; see case_results_json */
    bool any_ran;
};

/* −1: out of memory. The caller frees them with case_results_free, even then. */
int case_results_open(struct case_results *results, size_t count);
void case_results_free(struct case_results *results);

/* A case has ended. `to_json` is sb_verdict_json, `flags` are for it. −1: out of memory. */
int case_results_put(struct case_results *results, size_t index, const struct graded_case *one,
                     const struct sb_verdict *verdict, enum case_grade grade, unsigned flags,
                     char *(*to_json)(const struct sb_verdict *verdict, unsigned flags));

/* A case has not run, or not to its end: its verdict is null, and `why` is its error. */
int case_results_leave_out(struct case_results *results, size_t index,
                           const struct graded_case *one, const char *id, const char *why);

/* A case's answer with its "index", for the event `case`. The caller frees it. NULL: out of memory.
 */
char *case_results_event(const struct case_results *results, size_t index);

/* The whole, once all cases have ended: the native fields of the worst one, "cases" and "passed".
 * The worst is the one with the last word in the order of enum sb_word; of these an incorrect one,
 * and of these the first. Frees the cases' answers. The caller frees the text. NULL: out of memory.
 */
char *case_results_json(struct case_results *results);

#endif
