/* Takes the steps of a job (job_steps in runner.py) where no frame of Python's is on the stack: a
 * script finds the stack as deep, and tracebacks as long, as if python had run it itself. */
#ifndef WARM_STEPS_H
#define WARM_STEPS_H

#include "zygote/python_api.h"

/* Takes all steps. Returns what the generator returns, a new reference; NULL with its exception. */
PyObject *steps_take(PyObject *steps);

/* Ends what Python runs at the moment by an exception, and has `next` called as sys.excepthook:
 * with no frame left. Returns NULL, with the exception. */
PyObject *steps_begin(PyObject *next);

/* Called first by `next`: takes back what has happened for that. */
void steps_settle(void);

/* Takes all steps, and ends the process. `steps` NULL: an exception is set, which is shown. */
_Noreturn void steps_run(PyObject *steps);

#endif
