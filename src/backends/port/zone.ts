/**
 * The port to the DNS zone that holds Direct Routing's TXT records. Names are fully qualified
 * (`contoso.1r1.voice.example`), lower case, without a dot at the end.
 */
export interface TxtRecord {
  name: string
  /** All values of the name; empty for a name that should not exist. */
  values: readonly string[]
}

export interface Zone {
  readonly name: 'built-in'
  /** Sets each name to exactly these values: all names or none. A repeat changes nothing. */
  replaceTxt(records: readonly TxtRecord[]): Promise<void>
  /** The zone's current records; a name without records is left out. Rejects when the zone can't be read. */
  lookupTxt(names: readonly string[]): Promise<Map<string, readonly string[]>>
}
