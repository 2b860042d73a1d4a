#include "suggest.h"

#include <ctype.h>
#include <string.h>

#include "error.h"

#define LONGEST 64

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int differ(char a, char b)
{
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

static int distance(const char *a, const char *b)
{
    const int n = (int)strlen(a), m = (int)strlen(b);
    int row[LONGEST + 1][LONGEST + 1];

    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    for (int i = 0; i <= n; ++i)
        for (int j = 0; j <= m; ++j) {
            if (i == 0 || j == 0) {
                row[i][j] = i + j;
                continue;
            }
            row[i][j] = least(least(row[i - 1][j], row[i][j - 1]) + 1,
                              row[i - 1][j - 1] + differ(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && !differ(a[i - 1], b[j - 2]) && !differ(a[i - 2], b[j - 1]))
                row[i][j] = least(row[i][j], row[i - 2][j - 2] + 1);
        }
    return row[n][m];
}

const char *cf_suggest(const char *word, const char *const names[], int n)
{
    const int longest = (int)strlen(word) / 3 > 1 ? (int)strlen(word) / 3 : 1;
    const char *best = NULL;
    int closest = longest + 1;

    for (int i = 0; i < n; ++i) {
        const int d = names[i] ? distance(word, names[i]) : LONGEST;

        if (d < closest) {
            closest = d;
            best = names[i];
        }
    }
    return best;
}

char *cf_suggest_words(const char *word, const char *const names[], int n)
{
    const char *best = cf_suggest(word, names, n);

    return best ? cf_format("; did you mean `%s`?", best) : cf_strdup("");
}
