/* A try of a stored job that is a graded run. Its answer is the store's as a whole: a try in which
 * the sandbox failed for a case is made again with all cases. */
#include "serve/jobs/graded_run.h"
#include "serve/jobs/try.h"

static void hear(const struct try *try, bool last)
{
    try->runner->heard(try->runner->user, try->id, last);
}

static void case_ended(struct graded *graded, size_t index)
{
    (void)index;
    hear(graded->owner, false);
}

/* What came of a try that the service killed, or in which the sandbox failed, is no answer. */
static void answer(struct graded *graded)
{
    struct try *try = graded->owner;
    const struct case_results *results = &graded->results;
    hear(try, true);
    if (graded->stopping || results->host_busy || !results->any_ran ||
        results->results[results->worst].word == SB_INTERNAL)
        try_give_back(try, !graded->stopping, graded->trouble);
    else
        try_answer(try, case_results_json(&graded->results), graded_status(graded));
}

static void refuse(struct graded *graded)
{
    try_give_back(graded->owner, false, graded->refused);
}

static void forget(struct graded *graded)
{
    try_give_back(graded->owner, false, "the service was closed");
}

static const struct graded_requester stored = {case_ended, answer, refuse, forget};

void try_enter_graded(struct try *try, const struct job_origin *origin)
{
    char text[200];
    struct graded *graded = graded_make(try->runner->service, &stored, origin);
    if (graded == NULL) {
        try_give_back(try, true, "out of memory (the job)");
        return;
    }
    if (graded_never_fits(graded, text, sizeof(text))) {
        graded_release(graded);
        try_refuse(try, 400, "limits.memory_bytes", text);
        return;
    }
    try->graded = graded;
    graded_begin(graded);
}
