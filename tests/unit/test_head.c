/* Heads of requests as libmicrohttpd leaves them: 0.9 puts NULs in place of both bytes of a line's
 * end, 1.0 in place of the first byte behind a value. */
#include "unit.h"

#include "common/util.h"
#include "serve/http/head.h"

struct field {
    const char *name, *value;
};

/* A head as it lies in memory, and the parts that libmicrohttpd finds in it. '~' stands for NUL. */
struct form {
    const char *bytes, *target, *version;
    struct field fields[3];
};

static bool is_malformed(const struct form *form)
{
    char bytes[256] = {0};
    size_t size = strlen(form->bytes);
    memcpy(bytes, form->bytes, size);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '~')
            bytes[i] = '\0';
    const char *target = memmem(bytes, size, form->target, strlen(form->target));
    const char *version = memmem(bytes, size, form->version, strlen(form->version));
    struct head head = head_begin(bytes, target, strlen(form->target), version, size);
    const char *at = version + strlen(version);
    for (const struct field *field = form->fields; field->name != NULL; field++) {
        const char *name =
            memmem(at, size - (size_t)(at - bytes), field->name, strlen(field->name));
        const char *behind = name + strlen(field->name) + 1;
        const char *value =
            memmem(behind, size - (size_t)(behind - bytes), field->value, strlen(field->value));
        if (*field->value == '\0')
            value = behind + strspn(behind, " \t");
        head_field(&head, name, strlen(field->name), value, strlen(field->value));
        at = value + strlen(field->value);
    }
    return head_end(&head);
}

static void a_head_in_its_one_form_is_taken(void **state)
{
    (void)state;
    static const struct form forms[] = {
        {"GET~/x~HTTP/1.1~~~~", "/x", "HTTP/1.1", {{0}}},
        {"GET~/x~HTTP/1.1~~Host~ a~~~~", "/x", "HTTP/1.1", {{"Host", "a"}}},
        {"GET~/x~HTTP/1.1~~Host~a~~B~\t c~~~~", "/x", "HTTP/1.1", {{"Host", "a"}, {"B", "c"}}},
        {"GET~/x~HTTP/1.1~~A~ b  ~~C~ ~~~~", "/x", "HTTP/1.1", {{"A", "b  "}, {"C", ""}}},
        {"GET~/x~HTTP/1.1~~A~~~~~", "/x", "HTTP/1.1", {{"A", ""}}},
        {"GET~/x?a=b~HTTP/1.1~~~~", "/x?a=b", "HTTP/1.1", {{0}}},
        /* As 1.0 leaves it. */
        {"GET~/x~HTTP/1.1~\n\r\n", "/x", "HTTP/1.1", {{0}}},
        {"GET~/x~HTTP/1.1~\nHost~ a~\nB~ c~ \t\r\n\r\n",
         "/x",
         "HTTP/1.1",
         {{"Host", "a"}, {"B", "c"}}},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (is_malformed(&forms[i]))
            fail_msg("refused: %s", forms[i].bytes);
}

static void a_head_with_a_byte_in_a_wrong_place_is_malformed(void **state)
{
    (void)state;
    static const struct form forms[] = {
        {"GET~ /x~HTTP/1.1~~~~", "/x", "HTTP/1.1", {{0}}},  /* two spaces */
        {"GET~/x~~HTTP/1.1~~~~", "/x", "HTTP/1.1", {{0}}},  /* a NUL behind the target */
        {"GET~/x~y~HTTP/1.1~~~~", "/x", "HTTP/1.1", {{0}}}, /* and what it hides */
        {"G~T~/x~HTTP/1.1~~~~", "/x", "HTTP/1.1", {{0}}},   /* a NUL in the method */
        {"G(T~/x~HTTP/1.1~~~~", "/x", "HTTP/1.1", {{0}}},   /* no name */
        {"GET~/x~HTTP/1.1~~~", "/x", "HTTP/1.1", {{0}}},    /* a bare LF at one of the ends */
        {"GET~/x~HTTP/1.1~~", "/x", "HTTP/1.1", {{0}}},     /* at both */
        {"GET~/x~HTTP/1.1~A~ b~~~~", "/x", "HTTP/1.1", {{"A", "b"}}},
        {"GET~/x~HTTP/1.1~~A~ b~B~ c~~~~", "/x", "HTTP/1.1", {{"A", "b"}, {"B", "c"}}},
        {"GET~/x~HTTP/1.1~~A~ b~~~", "/x", "HTTP/1.1", {{"A", "b"}}},
        {"GET~/x~HTTP/1.1~~A~ b~~~~~", "/x", "HTTP/1.1", {{"A", "b"}}},     /* a NUL behind b */
        {"GET~/x~HTTP/1.1~~A~ b~c~~~~", "/x", "HTTP/1.1", {{"A", "b"}}},    /* and what it hides */
        {"GET~/x~HTTP/1.1~~A~ b~~~C: d~~", "/x", "HTTP/1.1", {{"A", "b"}}}, /* a line of NUL */
        {"GET~/x~HTTP/1.1~~~A: b~~", "/x", "HTTP/1.1", {{0}}},
        {"GET~/x~HTTP/1.1~~A ~ b~~~~", "/x", "HTTP/1.1", {{"A ", "b"}}},
        {"GET~/x~HTTP/1.1~~~ b~~~~", "/x", "HTTP/1.1", {{"", "b"}}},
        {"GET~/x~HTTP/1.1~~A~ b\rc~~~~", "/x", "HTTP/1.1", {{"A", "b\rc"}}},
        {"GET~/x~HTTP/1.1~~A~~ b~~~~", "/x", "HTTP/1.1", {{"A", "b"}}},
        {"GET~/x~HTTP/1.1~\n\n", "/x", "HTTP/1.1", {{0}}},
        {"GET~/x~HTTP/1.1~\nA~ b~\nx\r\n", "/x", "HTTP/1.1", {{"A", "b"}}},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (!is_malformed(&forms[i]))
            fail_msg("taken: %s", forms[i].bytes);
}

/* libmicrohttpd 0.9 joins a line that goes on with the name of its header, and may move that. */
static void a_field_that_lies_elsewhere_is_malformed(void **state)
{
    (void)state;
    static const char bytes[] = "GET\0/x\0HTTP/1.1\0\0A\0 b\0\0\0";
    static const char elsewhere[] = "A\0 b\0\0";
    size_t size = sizeof(bytes);
    struct head head = head_begin(bytes, bytes + 4, 2, bytes + 7, size);
    struct head moved = head, grown = head;
    head_field(&head, bytes + 17, 1, bytes + 20, 1);
    assert_false(head_end(&head));
    head_field(&moved, elsewhere, 1, elsewhere + 3, 1);
    assert_true(head_end(&moved));
    head_field(&grown, bytes + 17, 4, bytes + 20, 1);
    assert_true(head_end(&grown));
}

static void what_a_target_must_not_hold_is_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {"/a b", "/a#b", "/a?b#", "/a\tb", "/\x7f", "\x01", " "};
    static const char *const right[] = {
        "/", "*", "/a?b=c&d", "/%20", "http://localhost/", "/\xc3\xa9", "/{}|^`<>\"\\"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_non_null(head_target_wrong(wrong[i]));
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        assert_null(head_target_wrong(right[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_in_its_one_form_is_taken),
        cmocka_unit_test(a_head_with_a_byte_in_a_wrong_place_is_malformed),
        cmocka_unit_test(a_field_that_lies_elsewhere_is_malformed),
        cmocka_unit_test(what_a_target_must_not_hold_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
