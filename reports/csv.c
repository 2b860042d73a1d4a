/* csv: every record as one line, for a table of one's own: what ran where, how it ended, which bits
 * it gave and how long it took. */
#include "report.h"
#include "support_csv.h"

static int write_csv(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                     struct cf_error *err)
{
    (void)page;
    (void)err;
    fputs("configuration,label,suite,case,process,repetition,fate,outputs_xxh3_128,wall_ns,"
          "reason,chosen\r\n",
          out);
    for (int64_t i = 0; i < f->n_records; ++i) {
        const struct cf_record_finding *r = &f->records[i];
        char digest[33] = "";

        if (r->digest)
            cf_digest_print(digest, r->digest);
        cf_csv_cell(out, f->configurations[r->configuration].text, 1);
        cf_csv_cell(out, f->configurations[r->configuration].label, 0);
        cf_csv_cell(out, r->suite, 0);
        cf_csv_cell(out, r->case_text, 0);
        fprintf(out, ",%d,%d,%s,%s,", r->process, r->repetition, cf_fate_name(r->fate), digest);
        if (r->wall_ns >= 0)
            fprintf(out, "%lld", (long long)r->wall_ns);
        cf_csv_cell(out, r->reason, 0);
        cf_csv_cell(out, r->chosen, 0);
        fputs("\r\n", out);
    }
    return 0;
}

const struct cf_report cf_report_csv = {.name = "csv",
                                        .suffix = ".csv",
                                        .why = "every record as a line of a table",
                                        .write = write_csv};
