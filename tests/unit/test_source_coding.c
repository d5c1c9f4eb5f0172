/* Which encoding a source declares: as PEP 263 has it, and as python 3.11's tokenizer reads it. */
#include "unit.h"

#include <stdlib.h>

#include "common/source_coding.h"
#include "common/util.h"

static const struct {
    const char *source;
    const char *name; /* "" where none is declared */
    bool utf8;
} cases[] = {
    {"", "", true},
    {"print(1)\n", "", true},
    {"# coding: gbk\n", "gbk", false},
    {"# coding=latin-1", "latin-1", false},
    {"#coding:utf-8\n", "utf-8", true},
    {"# -*- coding: UTF-8 -*-\n", "UTF-8", true},
    {"# -*- coding: utf_8 -*-\n", "utf_8", true},
    {"# vim: set fileencoding=cp1252 :\n", "cp1252", false},
    {" \t\f# coding: iso-8859-15\n", "iso-8859-15", false},
    {"\xef\xbb\xbf# coding: gbk\n", "gbk", false},
    {"#!/usr/bin/python3\n# coding: gbk\n", "gbk", false},
    {"\n# coding: gbk\n", "gbk", false},
    {"\r\n# coding: gbk\r\n", "gbk", false},
    {"\r# coding: gbk\r", "gbk", false},
    {"\n\n# coding: gbk\n", "", true},
    {"x = 1\n# coding: gbk\n", "", true},
    {"x = '# coding: gbk'\n", "", true},
    {"# coding : gbk\n", "", true},
    {"# coding:\n", "", true},
    {"# coding: \t gbk\n", "gbk", false},
    {"# coding: ?, coding: gbk\n", "gbk", false},
    {"# encoding: gbk\n", "gbk", false},
    {"# Coding: gbk\n", "", true},
    {"# coding: gbk", "gbk", false},
    {"# coding", "", true},
};

static void encodings_are_found_as_python_finds_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *source = cases[i].source;
        struct source_coding found = source_coding_find(source, strlen(source));
        char name[32] = "";
        assert_true(found.size < sizeof(name));
        memcpy(name, source + found.offset, found.size);
        if (strcmp(name, cases[i].name) != 0)
            fail_msg("case %zu: \"%s\", not \"%s\"", i, name, cases[i].name);
        assert_int_equal(source_coding_is_utf8(source, found), cases[i].utf8);
    }
}

/* Each prefix has an end of its own: nothing is read behind it. */
static void nothing_is_read_behind_the_end(void **state)
{
    (void)state;
    static const char whole[] = "\xef\xbb\xbf \n# coding: gbk\n";
    for (size_t size = 0; size < sizeof(whole); size++) {
        char *source = malloc(size > 0 ? size : 1);
        assert_non_null(source);
        memcpy(source, whole, size);
        struct source_coding found = source_coding_find(source, size);
        assert_true(found.offset + found.size <= size);
        free(source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_are_found_as_python_finds_them),
        cmocka_unit_test(nothing_is_read_behind_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
