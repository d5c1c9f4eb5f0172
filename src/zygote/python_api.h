/* The parts of Python's C API that our libraries use: the stable ones (the limited API,
 * https://docs.python.org/3/c-api/stable.html). They are declared here, so that one library fits
 * every python3, and the build does not need its headers. */
#ifndef WARM_PYTHON_API_H
#define WARM_PYTHON_API_H

#include <sys/types.h>

/* Its head is part of the stable ABI: programs have Py_TYPE() compiled in. */
typedef struct object {
    ssize_t references;
    struct object *type;
} PyObject;

#define METH_VARARGS 1
#define METH_NOARGS 4
#define METH_O 8

struct method {
    const char *name;
    PyObject *(*call)(PyObject *module, PyObject *arguments);
    int flags;
    const char *doc;
};

struct module_definition {
    struct {
        ssize_t references;
        void *type;
        PyObject *(*init)(void);
        ssize_t index;
        PyObject *copy;
    } base;
    const char *name, *doc;
    ssize_t state_size;
    const struct method *methods;
    void *slots, *traverse, *clear, *free;
};

#define PYTHON_API_VERSION 3

PyObject *PyModule_Create2(struct module_definition *definition, int api_version);

void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object);
PyObject *Py_BuildValue(const char *format, ...);
int PyArg_ParseTuple(PyObject *arguments, const char *format, ...);
PyObject *PyBool_FromLong(long value);
PyObject *PyBytes_FromStringAndSize(const char *data, ssize_t size);
int PyBytes_AsStringAndSize(PyObject *bytes, char **data, ssize_t *size);
PyObject *PyLong_FromVoidPtr(void *pointer);
long PyLong_AsLong(PyObject *number);
PyObject *PyList_New(ssize_t size);
int PyList_SetItem(PyObject *list, ssize_t at, PyObject *item);
ssize_t PyList_Size(PyObject *list);
PyObject *PyList_GetItem(PyObject *list, ssize_t at); /* borrowed */
ssize_t PyTuple_Size(PyObject *tuple);                /* −1 and an exception: not a tuple */
PyObject *PyTuple_GetItem(PyObject *tuple, ssize_t at);
PyObject *PyUnicode_DecodeUTF8(const char *text, ssize_t size, const char *errors);
PyObject *PyUnicode_EncodeFSDefault(PyObject *text);
const char *PyUnicode_AsUTF8AndSize(PyObject *text, ssize_t *size);

PyObject *PyObject_Call(PyObject *function, PyObject *arguments, PyObject *keywords);
PyObject *PyObject_CallFunction(PyObject *function, const char *format, ...);
PyObject *PyObject_CallMethod(PyObject *object, const char *name, const char *format, ...);
PyObject *PyMapping_GetItemString(PyObject *mapping, const char *key);
PyObject *PyObject_GetAttrString(PyObject *object, const char *name);
int PyObject_IsTrue(PyObject *object);

extern PyObject PyType_Type;
void *PyType_GetSlot(PyObject *type, int slot); /* of all types since 3.10 */
unsigned long PyType_GetFlags(PyObject *type);
int PyType_IsSubtype(PyObject *type, PyObject *base);
#define PY_TP_FINALIZE 80
#define PY_TPFLAGS_HAVE_GC (1UL << 14)

PyObject *PySys_GetObject(const char *name); /* borrowed */
int PySys_SetObject(const char *name, PyObject *value);

extern PyObject *PyExc_StopIteration, *PyExc_RuntimeError;
void PyErr_Clear(void);
PyObject *PyErr_Occurred(void); /* borrowed */
int PyErr_ExceptionMatches(PyObject *type);
void PyErr_Fetch(PyObject **type, PyObject **value, PyObject **traceback);
void PyErr_NormalizeException(PyObject **type, PyObject **value, PyObject **traceback);
void PyErr_PrintEx(int set_sys_last);
void PyErr_Restore(PyObject *type, PyObject *value, PyObject *traceback);
void PyErr_SetString(PyObject *type, const char *message);
PyObject *PyException_GetTraceback(PyObject *exception);
int PyException_SetTraceback(PyObject *exception, PyObject *traceback);

/* Not in the stable API, but in every version, unchanged since 2.3. */
extern PyObject PyGen_Type, _PyWeakref_RefType, _PyWeakref_ProxyType, _PyWeakref_CallableProxyType;
PyObject *PyRun_FileExFlags(void *file, const char *name, int start, PyObject *globals,
                            PyObject *locals, int close_it, void *flags);

PyObject *Py_CompileString(const char *source, const char *name, int start);
#define PY_FILE_INPUT 257
PyObject *PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals);

void Py_LeaveRecursiveCall(void);

void PyOS_BeforeFork(void);
void PyOS_AfterFork_Parent(void);
void PyOS_AfterFork_Child(void);

int Py_IsInitialized(void);
int Py_FinalizeEx(void);
void Py_Exit(int status);

/* Borrowed. Without a write: PyObject_Type() would count the reference, and so copy a shared page.
 */
static inline PyObject *python_type(PyObject *object)
{
    return object->type;
}

/* None. */
static inline PyObject *python_none(void)
{
    return Py_BuildValue("");
}

#endif
