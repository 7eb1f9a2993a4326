/**
 * Number patterns are regular expressions of .NET, whose grammar is not JavaScript's: `^+[1-9][0-9]{3,23}$` is valid,
 * and so are patterns with inline options or class subtraction. So they are never compiled here, where a pattern could
 * also be made to run for ever. Only faults that make a pattern invalid in any reading are refused: brackets that don't
 * match. Braces are not checked, since one that starts no quantifier is a literal.
 */

/** Describes what is wrong with the brackets of a pattern, as the predicate of "it"; undefined when they match. */
export function bracketFault(pattern: string): string | undefined {
  let open = 0
  let at = 0
  while (at < pattern.length) {
    switch (pattern[at]) {
      case '\\':
        if (at + 1 === pattern.length) return 'ends in a backslash that escapes nothing'
        at += 2
        break
      case '[': {
        const end = endOfClass(pattern, at)
        if (end === undefined) return 'has a [ without its ]'
        at = end
        break
      }
      case '(':
        if (pattern.startsWith('(?#', at)) {
          at = pattern.indexOf(')', at)
          if (at === -1) return 'has a (?# without its )'
        } else open++
        at++
        break
      case ')':
        if (open === 0) return 'has a ) without its ('
        open--
        at++
        break
      default:
        at++
    }
  }
  return open > 0 ? 'has a ( without its )' : undefined
}

/** The end of the class that begins at `start`. A `]` that comes first is a literal; `-[` subtracts a class. */
function endOfClass(pattern: string, start: number): number | undefined {
  const first = pattern[start + 1] === '^' ? start + 2 : start + 1
  let at = first
  while (at < pattern.length) {
    if (pattern[at] === ']' && at > first) return at + 1
    if (pattern[at] === '\\') at += 2
    else if (at > first && pattern.startsWith('-[', at)) {
      const end = endOfClass(pattern, at + 1)
      if (end === undefined) return undefined
      at = end
    } else at++
  }
  return undefined
}
