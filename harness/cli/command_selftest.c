/* selftest: how often the instrument is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "documents.h"
#include "listing.h"
#include "selftest.h"
#include "task.h"

/* The result lies beside the records, and where --json says; the words go to the standard output
 * unless the JSON does. */
static int tell(const struct cf_options *options, const struct cf_selftest *st,
                struct cf_error *err)
{
    const char *path = options->document[cf_report_index("json")];
    char *kept = cf_format("%s/selftest.json", st->folder), *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int result = cf_listing_put_json(kept, cf_selftest_json(st), err);

    CF_CHECK(out != NULL);
    cf_selftest_print(out, st);
    CF_CHECK(fclose(out) == 0);
    if (result == 0 && path)
        result = cf_listing_put_json(path, cf_selftest_json(st), err);
    if (result == 0 && !(path && strcmp(path, "-") == 0))
        result = cf_document_put("-", text, size, err);
    if (result == 0 && !options->quiet)
        fprintf(stderr, "conform: selftest took %.0f s; records and result in %s\n", st->seconds,
                st->folder);
    free(text);
    free(kept);
    return result;
}

int cf_command_selftest(struct cf_options *options, struct cf_error *err)
{
    struct cf_selftest st = {.full = options->full};
    int result;

    if (options->rest.n > 0)
        return cf_fail(err,
                       "selftest takes no `%s`; write `conform selftest` or `conform selftest "
                       "--full`",
                       options->rest.word[0]);
    st.folder = cf_task_folder(options, options->full ? "selftest-full" : "selftest-fast", err);
    result = st.folder ? cf_selftest_run(&st, options, err) : -1;
    if (result > 0 && !options->quiet)
        fprintf(stderr, "conform: interrupted; `conform selftest%s --store=%s` goes on\n",
                st.full ? " --full" : "", st.folder);
    if (result == 0)
        result = tell(options, &st, err);
    if (result == 0) {
        char *why = cf_selftest_verdict(&st);

        result = why != NULL;
        free(why);
    }
    cf_selftest_free(&st);
    return result;
}
