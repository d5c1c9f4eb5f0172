/* See steps.h. */
#include "zygote/steps.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INTERRUPTED (1L << 32) /* runner.py */

/* ── One step ──────────────────────────────────────────────────────────────────────────────── */

/* Takes the current exception, with its traceback, as one object, and clears it. */
static PyObject *take_exception(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    Py_DecRef(type);
    Py_DecRef(traceback);
    return value;
}

/* Whether the source's encoding could be the error. Other errors have good messages already, and
 * their warnings would be printed twice. */
static bool may_not_decode(const char *source)
{
    for (const char *c = source; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            return true;
    return strstr(source, "coding") != NULL;
}

/* Python's message for a wrong encoding is better if it reads the source from its file. Keeps the
 * exception if that file does not exist. */
static void compile_file(const char *name, PyObject *names)
{
    char *path;
    ssize_t size;
    PyObject *error[3];
    PyErr_Fetch(&error[0], &error[1], &error[2]);
    PyObject *attribute = PyMapping_GetItemString(names, "__file__");
    PyObject *encoded = attribute != NULL ? PyUnicode_EncodeFSDefault(attribute) : NULL;
    FILE *file = encoded != NULL && PyBytes_AsStringAndSize(encoded, &path, &size) == 0
                     ? fopen(path, "rb")
                     : NULL;
    Py_DecRef(attribute);
    Py_DecRef(encoded);
    if (file == NULL) {
        PyErr_Restore(error[0], error[1], error[2]);
        return;
    }
    for (size_t i = 0; i < 3; i++)
        Py_DecRef(error[i]);
    Py_DecRef(PyRun_FileExFlags(file, name, PY_FILE_INPUT, names, names, 1, NULL));
}

/* As python does at the end of a script's file, before it shows an uncaught exception; not with -c.
 */
static void flush_streams(PyObject *names)
{
    static const char *const streams[] = {"stderr", "stdout"};
    PyObject *error[3];
    PyErr_Fetch(&error[0], &error[1], &error[2]);
    PyObject *file = PyMapping_GetItemString(names, "__file__");
    for (size_t i = 0; i < 2 && file != NULL; i++) {
        PyObject *stream = PySys_GetObject(streams[i]);
        Py_DecRef(stream != NULL ? PyObject_CallMethod(stream, "flush", NULL) : NULL);
        PyErr_Clear();
    }
    Py_DecRef(file);
    PyErr_Restore(error[0], error[1], error[2]);
}

static PyObject *run_code(PyObject *code, PyObject *names)
{
    PyObject *result = PyEval_EvalCode(code, names, names);
    flush_streams(names);
    return result;
}

static PyObject *run_source(PyObject *source, PyObject *name, PyObject *names)
{
    char *text, *shown;
    ssize_t size;
    PyObject *encoded = PyUnicode_EncodeFSDefault(name), *code = NULL, *result = NULL;
    if (encoded != NULL && PyBytes_AsStringAndSize(encoded, &shown, &size) == 0 &&
        PyBytes_AsStringAndSize(source, &text, &size) == 0 &&
        (code = Py_CompileString(text, shown, PY_FILE_INPUT)) == NULL && may_not_decode(text))
        compile_file(shown, names);
    if (code != NULL)
        result = run_code(code, names);
    Py_DecRef(encoded);
    Py_DecRef(code);
    return result;
}

static bool is_bytes(PyObject *object)
{
    char *data;
    ssize_t size;
    bool result = PyBytes_AsStringAndSize(object, &data, &size) == 0;
    PyErr_Clear();
    return result;
}

/* Handles an uncaught exception as python does. Returns, except for a SystemExit, which ends the
 * process. */
static void show(PyObject *exception)
{
    PyObject *type = PyObject_GetAttrString(exception, "__class__");
    Py_IncRef(exception);
    PyErr_Restore(type, exception, PyException_GetTraceback(exception));
    PyErr_PrintEx(1);
}

/* Returns (value, exception): new references, one of them NULL. */
static void take_step(PyObject *step, PyObject **value, PyObject **exception)
{
    *value = *exception = NULL;
    ssize_t size = PyTuple_Size(step);
    if (size < 0) {
        PyErr_Clear();
        show(step);
        *value = python_none();
        return;
    }
    PyObject *first = PyTuple_GetItem(step, 0), *second = PyTuple_GetItem(step, 1);
    PyObject *third = size == 2 ? second : PyTuple_GetItem(step, 2);
    *value = size == 2         ? run_code(first, second)
             : is_bytes(first) ? run_source(first, second, third)
                               : PyObject_Call(first, second, third);
    if (*value == NULL)
        *exception = take_exception();
}

/* ── A script's trace and profile functions, which must not see the runner ─────────────────── */

static const char *const watchers[][2] = {{"gettrace", "settrace"}, {"getprofile", "setprofile"}};
#define WATCHERS (sizeof(watchers) / sizeof(*watchers))

/* Called once in each process, and inherited by its forks: the state before any script. */
static struct {
    PyObject *get[WATCHERS], *set[WATCHERS];
    PyObject *none;
} own;

struct watching {
    PyObject *function[WATCHERS]; /* while suspended */
    bool any;
};

static void watching_prepare(void)
{
    if (own.none != NULL)
        return;
    own.none = python_none();
    for (size_t i = 0; i < WATCHERS; i++) {
        own.get[i] = PySys_GetObject(watchers[i][0]);
        own.set[i] = PySys_GetObject(watchers[i][1]);
        Py_IncRef(own.get[i]);
        Py_IncRef(own.set[i]);
    }
}

static void watching_suspend(struct watching *watching)
{
    watching->any = false;
    for (size_t i = 0; i < WATCHERS; i++) {
        watching->function[i] = PyObject_CallFunction(own.get[i], NULL);
        if (watching->function[i] == own.none)
            continue;
        watching->any = true;
        Py_DecRef(PyObject_CallFunction(own.set[i], "O", own.none));
    }
}

static void watching_resume(struct watching *watching)
{
    for (size_t i = 0; i < WATCHERS; i++) {
        if (watching->function[i] != NULL && watching->function[i] != own.none)
            Py_DecRef(PyObject_CallFunction(own.set[i], "O", watching->function[i]));
        Py_DecRef(watching->function[i]);
    }
}

/* ── All steps ─────────────────────────────────────────────────────────────────────────────── */

PyObject *steps_take(PyObject *steps)
{
    struct watching watching = {0};
    watching_prepare();
    PyObject *step = PyObject_CallMethod(steps, "send", "O", own.none);
    while (step != NULL) {
        PyObject *value, *exception;
        take_step(step, &value, &exception);
        Py_DecRef(step);
        watching_suspend(&watching);
        step = PyObject_CallMethod(steps, "send", "((NNN))", value != NULL ? value : python_none(),
                                   exception != NULL ? exception : python_none(),
                                   PyBool_FromLong(watching.any));
        if (step != NULL)
            watching_resume(&watching);
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return NULL;
    PyObject *stop = take_exception(), *status = PyObject_GetAttrString(stop, "value");
    Py_DecRef(stop);
    watching_resume(&watching);
    return status;
}

/* As in python's main(). */
static _Noreturn void end(PyObject *status)
{
    long number = PyLong_AsLong(status);
    Py_DecRef(status);
    if (number == INTERRUPTED) {
        Py_FinalizeEx();
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
    }
    for (;;)
        Py_Exit((int)number);
}

_Noreturn void steps_run(PyObject *steps)
{
    PyObject *status = steps != NULL ? steps_take(steps) : NULL;
    if (status == NULL) { /* the runner's own fault */
        PyErr_PrintEx(0);
        Py_Exit(1);
    }
    end(status);
}

static PyObject *excepthook; /* as it was */

PyObject *steps_begin(PyObject *next)
{
    excepthook = PySys_GetObject("excepthook");
    Py_IncRef(excepthook);
    PySys_SetObject("excepthook", next);
    PyErr_SetString(PyExc_RuntimeError, "the steps begin");
    return NULL;
}

void steps_settle(void)
{
    static const char *const last[] = {"last_type", "last_value", "last_traceback", "last_exc"};
    for (size_t i = 0; i < sizeof(last) / sizeof(*last); i++)
        PySys_SetObject(last[i], NULL);
    PySys_SetObject("excepthook", excepthook);
    PyErr_Clear();
    Py_LeaveRecursiveCall(); /* that of `next`, which never returns */
}
