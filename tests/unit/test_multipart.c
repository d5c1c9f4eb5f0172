/* Forms: what curl and browsers send is read, and whatever two readers might understand differently
 * is refused. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/util.h"
#include "serve/contracts/multipart.h"

#define PART(rest) "--b\r\nContent-Disposition: form-data; " rest "\r\n\r\n"
#define END "\r\n--b--\r\n"

static void boundaries_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type, *boundary; /* NULL: refused */
    } rows[] = {
        {"multipart/form-data; boundary=----WebKitFormBoundaryAbC123",
         "----WebKitFormBoundaryAbC123"},
        {"multipart/form-data; boundary=------------------------d74496d66958873e",
         "------------------------d74496d66958873e"},
        {"Multipart/Form-Data ;\tBoundary=\"a b'()+_,-./:=?\" ; charset=utf-8", "a b'()+_,-./:=?"},
        {"multipart/form-data; charset=\"x\\\"y\"; boundary=b;", "b"},
        {"multipart/form-data; boundary="
         "1234567890123456789012345678901234567890123456789012345678901234567890",
         "1234567890123456789012345678901234567890123456789012345678901234567890"},
        {"multipart/form-data; boundary="
         "12345678901234567890123456789012345678901234567890123456789012345678901",
         NULL},
        {"multipart/form-data", NULL},
        {"multipart/form-data;", NULL},
        {"multipart/form-data boundary=b", NULL},
        {"multipart/form-data; boundary", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/form-data; boundary=\"b", NULL},
        {"multipart/form-data; boundary=b\"c", NULL},
        {"multipart/form-data; boundary=\"b\"c", NULL},
        {"multipart/form-data; boundary=\"b \"", NULL},
        {"multipart/form-data; boundary=b; boundary=b", NULL},
        {"multipart/form-data; boundary=b; BOUNDARY=c", NULL},
        {"multipart/form-data; boundary=b, c", NULL},
        {"multipart/form-data; boundary=b*c", NULL},
        {"multipart/form-data; boundary=\xc3\xa9", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char boundary[MULTIPART_BOUNDARY_SIZE] = "";
        struct sb_error err = {0};
        assert_true(multipart_is_form(rows[i].type));
        int result = multipart_boundary(boundary, rows[i].type, &err);
        if (result != (rows[i].boundary != NULL ? 0 : -1))
            fail_msg("%s: %d, '%s'", rows[i].type, result, boundary);
        if (result == 0) {
            assert_string_equal(boundary, rows[i].boundary);
        } else {
            assert_string_equal(err.field, "Content-Type");
            assert_sentence(&err);
        }
    }
    assert_false(multipart_is_form(NULL));
    assert_false(multipart_is_form("multipart/form-datax"));
    assert_false(multipart_is_form("multipart/mixed; boundary=b"));
}

/* Reads a whole form. Returns how many parts it has, or −1. */
static int read_form(struct multipart_part parts[8], char *body, size_t size, struct sb_error *err)
{
    struct multipart form;
    *err = (struct sb_error){0};
    if (multipart_begin(&form, "b", body, size, err) < 0)
        return -1;
    for (int count = 0;; count++) {
        struct multipart_part part;
        int result = multipart_next(&form, &part, err);
        if (result <= 0)
            return result < 0 ? -1 : count;
        if (count < 8)
            parts[count] = part;
    }
}

static void parts_are_read(void **state)
{
    (void)state;
    static const char text[] = PART("name=\"code\"") "print(1)\r\n" PART(
        "name=\"f\"; filename=\"a b.csv\"") "1\r\n--c\r\n-b\r\n--B--\r\n\r\n"
                                            "--b\r\ncontent-disposition:form-data;name=x;filename="
                                            "\"%22a%5C\\\"%0a%0D%.txt\"\r\n"
                                            "Content-Type: text/csv; "
                                            "charset=utf-8\r\nContent-Transfer-Encoding: BINARY "
                                            "\r\n"
                                            "Content-Length: 999\r\nX: y: z\r\n\r\n" END;
    struct multipart_part parts[8];
    struct sb_error err;
    char body[sizeof(text)];
    memcpy(body, text, sizeof(text));
    int count = read_form(parts, body, sizeof(text) - 1, &err);
    if (count < 0)
        fail_msg("%s", err.message);
    assert_int_equal(count, 3);
    assert_string_equal(parts[0].name, "code");
    assert_null(parts[0].filename);
    assert_int_equal(parts[0].size, 8);
    assert_memory_equal(parts[0].data, "print(1)", 8);
    assert_string_equal(parts[1].filename, "a b.csv");
    assert_int_equal(parts[1].size, 19);
    assert_memory_equal(parts[1].data, "1\r\n--c\r\n-b\r\n--B--\r\n", 19);
    assert_string_equal(parts[2].name, "x");
    assert_string_equal(parts[2].filename, "\"a%5C\"\n\r%.txt");
    assert_int_equal(parts[2].size, 0);
}

static void a_form_may_be_empty(void **state)
{
    (void)state;
    struct multipart_part parts[8];
    struct sb_error err;
    char whole[] = "--b--\r\n", bare[] = "--b--";
    assert_int_equal(read_form(parts, whole, strlen(whole), &err), 0);
    assert_int_equal(read_form(parts, bare, strlen(bare), &err), 0);
}

