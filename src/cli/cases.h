/* --cases: one script, run once for each case of a file; a table of how each ended, the native
 * answer with --json, and JUnit's XML with --junit. The same wherever the cases ran. */
#ifndef CLI_CASES_H
#define CLI_CASES_H

#include "cli/presenter.h"
#include "common/case_results.h"

struct case_run {
    struct presenter *presenter;
    char *text;               /* of the file, as one JSON object */
    struct json_object *file; /* that the cases point into */
    struct cases cases;
    struct case_results results;
    char **rows; /* of the table: those that are to be printed */
    char **xml;  /* of --junit, else NULLs */
    size_t shown;
    size_t failed, errors, left_out; /* errors: of the failed, those that are the sandbox's */
    int64_t time_us;                 /* of all cases together */
    int junit;                       /* descriptor of its file, or −1 */
};

/* Reads the file of --cases, and opens that of --junit. The caller calls cases_close, also when
 * this fails. */
int cases_open(struct case_run *run, struct presenter *presenter, struct sb_error *err);
void cases_close(struct case_run *run);

/* A case has ended; `grade` by case_judge. `flags`: see case_results_put. */
void cases_ended(struct case_run *run, size_t index, const struct sb_verdict *verdict,
                 enum case_grade grade, unsigned flags);

/* A case has not run, or not to its end. */
void cases_left_out(struct case_run *run, size_t index, const char *why);

/* All cases have ended: prints what is left, and sets the presenter's exit status. */
void cases_finish(struct case_run *run);

/* Runs them in this process, as many side by side as --jobs says. Returns the exit status, or −1.
 */
int cases_run_here(const struct options *options, struct sb_error *err);

/* Takes the service's answer: −1 if it is none. *refusal: that it has refused, else NULL; freed by
 * the caller. */
int cases_take_answer(struct case_run *run, const char *body, size_t size, char **refusal);

#endif
