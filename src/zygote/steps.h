/* Takes the steps of a job (job_steps in runner.py) without a Python frame on the stack: a script
 * finds the same stack depth, and the same tracebacks, as if python had run it itself. */
#ifndef WARM_STEPS_H
#define WARM_STEPS_H

#include "zygote/python_api.h"

/* Takes all steps. Returns the generator's value, a new reference; NULL with its exception. */
PyObject *steps_take(PyObject *steps);

/* Ends the running Python code by an exception, so that `next` is called as sys.excepthook, without
 * any frame left. Returns NULL, with the exception. */
PyObject *steps_begin(PyObject *next);

/* Called first by `next`: undoes the changes made for that. */
void steps_settle(void);

/* Takes all steps, and ends the process. `steps` NULL: shows the current exception. */
_Noreturn void steps_run(PyObject *steps);

#endif
