/* Strings that somebody else may have chosen, and findings in which every text is one of them. */
#ifndef CF_TESTS_HOSTILE_H
#define CF_TESTS_HOSTILE_H

#include <stdio.h>

#include "support_findings.h"

/* Strings that have broken one renderer or another. */
static const char *const hostile[] = {"<script>alert(1)</script>",
                                      "\"><img src=x onerror=alert(1)>",
                                      "'--><!--",
                                      "]]>",
                                      "<![CDATA[x",
                                      "&amp;&lt;&#0;",
                                      "<?xml?>",
                                      "a|b|c",
                                      "`code`",
                                      "``two``",
                                      "```\nfence",
                                      "**bold** _under_",
                                      "[link](javascript:alert(1))",
                                      "![image](data:,x)",
                                      "# heading",
                                      "- list\n- list",
                                      "\033[31mred\033[0m",
                                      "\033]0;title\007",
                                      "\033[2J\033[H",
                                      "\x9b"
                                      "31m",
                                      "\xc2\x9b"
                                      "31m",
                                      "\x01\x02\x7f",
                                      "carriage\rreturn",
                                      "tab\tand\nline",
                                      "\xff\xfe",
                                      "\xc0\xaf",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "cut \xe2\x82",
                                      "\xe2\x80\xae"
                                      "right to left",
                                      "\xe2\x80\xa8"
                                      "separator",
                                      "\xef\xbb\xbf"
                                      "mark",
                                      "\xef\xbf\xbf",
                                      "snow \xe2\x98\x83",
                                      "\xf0\x9f\x98\x80",
                                      "%s%n%d",
                                      "$(reboot)",
                                      "`reboot`",
                                      "\\\\server\\share",
                                      "</testcase></testsuite>",
                                      "{\"a\":1}",
                                      "\\u0000",
                                      "@everyone https://example.invalid/",
                                      ""};

/* Every text of the findings becomes the hostile one. */
static struct cf_findings poison(const char *text, struct cf_configuration_finding c[4],
                                 struct cf_finding v[3])
{
    static struct cf_cell_finding cells[6];
    static struct cf_invariance_finding invariances[5];
    static struct cf_unit_finding units[2];
    static struct cf_node_finding nodes[2];
    static struct cf_record_finding records[2];
    static struct cf_flip_finding flips[2];
    struct cf_findings f = sample();

    memcpy(c, sample_configurations, sizeof sample_configurations);
    memcpy(v, sample_findings, sizeof sample_findings);
    memcpy(cells, sample_cells, sizeof cells);
    memcpy(invariances, sample_invariances, sizeof invariances);
    f.sentence = f.command_line = text;
    c[0].text = c[0].label = c[0].reason = c[0].effective = c[2].label = c[2].text = text;
    v[0].suite = v[0].group = v[0].case_text = v[0].reason = v[1].reason = v[1].case_text = text;
    snprintf(v[0].a.got, sizeof v[0].a.got, "%s", text);
    memcpy(units, sample_units, sizeof units);
    memcpy(nodes, sample_nodes, sizeof nodes);
    memcpy(records, sample_records, sizeof records);
    units[1].node = units[1].name = units[1].case_text = units[1].got = units[1].reason = text;
    nodes[1].name = nodes[1].kind = nodes[1].reason = nodes[1].element = nodes[1].got = text;
    records[1].suite = records[1].case_text = records[1].reason = text;
    memcpy(flips, sample_flips, sizeof flips);
    flips[0].case_text = flips[0].configuration = text;
    f.flips = flips;
    f.units = units;
    f.nodes = nodes;
    f.records = records;
    f.coverage = text;
    cells[2].suite = cells[2].group = cells[2].reason = cells[4].reason = cells[5].reason = text;
    invariances[0].family = invariances[1].family = text;
    f.configurations = c;
    f.findings = v;
    f.cells = cells;
    f.invariances = invariances;
    return f;
}

#endif
