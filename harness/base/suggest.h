/* suggest: "did you mean" for a word that nobody knows. */
#ifndef CF_SUGGEST_H
#define CF_SUGGEST_H

/* The name closest to `word` (insert, delete, replace or swap neighbours: Damerau's distance in its
 * restricted form), or NULL when none is within a third of the word's length, at least one. Ties go
 * to the first. `names` has n entries; NULL entries are passed over. */
const char *cf_suggest(const char *word, const char *const names[], int n);

/* "; did you mean `x`?" or "". The caller frees. */
char *cf_suggest_words(const char *word, const char *const names[], int n);

#endif
