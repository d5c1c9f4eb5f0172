/* libzygote as a Python module for zygote.py. */
#include <string.h>

#include "zygote/embedded.h"
#include "zygote/generators.h"
#include "zygote/libzygote.h"
#include "zygote/remains.h"
#include "zygote/stack_guard.h"
#include "zygote/steps.h"

static struct libzygote *zygote;
static PyObject *arrange, *next_job; /* of call_begin */

static PyObject *call_open(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    zygote = zygote_open();
    return PyBool_FromLong(zygote != NULL);
}

static PyObject *call_text(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    int (*function)(void) = Py_IsInitialized;
    void *address;
    memcpy(&address, &function, sizeof(address));
    return PyLong_FromVoidPtr(address);
}

static PyObject *for_memory(void (*function)(uintptr_t, uintptr_t), PyObject *arguments)
{
    size_t start, end;
    if (!PyArg_ParseTuple(arguments, "nn", &start, &end))
        return NULL;
    function(start, end);
    return python_none();
}

static PyObject *call_join(PyObject *module, PyObject *arguments)
{
    (void)module;
    return for_memory(zygote_join, arguments);
}

static PyObject *call_make_huge(PyObject *module, PyObject *arguments)
{
    (void)module;
    return for_memory(zygote_make_huge, arguments);
}

/* The spans of an array made by zygote.py. */
static int spans_of(PyObject *bytes, struct spans *spans)
{
    char *data;
    ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return -1;
    *spans = (struct spans){(const struct iovec *)(const void *)data,
                            (size_t)size / sizeof(struct iovec)};
    return 0;
}

static PyObject *call_fork(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *bytes[2];
    struct spans away, constant;
    if (!PyArg_ParseTuple(arguments, "OO", &bytes[0], &bytes[1]) || spans_of(bytes[0], &away) < 0 ||
        spans_of(bytes[1], &constant) < 0)
        return NULL;
    return Py_BuildValue("i", (int)zygote_fork(away, constant));
}

static PyObject *call_pretend(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *strings, *code;
    char *strings_data, *code_data;
    ssize_t count, strings_size, code_size;
    if (!PyArg_ParseTuple(arguments, "nOO", &count, &strings, &code) ||
        PyBytes_AsStringAndSize(strings, &strings_data, &strings_size) < 0 ||
        PyBytes_AsStringAndSize(code, &code_data, &code_size) < 0)
        return NULL;
    struct job job = {.strings = strings_data,
                      .strings_size = (size_t)strings_size,
                      .arguments = (size_t)count,
                      .code = code_data,
                      .code_size = (size_t)code_size};
    zygote_pretend(zygote, &job);
    return python_none();
}

/* Called as sys.excepthook. */
static PyObject *call_run(PyObject *module, PyObject *exception)
{
    (void)module;
    (void)exception;
    steps_settle();
    PyObject *plan = PyObject_CallFunction(arrange, NULL);
    if (plan == NULL)
        steps_run(NULL);
    int file = (int)PyLong_AsLong(plan);
    if (file >= 0) {
        zygote_arrange(file);
        zygote_serve(zygote);
        stack_guard_renew(); /* no caller returns: steps_run ends the process */
    }
    steps_run(PyObject_CallFunction(next_job, NULL));
}

static PyObject *call_begin(PyObject *module, PyObject *arguments)
{
    if (!PyArg_ParseTuple(arguments, "OO", &arrange, &next_job))
        return NULL;
    Py_IncRef(arrange);
    Py_IncRef(next_job);
    PyObject *run = PyObject_GetAttrString(module, "run");
    return run != NULL ? steps_begin(run) : NULL;
}

static PyObject *call_take_steps(PyObject *module, PyObject *steps)
{
    (void)module;
    return steps_take(steps);
}

static PyObject *call_steps_library(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    return PyBytes_FromStringAndSize((const char *)embedded_steps_so,
                                     (ssize_t)embedded_steps_so_size);
}

/* A list of so many strings at *at, which is moved past them. */
static PyObject *take_list(const char **at, size_t count)
{
    PyObject *list = PyList_New((ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        size_t size = strlen(*at);
        PyList_SetItem(list, (ssize_t)i,
                       PyUnicode_DecodeUTF8(*at, (ssize_t)size, "surrogateescape"));
        *at += size + 1;
    }
    return list;
}

static PyObject *call_take(PyObject *module, PyObject *usual)
{
    (void)module;
    char *expected;
    ssize_t expected_size;
    if (PyBytes_AsStringAndSize(usual, &expected, &expected_size) < 0)
        return NULL;
    struct job job = zygote_take(zygote);
    const char *at = job.strings;
    PyObject *argv = take_list(&at, job.arguments);
    ssize_t size = job.strings + job.strings_size - at;
    bool same = size == expected_size && memcmp(at, expected, (size_t)size) == 0;
    PyObject *taken =
        Py_BuildValue("(NNNN)", argv, same ? python_none() : PyBytes_FromStringAndSize(at, size),
                      PyBytes_FromStringAndSize(job.code, (ssize_t)job.code_size),
                      PyBool_FromLong(job.more_files));
    zygote_release(&job);
    return taken;
}

static PyObject *call_flush(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    zygote_flush();
    return python_none();
}

static PyObject *call_find_generators(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    return PyBool_FromLong(generators_find());
}

static PyObject *call_renew_generators(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    generators_renew();
    return python_none();
}

static const struct method methods[] = {
    {"open", call_open, METH_NOARGS, "Receives the configuration: whether one came."},
    {"text", call_text, METH_NOARGS, "An address in the interpreter's text."},
    {"join", call_join, METH_VARARGS, "(start, end): see zygote_join."},
    {"make_huge", call_make_huge, METH_VARARGS, "(start, end): see zygote_make_huge."},
    {"fork", call_fork, METH_VARARGS, "(away, constant): see zygote_fork."},
    {"pretend", call_pretend, METH_VARARGS,
     "(arguments' count, strings, code): what take will give, in a fork."},
    {"begin", call_begin, METH_VARARGS,
     "(arrange, job): ends all frames; then zygote_arrange by the plan that arrange() returns, and "
     "zygote_serve; in a child, or where there is no plan (-1), takes the steps of job(), and ends "
     "the process."},
    {"run", call_run, METH_VARARGS, "What begin goes on with."},
    {"take_steps", call_take_steps, METH_O, "Takes steps here. Returns what they return."},
    REMAINS_MAY_SHOW,
    {"steps_library", call_steps_library, METH_NOARGS, "The library of a cold start, as bytes."},
    {"take", call_take, METH_O,
     "The child's job: (arguments, environment or None when it is this one, code, more files?)."},
    {"find_generators", call_find_generators, METH_NOARGS, "Whether children must renew some."},
    {"renew_generators", call_renew_generators, METH_NOARGS, "In a child: see generators.h."},
    {"flush", call_flush, METH_NOARGS, "Writes out what C code has in buffers."},
    {0},
};

static struct module_definition definition = {
    .base = {.references = 1}, .name = "libzygote", .state_size = -1, .methods = methods};

#pragma GCC visibility push(default)
PyObject *PyInit_libzygote(void);
PyObject *PyInit_libzygote(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
#pragma GCC visibility pop
