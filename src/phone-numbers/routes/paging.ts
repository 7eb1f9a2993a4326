import type { RequestVersion } from '../contract/versions.js'
import { nextPageLink } from './links.js'

const DEFAULT_PAGE_SIZE = 100
/** A larger page size is not refused but reduced. */
const MAX_PAGE_SIZE = 100

export interface Page {
  skip: number
  size: number
  /** One more than the page holds, to see whether there is a next page. */
  limit: number
}

export function pageOf({
  skip = 0,
  maxPageSize,
}: {
  skip?: number | undefined
  maxPageSize?: number | undefined
}): Page {
  const size = Math.min(maxPageSize ?? DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
  return { skip, size, limit: size + 1 }
}

export interface PageLink {
  path: string
  version: RequestVersion
  filters?: Record<string, string | undefined>
  sizeName?: 'top' | 'maxPageSize'
  /** The key of the page's last item, for lists whose pages continue from keys. */
  after?: number | string
}

/** The rows of a page under their published name, with the link to the next page, or null on the last one. */
export function pageView<Name extends string, Row>(
  name: Name,
  rows: readonly Row[],
  page: Page,
  { path, version, filters = {}, sizeName = 'maxPageSize', after }: PageLink,
): Record<Name, Row[]> & { nextLink: string | null } {
  const nextLink =
    rows.length > page.size
      ? nextPageLink(path, version, filters, {
          skip: page.skip + page.size,
          [sizeName]: page.size,
          ...(after !== undefined && { after }),
        })
      : null
  return { [name]: rows.slice(0, page.size), nextLink } as Record<Name, Row[]> & { nextLink: string | null }
}
