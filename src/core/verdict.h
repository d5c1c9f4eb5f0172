/* From evidence to words. */
#ifndef SB_VERDICT_H
#define SB_VERDICT_H

#include "core/run.h"

#define VERDICT_TEXT_SIZE 512

/* Fills in what follows from the evidence: word, exit code, signal, exception, result, host_busy.
 * Puts the sentence that says why into `text`, "" if there is none. The verdict points into the
 * evidence afterwards. */
void verdict_judge(struct sb_verdict *verdict, const struct asked *asked,
                   const struct evidence *evidence, char text[VERDICT_TEXT_SIZE]);

/* Judges a run by its evidence and calls on_done. */
void verdict_give(struct sb_run *run);

#endif
