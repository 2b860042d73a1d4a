/* html_parts: sections that the page has when the findings hold something for them, and only then;
 * and words that the page and the text for a terminal share. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "support_print.h"
#include "support_findings.h"

static const double steps[] = {1, 2, 4, 8}, low[] = {1e-8, 2e-8, 5e-8, 1e-7},
                    middle[] = {2e-8, 4e-8, 9e-8, 2e-7}, high[] = {4e-8, 9e-8, 2e-7, 4e-7};

/* Two configurations and the band of the twins, as the judge hands them over. */
static struct cf_findings trained(struct cf_finding findings[4])
{
    static const struct cf_curve_finding curves[] = {
        {"smoke", "train_logreg f32 steps=8", -1, 4, 24, steps, low, middle, high},
        {"smoke", "train_logreg f32 steps=8", 0, 4, 1, steps, low, middle, high},
        {"smoke", "train_logreg f32 steps=8", 1, 4, 1, steps, low, high, high}};
    struct cf_findings f = sample();

    memcpy(findings, sample_findings, sizeof sample_findings);
    findings[3] = (struct cf_finding){.demand = {CF_STATISTICAL, CF_TO_BASELINE},
                                      .configuration = 1,
                                      .other = 0,
                                      .suite = "smoke",
                                      .group = "train_logreg <f32>",
                                      .component = "attribution",
                                      .verdict = CF_PASS,
                                      .a = {.configuration = -1},
                                      .b = {.configuration = -1},
                                      .reason = "Attribution: not rounding; behaves like 11.8 "
                                                "bits. Effective bits 23, 12, 11"};
    f.findings = findings;
    f.n_findings = 4;
    f.curves = curves;
    f.n_curves = 3;
    return f;
}

Test(html_parts, training_is_shown_over_its_steps_with_the_band)
{
    struct cf_finding findings[4];
    const struct cf_findings f = trained(findings), none = sample();
    char *page = print("html", &f), *without = print("html", &none), *at;

    at = strstr(page, "<section id=\"divergence\"");
    cr_assert(at != NULL);
    cr_expect(strstr(at, "<svg") && strstr(at, "<svg") < strstr(at, "</section>"));
    cr_expect(strstr(at, "what rounding alone does, the distance between 24 pairs"), "no band");
    cr_expect(strstr(at, "geometric means of 1 seed."), "no caption");
    at = strstr(page, "<section id=\"attribution\"");
    cr_assert(at != NULL);
    cr_expect(strstr(at, "behaves like 11.8 bits"));
    cr_expect(strstr(at, "train_logreg &lt;f32&gt;"));
    cr_expect(strstr(page, "href=\"#divergence\"") && strstr(page, "href=\"#attribution\""));
    cr_expect(!strstr(without, "id=\"divergence\"") && !strstr(without, "id=\"attribution\""));
    free(page);
    free(without);
}

Test(html_parts, promises_stand_next_to_what_was_seen)
{
    struct cf_findings f = sample();
    char *page = print("html", &f), *at = strstr(page, "<section id=\"promises\"");

    cr_assert(at != NULL);
    cr_expect(strstr(at, "any number of threads gives the same bits"));
    cr_expect(strstr(at, "A Guide That Nobody Wrote 1.2, Threads, 2025-01"));
    cr_expect(strstr(at, "<span class=\"cell lw\">violated</span>"));
    cr_expect(strstr(at, "<code>dot f64 n=100000 fill=uniform seed=1</code>"));
    free(page);
    f.n_promises = 0;
    page = print("html", &f);
    cr_expect(!strstr(page, "id=\"promises\""));
    free(page);
}

Test(html_parts, what_was_chosen_is_gathered_by_family_and_group)
{
    struct cf_findings f = sample();
    char *page = print("html", &f), *text = print("text", &f), *table = print("csv", &f);
    const char *at = strstr(page, "<section id=\"chosen\"");

    at = at ? at : strstr(page, "id=\"chosen\"");
    cr_assert(at != NULL);
    cr_expect(strstr(at, "<code>engine=40 numerical_notes=&lt;none&gt;</code></td>"
                         "<td class=\"n\" data-n=\"cases\">5</td>"));
    cr_expect(
        strstr(text, "dot f64: engine=40 numerical_notes=<none> in 5 cases, engine=20 in 1\n"));
    cr_expect(strstr(table, ",reason,chosen\r\n"));
    cr_expect(strstr(table, ",,engine=40 numerical_notes=TENSOR_CORE\r\n"));
    free(page);
    free(text);
    free(table);
    f.n_chosen = 0;
    page = print("html", &f);
    text = print("text", &f);
    cr_expect(!strstr(page, "id=\"chosen\"") && !strstr(text, "Chosen:"));
    free(page);
    free(text);
}

/* Only the bits are known to differ: every page for people says so in the same words. */
Test(html_parts, the_word_of_a_cell_is_that_of_the_text)
{
    struct cf_configuration_finding configurations[4];
    struct cf_cell_finding cells[6];
    struct cf_findings f = sample();
    char *page, *text, *map;

    memcpy(configurations, sample_configurations, sizeof configurations);
    memcpy(cells, sample_cells, sizeof cells);
    cells[2].level = configurations[1].level = CF_NONE;
    f.cells = cells;
    f.configurations = configurations;
    f.n_findings = 0;
    page = print("html", &f);
    text = print("text", &f);
    cr_expect(strstr(text, "threads=2 <num"), "%s", text);
    map = strstr(page, "<section id=\"map\"");
    cr_assert(map != NULL);
    *strstr(map, "<ul class=\"legend\">") = '\0';
    cr_expect(strstr(map, ">&lt;num<"), "%s", map);
    cr_expect(!strstr(map, ">none<"), "%s", map);
    map = strstr(map + strlen(map) + 1, "<section id=\"configurations\"");
    cr_assert(map != NULL);
    cr_expect(strstr(map, ">&lt;num<"), "%s", map);
    cr_expect(!strstr(map, ">none<"), "%s", map);
    free(page);
    free(text);
}

/* For html_valid.sh, which shows every page that lies there. */
Test(html_parts, a_sample_for_the_browser)
{
    struct cf_finding findings[4];
    const struct cf_findings f = trained(findings);
    char *page = print("html", &f);
    FILE *out = fopen(CF_BINARY_DIR "/samples/training.html", "w");

    if (!out)
        cr_skip_test("test_reports makes the folder");
    fputs(page, out);
    fclose(out);
    free(page);
}
