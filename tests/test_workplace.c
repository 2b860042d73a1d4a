/* workplace: made where there is room, private, and gone afterwards; one that a killed run left is
 * taken away, one in use is not. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "store_support.h"
#include "workplace.h"

TestSuite(workplace, .init = make_folder, .fini = remove_folder);

static void put_file(const char *where)
{
    char *name = cf_format("%s/1.in", where);
    FILE *file = fopen(name, "w");

    cr_assert(file && fclose(file) == 0);
    free(name);
}

Test(workplace, is_private_and_leaves_nothing)
{
    struct cf_workplace place;
    struct stat status;
    char *where;

    cr_assert_eq(cf_workplace_make(&place, 1 << 20, NULL), 0);
    where = cf_strdup(place.path);
    cr_assert_eq(stat(where, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0700);
    put_file(where);
    cf_workplace_empty(&place);
    cr_expect_eq(rmdir(where), 0, "empty: it can be removed");
    cr_assert_eq(mkdir(where, 0700), 0);
    cf_workplace_remove(&place);
    cr_expect_eq(access(where, F_OK), -1);
    cf_workplace_remove(&place);
    free(where);
}

Test(workplace, says_that_nothing_has_room)
{
    struct cf_workplace place;
    struct cf_error err = {{0}, 0};

    setenv("TMPDIR", folder, 1);
    cr_expect_eq(cf_workplace_make(&place, UINT64_MAX / 2, &err), -1);
    cr_expect(err.exit_code == 3 && strstr(err.text, "has room") && strstr(err.text, folder), "%s",
              err.text);
}

Test(workplace, refuses_names_that_do_not_fit_between_quotes)
{
    static const char *const names[] = {"a\"b", "a\\b", "a\nb", "a\xff"};

    for (int i = 0; i < CF_COUNT(names); ++i) {
        char *odd = cf_format("%s/%s", folder, names[i]);
        struct cf_workplace place;

        cr_assert_eq(mkdir(odd, 0700), 0);
        setenv("TMPDIR", odd, 1);
        if (cf_workplace_make(&place, 1, NULL) == 0) { /* in shared memory */
            cr_expect_neq(strncmp(place.path, odd, strlen(odd)), 0, "%s", place.path);
            cf_workplace_remove(&place);
        }
        free(odd);
    }
}

Test(workplace, takes_stale_ones_away_and_leaves_those_in_use)
{
    char *stale = cf_format("%s/conform-run-stale0", folder);
    char *used = cf_format("%s/conform-run-used00", folder);
    char *other = cf_format("%s/other", folder);
    struct cf_workplace place;
    int lock;

    setenv("TMPDIR", folder, 1);
    cr_assert_eq(mkdir(stale, 0700) | mkdir(used, 0700) | mkdir(other, 0700), 0);
    put_file(stale);
    put_file(used);
    lock = open(used, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
    /* shared memory has no room for this much, so that the folder under TMPDIR is looked at */
    cr_expect_eq(cf_workplace_make(&place, UINT64_MAX / 2, NULL), -1);
    cr_expect_eq(access(stale, F_OK), -1);
    cr_expect_eq(access(used, F_OK), 0);
    cr_expect_eq(access(other, F_OK), 0);
    close(lock);
    free(stale);
    free(used);
    free(other);
}