#define HEAD(line) "--b\r\n" line "\r\n\r\nx" END

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "boundary"},
    {"--", "boundary"},
    {"--b", "follows a boundary"},
    {"--b-", "follows a boundary"},
    {"--b\r", "follows a boundary"},
    {"--b\r\n", "within the header"},
    {"\r\n--b--\r\n", "begin with its boundary"},
    {"preamble\r\n--b--\r\n", "begin with its boundary"},
    {"--c\r\n", "begin with its boundary"},
    {"--b \r\n", "follows a boundary"},
    {"--bc\r\n", "follows a boundary"},
    {"--b--x", "last boundary"},
    {"--b--\r\nepilogue", "last boundary"},
    {PART("name=a") "x", "before its last boundary"},
    {PART("name=a") "x\n--b--\r\n", "before its last boundary"},
    {PART("name=a") "x\r\n--bx\r\n", "follows a boundary"},
    {PART("name=a") "x\r\n--b--\r\n--b--\r\n", "last boundary"},
    {HEAD("Content-Type: text/plain"), "no name"},
    {HEAD("Content-Disposition: form-data"), "no name"},
    {HEAD("Content-Disposition: form-data; filename=a"), "no name"},
    {HEAD("Content-Disposition: attachment; name=a"), "not form-data"},
    {HEAD("Content-Disposition: form-datax; name=a"), "not form-data"},
    {HEAD("Content-Disposition: form-data; name"), "can't be read"},
    {HEAD("Content-Disposition: form-data; name=\"a"), "can't be read"},
    {HEAD("Content-Disposition: form-data; name=\"a\"b"), "can't be read"},
    {HEAD("Content-Disposition: form-data; name=\"a\\\""), "can't be read"},
    {HEAD("Content-Disposition: form-data; name=a name=b"), "can't be read"},
    {HEAD("Content-Disposition: form-data; name=a; name=b"), "twice"},
    {HEAD("Content-Disposition: form-data; name=a; filename=a; FILENAME=b"), "twice"},
    {HEAD("Content-Disposition: form-data; name=a; filename*=UTF-8''x"), "filename*"},
    {HEAD("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b"),
     "twice"},
    {HEAD("Content-Disposition: form-data; name=a\r\n filename=x"), "Name: value"},
    {HEAD("Content-Disposition : form-data; name=a"), "Name: value"},
    {HEAD("Content-Disposition"), "Name: value"},
    {HEAD(": form-data; name=a"), "Name: value"},
    {HEAD("Content-Disposition: form-data;\n name=a"), "half of a line's end"},
    {HEAD("Content-Disposition: form-data; name=a\rb"), "half of a line's end"},
    {HEAD("Content-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=c"),
     "form itself"},
    {HEAD("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64"),
     "Content-Transfer-Encoding"},
    {HEAD("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: 8bit; x"),
     "Content-Transfer-Encoding"},
};

static void what_is_malformed_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct multipart_part parts[8];
        struct sb_error err;
        size_t size = strlen(bad[i].text);
        char *body = malloc(size + 1);
        memcpy(body, bad[i].text, size);
        if (read_form(parts, body, size, &err) >= 0)
            fail_msg("this was taken: %s", bad[i].text);
        free(body);
        assert_string_equal(err.field, "body");
        assert_says(&err, bad[i].says);
        assert_sentence(&err);
    }
}

static void a_nul_ends_no_name(void **state)
{
    (void)state;
    char body[] = PART("name=a; filename=\"b.py\0.txt\"") END;
    struct multipart_part parts[8];
    struct sb_error err;
    assert_int_equal(read_form(parts, body, sizeof(body) - 1, &err), -1);
    assert_says(&err, "a NUL");
}

/* A form of `count` parts, each with a header of `head` bytes. The caller frees it. */
static char *make_form(size_t count, size_t head, size_t *size)
{
    static const char line[] = "Content-Disposition: form-data; name=a\r\nX: ";
    char *body = malloc(count * (head + 16) + 16), *at = body;
    size_t filler = head - (sizeof(line) - 1) - 4;
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "--b\r\n%s%0*d\r\n\r\nx\r\n", line, (int)filler, 0);
    *size = (size_t)(at + sprintf(at, "--b--\r\n") - body);
    return body;
}

static void parts_and_their_headers_have_bounds(void **state)
{
    (void)state;
    static const struct {
        size_t count, head;
        int result;
        const char *says;
    } rows[] = {
        {MULTIPART_PARTS_MAX, 100, MULTIPART_PARTS_MAX, NULL},
        {MULTIPART_PARTS_MAX + 1, 100, -1, "more than 1000 parts"},
        {1, MULTIPART_HEAD_MAX, 1, NULL},
        {1, MULTIPART_HEAD_MAX + 1, -1, "more than 8192 bytes"},
        {1, 1 << 20, -1, "more than 8192 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct multipart_part parts[8];
        struct sb_error err;
        size_t size;
        char *body = make_form(rows[i].count, rows[i].head, &size);
        assert_int_equal(read_form(parts, body, size, &err), rows[i].result);
        if (rows[i].says != NULL)
            assert_says(&err, rows[i].says);
        free(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boundaries_are_read_or_refused),
        cmocka_unit_test(parts_are_read),
        cmocka_unit_test(a_form_may_be_empty),
        cmocka_unit_test(what_is_malformed_is_refused),
        cmocka_unit_test(a_nul_ends_no_name),
        cmocka_unit_test(parts_and_their_headers_have_bounds),
    };
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
