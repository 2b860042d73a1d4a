#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "manual.h"

int cf_command_manual(struct cf_options *options, struct cf_error *err)
{
    const char *what = options->rest.n == 1 ? options->rest.word[0] : "";
    const int man = strcmp(what, "man") == 0;
    char *text = NULL;
    size_t n_bytes;
    FILE *out;
    int result;

    if (!man && strcmp(what, "bash") != 0)
        return cf_fail(err, "write `conform manual man` or `conform manual bash`");
    out = open_memstream(&text, &n_bytes);
    CF_CHECK(out != NULL);
    (man ? cf_manual_man : cf_manual_bash)(out);
    CF_CHECK(fclose(out) == 0);
    result = cf_document_put("-", text, n_bytes, err);
    free(text);
    return result;
}
