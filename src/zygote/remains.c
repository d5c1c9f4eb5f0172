/* See remains.h. */
#include "zygote/remains.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MOST_OBJECTS 20000 /* checking more takes as long as letting CPython end the process */
#define SEEN 64            /* types that are known to be harmless */

/* Whether the type's own code runs when an instance dies. */
static bool has_finaliser(PyObject *type)
{
    return PyType_GetSlot(type, PY_TP_FINALIZE) != NULL;
}

/* The type of ctypes' types belongs to ctypes, too. Their instances may point to anything. */
static bool is_of_ctypes(PyObject *type)
{
    if (python_type(type) == &PyType_Type)
        return false;
    PyObject *module = PyObject_GetAttrString(python_type(type), "__module__");
    const char *name = module != NULL ? PyUnicode_AsUTF8AndSize(module, NULL) : NULL;
    bool result = name == NULL || strcmp(name, "_ctypes") == 0;
    Py_DecRef(module);
    return result;
}

static bool type_may_show(PyObject *type)
{
    return has_finaliser(type) || PyType_IsSubtype(type, &_PyWeakref_ProxyType) ||
           PyType_IsSubtype(type, &_PyWeakref_CallableProxyType) || is_of_ctypes(type);
}

static bool is_true(PyObject *answer)
{
    bool result = answer == NULL || PyObject_IsTrue(answer) != 0;
    Py_DecRef(answer);
    return result;
}

/* A class whose instances are not in our list of objects. */
static bool instances_may_show(PyObject *class)
{
    return !(PyType_GetFlags(class) & PY_TPFLAGS_HAVE_GC) && has_finaliser(class);
}

static bool is_one_of(PyObject *code, PyObject *codes)
{
    for (ssize_t i = 0; i < PyTuple_Size(codes); i++)
        if (PyTuple_GetItem(codes, i) == code)
            return true;
    return false;
}

/* A suspended generator of the script's resumes when it dies. */
static bool generator_is_ours(PyObject *generator, PyObject *codes)
{
    PyObject *code = PyObject_GetAttrString(generator, "gi_code");
    bool result = is_one_of(code, codes);
    Py_DecRef(code);
    return result;
}

static bool object_may_show(PyObject *object, PyObject *calls_back, PyObject **seen)
{
    PyObject *type = python_type(object);
    PyObject **place = &seen[(uintptr_t)type / 64 % SEEN];
    if (*place == type)
        return false;
    if (type_may_show(type))
        return true;
    if (PyType_IsSubtype(type, &_PyWeakref_RefType))
        return is_true(PyObject_CallFunction(calls_back, "O", object));
    if (PyType_IsSubtype(type, &PyType_Type))
        return instances_may_show(object);
    *place = type;
    return false;
}

static bool may_show(PyObject *objects, PyObject *codes, PyObject *calls_back)
{
    PyObject *seen[SEEN] = {NULL};
    ssize_t count = PyList_Size(objects), generators = 0;
    if (count < 0 || count > MOST_OBJECTS)
        return true;
    for (ssize_t i = 0; i < count; i++) {
        PyObject *object = PyList_GetItem(objects, i);
        if (python_type(object) == &PyGen_Type) {
            generators++;
            if (!generator_is_ours(object, codes))
                return true;
        } else if (object_may_show(object, calls_back, seen)) {
            return true;
        }
    }
    /* If ours are missing, the script has hidden its objects by gc.freeze(). */
    return generators != PyTuple_Size(codes);
}

PyObject *remains_may_show(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *objects, *codes, *calls_back;
    if (!PyArg_ParseTuple(arguments, "OOO", &objects, &codes, &calls_back))
        return NULL;
    bool result = may_show(objects, codes, calls_back) || PyErr_Occurred() != NULL;
    PyErr_Clear();
    return PyBool_FromLong(result);
}
