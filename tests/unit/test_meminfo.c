/* What the host has left of memory, told by either source. */
#include "unit.h"

#include <fcntl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "core/meminfo.h"

#define MIB (INT64_C(1) << 20)

static int64_t total(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static void it_is_told_by_proc_meminfo(void **state)
{
    (void)state;
    int fd = -1;
    int64_t bytes = meminfo_available(&fd);
    assert_true(fd >= 0);
    assert_in_range(bytes, MIB, total());
    assert_in_range(meminfo_available(&fd), MIB, total()); /* again, by the same descriptor */
    close(fd);
}

/* Other programs run meanwhile: no more than that it is of the same size. */
static void where_that_is_hidden_about_as_much_is_told(void **state)
{
    (void)state;
    int fd = -1, none = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* it can't be read */
    int64_t told = meminfo_available(&fd), estimate = meminfo_available(&none);
    close(fd);
    close(none);
    if (access("/sys/devices/system/node/node0/meminfo", R_OK) < 0) {
        assert_int_equal(estimate, -1);
        return;
    }
    assert_in_range(estimate, told / 2, told + total() / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_by_proc_meminfo),
        cmocka_unit_test(where_that_is_hidden_about_as_much_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
