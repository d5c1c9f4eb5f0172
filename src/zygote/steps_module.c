/* The library that takes a cold start's steps, as a Python module for runner.py. */
#include <stddef.h>

#include "zygote/remains.h"
#include "zygote/steps.h"

static PyObject *steps;

/* Called as sys.excepthook. */
static PyObject *call_run(PyObject *module, PyObject *exception)
{
    (void)module;
    (void)exception;
    steps_settle();
    steps_run(steps);
}

static PyObject *call_begin(PyObject *module, PyObject *generator)
{
    Py_IncRef(generator);
    steps = generator;
    PyObject *run = PyObject_GetAttrString(module, "run");
    return run != NULL ? steps_begin(run) : NULL;
}

static const struct method methods[] = {
    {"begin", call_begin, METH_O, "Ends all frames, takes the steps, ends the process."},
    {"run", call_run, METH_VARARGS, "What begin goes on with."},
    REMAINS_MAY_SHOW,
    {0},
};

static struct module_definition definition = {
    .base = {.references = 1}, .name = "sandbox_steps", .state_size = -1, .methods = methods};

#pragma GCC visibility push(default)
PyObject *PyInit_sandbox_steps(void);
PyObject *PyInit_sandbox_steps(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
#pragma GCC visibility pop
